package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
)

// A row group that is committed as columns has the manifest of one that is committed as records, checksums included.
func TestARowGroupOfColumnsIsThatOfItsRecords(t *testing.T) {
	laid := &store.Layout{Schema: schema, Output: table.NewSchema(schema.Fields()[1]), Dropped: table.NewSchema(schema.Fields()[0]),
		Preserve: true, Numbered: true}
	for name, rows := range map[string][2]int{"many": {30, 40}, "one": {7, 8}} {
		t.Run(name, func(t *testing.T) {
			made := records(rows[0], rows[1])
			titles, counts := &table.Column{}, &table.Column{}
			for _, record := range made {
				titles.Texts = append(titles.Texts, []byte(record.Cells[0].(string)))
				counts.Ints = append(counts.Ints, record.Cells[1].(int64))
			}
			var manifests []*store.Manifest
			for _, content := range []store.Content{
				{Records: made},
				{Columns: &table.Columns{First: table.RowIndex(rows[0]), Rows: len(made), Of: []*table.Column{titles, counts}}},
			} {
				s := open(t, t.TempDir())
				s.SetLayout(laid)
				if err := s.Commit(manifest(3, rows[0], rows[1]), content); err != nil {
					t.Fatal(err)
				}
				found, note, err := s.Group(3)
				if found == nil || err != nil {
					t.Fatalf("the row group is not there: %q, %v", note, err)
				}
				manifests = append(manifests, found)
			}
			if difference := cmp.Diff(manifests[0], manifests[1]); difference != "" {
				t.Error(difference)
			}
		})
	}
}
