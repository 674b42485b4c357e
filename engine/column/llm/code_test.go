package llm_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/llm"
	"seedloom.dev/seedloom/engine/model"
)

func TestTheLastFencedBlockIsTheCode(t *testing.T) {
	for name, test := range map[string]struct {
		language v1alpha1.CodeLanguage
		answer   string
		finish   model.Finish
		want     string
		problem  string
	}{
		"one block":               {"python", "Here:\n```python\nprint(1)\n```\nDone.", 0, "print(1)", ""},
		"the last of several":     {"go", "```go\na\n```\nor\n```go\nb\n\n```", 0, "b", ""},
		"an alias":                {"cpp", "```C++\nint a;\n```", 0, "int a;", ""},
		"another alias":           {"sql:postgres", "```PostgreSQL\nSELECT 1;\n```", 0, "SELECT 1;", ""},
		"a dialect is plain SQL":  {"sql:tsql", "```sql\nSELECT TOP 1 1;\n```", 0, "SELECT TOP 1 1;", ""},
		"without a tag":           {"rust", "```\nfn main() {}\n```", 0, "fn main() {}", ""},
		"tildes":                  {"bash", "~~~sh\necho \"```\"\n~~~", 0, "echo \"```\"", ""},
		"indentation is kept":     {"python", "```py\n  def a():\n    pass\n```", 0, "def a():\n    pass", ""},
		"an indented block":       {"python", "1. So:\n   ```py\n   if a:\n       b\n   ```", 0, "if a:\n    b", ""},
		"a fence behind words":    {"python", "The code: ```python\nprint(1)\n```", 0, "print(1)", ""},
		"an end behind the code":  {"python", "```python\nprint(1)```", 0, "print(1)", ""},
		"line ends of Windows":    {"python", "```python\r\na = 1\r\nb = 2\r\n```\r\n", 0, "a = 1\nb = 2", ""},
		"no end but a stop":       {"python", "```python\nprint(1)", 0, "print(1)", ""},
		"cut off":                 {"python", "```python\nprint(", model.FinishLength, "", "does not end"},
		"another language":        {"python", "```python\na\n```\n```ruby\nb\n```", 0, "", "not marked as python"},
		"another dialect":         {"sql:mysql", "```postgres\nSELECT 1\n```", 0, "", "not marked as sql"},
		"no block":                {"java", "class A {}", 0, "", "no fenced block"},
		"an empty block":          {"java", "```java\n\n```", 0, "", "empty"},
		"a longer fence around":   {"python", "````python\ns = '''\n```\n'''\n````", 0, "s = '''\n```\n'''", ""},
		"reasoning with a block":  {"python", "<think>```python\nx\n```</think>\n```python\ny\n```", 0, "y", ""},
		"a block only in thought": {"python", "<think>\n```python\nx\n```\n</think>\nDone.", 0, "", "no fenced block"},
	} {
		column := &v1alpha1.Column{Name: "out", LLMCode: &v1alpha1.LLMCode{LLMPrompt: v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}, Language: test.language}}
		client := &script{answers: []any{model.Answer{Text: test.answer, Finish: test.finish}}}
		answer, err := newGenerator(t, llm.Config{Column: column, Client: client}).Ask(t.Context(), record())
		switch {
		case test.problem == "" && (err != nil || answer.Value != test.want):
			t.Errorf("%s: got %q, %v; want %q", name, answer.Value, err, test.want)
		case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)):
			t.Errorf("%s: got %q, %v; want an error with %q", name, answer.Value, err, test.problem)
		}
	}
}

func TestEveryLanguageOfTheAPIHasInstructions(t *testing.T) {
	for _, language := range strings.Fields("bash c cobol cpp csharp go java javascript kotlin python ruby rust scala swift typescript " +
		"sql:sqlite sql:tsql sql:bigquery sql:mysql sql:postgres sql:ansi") {
		column := &v1alpha1.Column{Name: "out", LLMCode: &v1alpha1.LLMCode{LLMPrompt: v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}, Language: v1alpha1.CodeLanguage(language)}}
		tag, _, _ := strings.Cut(language, ":")
		client := &script{answers: []any{"```" + tag + "\nx\n```"}}
		answer, err := newGenerator(t, llm.Config{Column: column, Client: client}).Ask(t.Context(), record())
		if err != nil || answer.Value != "x" || !strings.Contains(client.asked[0].Messages[0].Content, "```"+tag+" ") {
			t.Errorf("%s: got %v, %v, asked %q", language, answer.Value, err, client.asked[0].Messages)
		}
	}
}
