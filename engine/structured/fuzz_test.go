package structured_test

import (
	"errors"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
)

// FuzzExtract: whatever a model writes, a document of a schema that allows any, or an error, comes out, and the document is read from
// itself.
func FuzzExtract(f *testing.F) {
	for _, theme := range themes(f) {
		for _, test := range theme.Cases {
			f.Add(test.Answer)
		}
	}
	unbound := compile(f, []byte(`{}`))
	f.Fuzz(func(t *testing.T, answer string) {
		document, err := unbound.Read(answer)
		if err != nil {
			checkAnswerError(t, err)
			return
		}
		text, isText := document.(string)
		if document == nil {
			text, isText = "null", true
		}
		if !isText {
			t.Fatalf("%q gives %#v, which is no text", answer, document)
		}
		again, err := unbound.Read(text)
		if err != nil {
			t.Fatalf("%q gives %s, from which nothing is read: %v", answer, text, err)
		}
		if again != document {
			t.Fatalf("%q gives %s, which gives %v", answer, text, again)
		}
		structured.Fences(answer)
	})
}

// FuzzSchema: whatever a user writes as a schema, and a model as an answer, a schema has problems or reads, and what it has read is valid.
func FuzzSchema(f *testing.F) {
	for _, theme := range themes(f) {
		for _, test := range theme.Cases {
			f.Add(string(test.Schema), test.Answer)
		}
	}
	f.Fuzz(func(t *testing.T, document, answer string) {
		schema, problems := structured.Compile([]byte(document))
		if (schema == nil) == (len(problems) == 0) {
			t.Fatalf("schema %v with problems %v", schema, problems)
		}
		if schema == nil {
			return
		}
		if twin, problems := structured.Compile(schema.Text()); len(problems) > 0 {
			t.Fatalf("the text of a schema has problems: %v", problems)
		} else if !twin.Type().Equal(schema.Type()) {
			t.Fatalf("the text of a schema has the type %s, the schema %s", twin.Type(), schema.Type())
		}
		read, err := schema.Document(answer)
		if err != nil {
			checkAnswerError(t, err)
			return
		}
		text, err := structured.Encode(read)
		if err != nil {
			t.Fatal(err)
		}
		again, err := schema.Document(string(text))
		if err != nil {
			t.Fatalf("%s is valid, and then not: %v", text, err)
		}
		if second, _ := structured.Encode(again); string(second) != string(text) {
			t.Fatalf("%s is read again as %s", text, second)
		}
		if value, err := schema.Read(answer); err == nil {
			checkValue(t, schema.Type(), value)
		} else {
			checkAnswerError(t, err)
		}
	})
}

func checkAnswerError(t *testing.T, err error) {
	t.Helper()
	var problem *structured.AnswerError
	if !errors.As(err, &problem) || strings.TrimSpace(problem.Message) == "" {
		t.Fatalf("the error %#v says nothing", err)
	}
}

// checkValue checks that a value is one of a type.
func checkValue(t *testing.T, kind table.Type, value any) {
	t.Helper()
	if value == nil {
		return
	}
	fits := false
	switch typed := value.(type) {
	case string:
		fits = kind.Kind == table.KindString
	case int64:
		fits = kind.Kind == table.KindInt
	case float64:
		fits = kind.Kind == table.KindFloat
	case bool:
		fits = kind.Kind == table.KindBool
	case []any:
		fits = kind.Kind == table.KindList || kind.Kind == table.KindStruct && len(typed) == len(kind.Fields)
		for i, part := range typed {
			if kind.Kind == table.KindList {
				checkValue(t, *kind.Element, part)
			} else if fits {
				checkValue(t, kind.Fields[i].Type, part)
			}
		}
	}
	if !fits {
		t.Fatalf("%#v is no %s", value, kind)
	}
}
