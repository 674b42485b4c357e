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
		"another language behind": {"python", "```python\na\n```\n```ruby\nb\n```", 0, "a", ""},
		"another language":        {"python", "```ruby\nb\n```", 0, "", "no fenced block is marked as python"},
		"output behind the code":  {"python", "```python\nprint(1)\n```\nOutput:\n```\n1\n```", 0, "print(1)", ""},
		"a shell behind the code": {"python", "```python\nimport x\n```\nInstall it:\n```bash\npip install x\n```", 0, "import x", ""},
		"a call behind a function": {"python", "```python\ndef f():\n    return 1\n```\n\nExample:\n```python\nf()\n```", 0,
			"def f():\n    return 1", ""},
		"a call without a word": {"python", "```python\ndef f():\n    return 1\n```\n```python\nprint(f())\n```", 0, "def f():\n    return 1", ""},
		"a better version":      {"python", "```python\ndef f():\n    return 1\n```\nBetter:\n```python\ndef f():\n    return 2\n```", 0, "def f():\n    return 2", ""},
		"two uses":              {"javascript", "```js\nconst f = (a) => a;\n```\nUse it:\n```js\nf(1)\n```\nor\n```js\nf(2)\n```", 0, "const f = (a) => a;", ""},
		"a use of a table":      {"sql:ansi", "```sql\nCREATE TABLE users (id INT);\n```\n```sql\nSELECT * FROM users;\n```", 0, "CREATE TABLE users (id INT);", ""},
		"a use in a main function": {"go", "```go\nfunc Add(a, b int) int { return a + b }\n```\nUsage:\n```go\nfunc main() {\n\tAdd(1, 2)\n}\n```", 0,
			"func Add(a, b int) int { return a + b }", ""},
		"a whole program with its main function": {"c", "```c\nint f(void);\n```\nComplete:\n```c\nint g(int a) {\n  return a;\n}\nint main() {\n  return g(1);\n}\n```", 0,
			"int g(int a) {\n  return a;\n}\nint main() {\n  return g(1);\n}", ""},
		"words behind that are cut off": {"python", "```python\ndef f():\n    return 1\n```\nThis functi", model.FinishLength, "def f():\n    return 1", ""},
		"a use that is cut off":         {"python", "```python\ndef f():\n    return 1\n```\nUsage:\n```python\nprint(f(", model.FinishLength, "def f():\n    return 1", ""},
		"another dialect":               {"sql:mysql", "```postgres\nSELECT 1\n```", 0, "", "no fenced block is marked as sql"},
		"no block":                      {"java", "class A {}", 0, "", "no fenced block"},
		"an empty block":                {"java", "```java\n\n```", 0, "", "empty"},
		"a longer fence around":         {"python", "````python\ns = '''\n```\n'''\n````", 0, "s = '''\n```\n'''", ""},
		"reasoning with a block":        {"python", "<think>```python\nx\n```</think>\n```python\ny\n```", 0, "y", ""},
		"a block only in thought":       {"python", "<think>\n```python\nx\n```\n</think>\nDone.", 0, "", "no fenced block"},
	} {
		column := &v1alpha1.Column{Name: "out", LLMCode: &v1alpha1.LLMCode{LLMPrompt: v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}, Language: test.language}}
		client := &script{answers: []any{model.Answer{Text: test.answer, Finish: test.finish}}}
		answer, err := newGenerator(t, llm.Config{Column: column, Client: client}).Ask(t.Context(), record(), nil)
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
		answer, err := newGenerator(t, llm.Config{Column: column, Client: client}).Ask(t.Context(), record(), nil)
		if err != nil || answer.Value != "x" || !strings.Contains(client.asked[0].Messages[0].Content, "```"+tag+" ") {
			t.Errorf("%s: got %v, %v, asked %q", language, answer.Value, err, client.asked[0].Messages)
		}
	}
}
