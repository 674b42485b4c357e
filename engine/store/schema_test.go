package store_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/runreport"
)

// jsonSchema is as much of JSON Schema as docs/metadata.schema.json uses; a keyword beyond it fails the decoding.
type jsonSchema struct {
	Schema      string                 `json:"$schema"`
	Title       string                 `json:"title"`
	Description string                 `json:"description"`
	Type        string                 `json:"type"`
	Enum        []any                  `json:"enum"`
	Minimum     *float64               `json:"minimum"`
	Pattern     string                 `json:"pattern"`
	Format      string                 `json:"format"`
	Required    []string               `json:"required"`
	Properties  map[string]*jsonSchema `json:"properties"`
	Additional  json.RawMessage        `json:"additionalProperties"`
	Items       *jsonSchema            `json:"items"`
}

// violations returns what is wrong with a value, each with its path.
func (s *jsonSchema) violations(path string, value any) []string {
	if s.Enum != nil && !slices.Contains(s.Enum, value) {
		return []string{fmt.Sprintf("%s is %v, not one of %v", path, value, s.Enum)}
	}
	fits := false
	var found []string
	switch typed := value.(type) {
	case string:
		fits = s.Type == "string" && regexp.MustCompile(s.Pattern).MatchString(typed)
		if s.Format == "date-time" {
			_, err := time.Parse(time.RFC3339, typed)
			fits = fits && err == nil
		}
	case bool:
		fits = s.Type == "boolean"
	case float64:
		fits = s.Type == "integer" && typed == float64(int64(typed)) && (s.Minimum == nil || typed >= *s.Minimum)
	case []any:
		fits = s.Type == "array"
		for i, item := range typed {
			if fits {
				found = append(found, s.Items.violations(fmt.Sprintf("%s[%d]", path, i), item)...)
			}
		}
	case map[string]any:
		fits = s.Type == "object"
		found = s.members(path, typed)
	}
	if !fits {
		found = append(found, fmt.Sprintf("%s is %v, not a fitting %s", path, value, s.Type))
	}
	return found
}

func (s *jsonSchema) members(path string, object map[string]any) (found []string) {
	for _, name := range s.Required {
		if _, there := object[name]; !there {
			found = append(found, path+"."+name+" is missing")
		}
	}
	for name, value := range object {
		property := s.Properties[name]
		if property == nil && len(s.Additional) > 0 && s.Additional[0] == '{' {
			property = &jsonSchema{}
			if err := json.Unmarshal(s.Additional, property); err != nil {
				return []string{err.Error()}
			}
		}
		if property == nil {
			found = append(found, path+"."+name+" is not in the schema")
			continue
		}
		found = append(found, property.violations(path+"."+name, value)...)
	}
	sort.Strings(found)
	return found
}

func publishedSchema(t *testing.T) *jsonSchema {
	t.Helper()
	data, err := os.ReadFile("../../docs/metadata.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	var schema jsonSchema
	if err := decoder.Decode(&schema); err != nil {
		t.Fatal(err)
	}
	return &schema
}

func TestMetadataFitsItsPublishedSchema(t *testing.T) {
	schema := publishedSchema(t)
	for name, fill := range map[string]func(t *testing.T, s *store.Store){
		"a dataset with nothing in it": func(*testing.T, *store.Store) {},
		"a dataset with everything": func(t *testing.T, s *store.Store) {
			commit(t, s, 0, 0, 10)
			full := manifest(1, 10, 20)
			full.Models = []runreport.Model{{Alias: "writer", Usage: runreport.Usage{Succeeded: 8, Failed: 2, InputTokens: 30, OutputTokens: 20}}}
			full.Dropped = []store.DroppedRow{{Row: 17, Column: "count", Reason: "ModelGenerationInvalid", Attempts: 2, Message: "empty"}, {Row: 18, Reason: "RowIncomplete"}}
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
			if _, err := s.Finalize(t.Context(), finalizeInput(complete)); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(filepath.Join(root, "ns/ds/0123/metadata.json"))
			if err != nil {
				t.Fatal(err)
			}
			var document map[string]any
			if err := json.Unmarshal(data, &document); err != nil {
				t.Fatal(err)
			}
			for _, violation := range schema.violations("", document) {
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
	schema := publishedSchema(t)
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
		if found := strings.Join(schema.violations("", document), "\n"); !strings.Contains(found, want) {
			t.Errorf("got %q, want it to say %q", found, want)
		}
	}
}
