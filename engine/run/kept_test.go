package run

import (
	"testing"

	"seedloom.dev/seedloom/engine/table"
)

func TestWhatIsKeptOfACellIsTakenOnce(t *testing.T) {
	record := table.NewRecord(table.NewSchema(table.Field{Name: "a"}, table.Field{Name: "b"}), 0, 0)
	if kept := takeKept(record, 0); kept != nil {
		t.Errorf("there is %v before anything was kept", kept)
	}
	keep(record, 0, "a conversation")
	keep(record, 1, "another one")
	if kept := takeKept(record, 0); kept != "a conversation" {
		t.Errorf("got %v", kept)
	}
	if kept := takeKept(record, 0); kept != nil || len(record.Unfinished) != 1 {
		t.Errorf("%v, and %d entries, stay with the record until its row group is written", kept, len(record.Unfinished))
	}
}
