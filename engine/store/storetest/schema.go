// Package storetest checks, in tests, what a store has written.
package storetest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
)

// Schema is as much of JSON Schema as docs/metadata.schema.json uses; a keyword beyond it fails the decoding.
type Schema struct {
	Schema      string             `json:"$schema"`
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Type        string             `json:"type"`
	Enum        []any              `json:"enum"`
	Minimum     *float64           `json:"minimum"`
	Pattern     string             `json:"pattern"`
	Format      string             `json:"format"`
	Required    []string           `json:"required"`
	Properties  map[string]*Schema `json:"properties"`
	Additional  json.RawMessage    `json:"additionalProperties"`
	Items       *Schema            `json:"items"`
}

// Violations returns what is wrong with a value, each with its path.
func (s *Schema) Violations(path string, value any) []string {
	if s.Enum != nil && !slices.Contains(s.Enum, value) {
		return []string{fmt.Sprintf("%s is %v, not one of %v", path, value, s.Enum)}
	}
	fits := false
	var found []string
	switch typed := value.(type) {
	case string:
		fits = s.Type == "string" && (s.Pattern == "" || regexp.MustCompile(s.Pattern).MatchString(typed))
		if s.Format == "date-time" {
			_, err := time.Parse(time.RFC3339, typed)
			fits = fits && err == nil
		}
	case bool:
		fits = s.Type == "boolean"
	case float64:
		isOfType := s.Type == "number" || s.Type == "integer" && typed == float64(int64(typed))
		fits = isOfType && (s.Minimum == nil || typed >= *s.Minimum)
	case []any:
		fits = s.Type == "array"
		for i, item := range typed {
			if fits {
				found = append(found, s.Items.Violations(fmt.Sprintf("%s[%d]", path, i), item)...)
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

func (s *Schema) members(path string, object map[string]any) (found []string) {
	for _, name := range s.Required {
		if _, there := object[name]; !there {
			found = append(found, path+"."+name+" is missing")
		}
	}
	for name, value := range object {
		property := s.Properties[name]
		if property == nil && len(s.Additional) > 0 && s.Additional[0] == '{' {
			property = &Schema{}
			if err := json.Unmarshal(s.Additional, property); err != nil {
				return []string{err.Error()}
			}
		}
		if property == nil {
			found = append(found, path+"."+name+" is not in the schema")
			continue
		}
		found = append(found, property.Violations(path+"."+name, value)...)
	}
	sort.Strings(found)
	return found
}

// PublishedSchema reads docs/metadata.schema.json, at its path from the test's folder.
func PublishedSchema(t *testing.T, path string) *Schema {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	var schema Schema
	if err := decoder.Decode(&schema); err != nil {
		t.Fatal(err)
	}
	return &schema
}

// Described is what a metadata.json says of a run.
type Described struct {
	Phase, Outcome, Reason, Message string
	Actual, Groups                  int64
	// PostGeneration is how far processors after the generation are.
	PostGeneration string
	// Columns are the names, types and sources of the columns.
	Columns []string
}

// Read reads the metadata.json of a dataset with some files, and returns what is wrong with it: what doesn't fit the schema, files that are
// not there, and counts that don't add up.
func (s *Schema) Read(files fs.FS, data []byte) (read Described, wrong []string) {
	var document map[string]any
	if err := json.Unmarshal(data, &document); err != nil {
		return read, []string{err.Error()}
	}
	if wrong = s.Violations("", document); len(wrong) > 0 {
		return read, wrong
	}
	var typed struct {
		Actual    int64                                            `json:"actual_num_records"`
		Groups    int64                                            `json:"num_completed_batches"`
		Files     map[string]any                                   `json:"file_paths"`
		Run       struct{ Phase, Outcome, Reason, Message string } `json:"run"`
		Records   struct{ Target, Actual, Dropped, Missing, Added, Filtered int64 }
		Columns   []struct{ Name, Type, Source string }
		RowGroups []struct{ Rows int64 } `json:"row_groups"`
		State     string                 `json:"post_generation_state"`
		Processed bool                   `json:"post_generation_processed"`
	}
	if err := json.Unmarshal(data, &typed); err != nil {
		return read, []string{err.Error()}
	}
	for _, file := range texts(typed.Files) {
		if _, err := fs.Stat(files, file); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	rows := int64(0)
	for _, group := range typed.RowGroups {
		rows += group.Rows
	}
	if rows != typed.Actual || typed.Records.Actual != typed.Actual || int64(len(typed.RowGroups)) != typed.Groups {
		wrong = append(wrong, fmt.Sprintf("%d records and %d row groups, but the row groups are %v", typed.Actual, typed.Groups, typed.RowGroups))
	}
	if r := typed.Records; r.Actual+r.Dropped+r.Missing+r.Filtered < r.Target+r.Added {
		wrong = append(wrong, fmt.Sprintf("the records don't add up: %+v", r))
	}
	read = Described{
		Phase: typed.Run.Phase, Outcome: typed.Run.Outcome, Reason: typed.Run.Reason, Message: typed.Run.Message,
		Actual: typed.Actual, Groups: typed.Groups,
		PostGeneration: typed.State,
	}
	if typed.Processed != (typed.State == "complete") {
		wrong = append(wrong, fmt.Sprintf("post_generation_state is %q, but post_generation_processed %t", typed.State, typed.Processed))
	}
	for _, column := range typed.Columns {
		read.Columns = append(read.Columns, column.Name+" "+column.Type+" "+column.Source)
	}
	if read.Phase != "Ended" && read.Outcome != "Running" {
		wrong = append(wrong, fmt.Sprintf("the phase is %s, the outcome %s", read.Phase, read.Outcome))
	}
	return read, wrong
}

// texts are all texts in a value.
func texts(value any) (found []string) {
	switch typed := value.(type) {
	case string:
		return []string{typed}
	case []any:
		for _, item := range typed {
			found = append(found, texts(item)...)
		}
	case map[string]any:
		for _, member := range typed {
			found = append(found, texts(member)...)
		}
	}
	return found
}
