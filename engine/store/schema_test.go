package store_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/storetest"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestMetadataFitsItsPublishedSchema(t *testing.T) {
	schema := storetest.PublishedSchema(t, "../../docs/metadata.schema.json")
	for name, fill := range map[string]func(t *testing.T, s *store.Store){
		"a dataset with nothing in it": func(*testing.T, *store.Store) {},
		"a dataset with everything": func(t *testing.T, s *store.Store) {
			commit(t, s, 0, 0, 10)
			full := manifest(1, 10, 20)
			full.Models = []runreport.Model{{Alias: "writer", Usage: runreport.Usage{Succeeded: 8, Failed: 2, InputTokens: 30, OutputTokens: 20}}}
			full.Dropped = []store.DroppedRow{{Row: 17, Column: "count", Reason: "ModelGenerationInvalid", Attempts: 2, Message: "empty"},
				{Row: 18, Reason: "RowIncomplete"}}
			if err := s.Commit(full, store.Content{Records: records(10, 17)}); err != nil {
				t.Fatal(err)
			}
			// A row group of which every row was dropped has no file.
			if err := s.Commit(manifest(2, 20, 25), store.Content{}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			s := open(t, root)
			fill(t, s)
			input := finalizeInput(complete)
			if name != "a dataset with nothing in it" {
				input.Documents = &store.Documents{Kind: "AgentRollouts", Count: 2, Skipped: 1, Problems: []store.DocumentProblem{{Document: "a.pdf", Problem: "it is empty"}}}
				input.SeedRepository = &store.SeedRepository{Address: "https://hub.test/datasets/a/b", Commit: "c0ffee", Split: "train", FileCount: 2, Files: []string{"a.csv"}}
			}
			if _, err := s.Finalize(t.Context(), input); err != nil {
				t.Fatal(err)
			}
			documents, repository := s.Seed("sha256:0123")
			if !reflect.DeepEqual(documents, input.Documents) || !reflect.DeepEqual(repository, input.SeedRepository) {
				t.Errorf("the metadata has the documents %+v and the repository %+v", documents, repository)
			}
			if documents, repository := s.Seed("sha256:4567"); documents != nil || repository != nil {
				t.Errorf("the metadata of another configuration is %+v, %+v", documents, repository)
			}
			data, err := os.ReadFile(filepath.Join(root, "ns/ds/0123/metadata.json"))
			if err != nil {
				t.Fatal(err)
			}
			var document map[string]any
			if err := json.Unmarshal(data, &document); err != nil {
				t.Fatal(err)
			}
			for _, violation := range schema.Violations("", document) {
				t.Error(violation)
			}
		})
	}
}

// The check above can fail.
func TestTheSchemaRefusesWhatDoesNotFit(t *testing.T) {
	golden, err := os.ReadFile("testdata/metadata.json")
	if err != nil {
		t.Fatal(err)
	}
	schema := storetest.PublishedSchema(t, "../../docs/metadata.schema.json")
	for want, change := range map[string]func(document map[string]any){
		".namespace is missing":                func(d map[string]any) { delete(d, "namespace") },
		".extra is not in the schema":          func(d map[string]any) { d["extra"] = 1.0 },
		".records.actual is -1":                func(d map[string]any) { d["records"].(map[string]any)["actual"] = -1.0 },
		".run.outcome is Done, not one of":     func(d map[string]any) { d["run"].(map[string]any)["outcome"] = "Done" },
		".run.updated_at is yesterday":         func(d map[string]any) { d["run"].(map[string]any)["updated_at"] = "yesterday" },
		".schema.count is 1":                   func(d map[string]any) { d["schema"].(map[string]any)["count"] = 1.0 },
		".columns[0].source is guess, not one": func(d map[string]any) { d["columns"].([]any)[0].(map[string]any)["source"] = "guess" },
	} {
		var document map[string]any
		if err := json.Unmarshal(golden, &document); err != nil {
			t.Fatal(err)
		}
		change(document)
		if found := strings.Join(schema.Violations("", document), "\n"); !strings.Contains(found, want) {
			t.Errorf("got %q, want it to say %q", found, want)
		}
	}
}
