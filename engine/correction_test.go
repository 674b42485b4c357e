package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// correctedSpec has a model write documents, of which every third is corrected at the first correction, and every ninth never is.
const correctedSpec = `
numRecords: 36
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: m, maxParallelRequests: 4}]
columns:
- {name: number, sampler: {type: Sequence, sequence: {start: 0}}}
- {name: limit, expression: {expr: "{{ number + 1 }}", type: int}}
- {name: document, llmText: {model: writer, prompt: "document <{{ number }}>"}}
- name: check
  validation:
    {targets: [document], code: {language: json}, onInvalid: Correct, correction: {maxAttempts: 2, onExhausted: EXHAUSTED}}
- {name: row_check, validation: {targets: [document, limit], onInvalid: Correct,
    expression: {expr: "{{ limit > number and document | length < 1000 }}"}}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10, maxRowAttempts: 1}
`

// newConversations answers as newEndpoint does, by all that was said.
func newConversations(t *testing.T, answer func(said string, before int) (int, string)) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		var body struct{ Messages []struct{ Content string } }
		if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		var said []string
		for _, message := range body.Messages {
			said = append(said, message.Content)
		}
		status, text := answer(strings.Join(said, "\n"), 0)
		writer.WriteHeader(status)
		_ = json.NewEncoder(writer).Encode(map[string]any{
			"choices": []any{map[string]any{"message": map[string]any{"content": text}, "finish_reason": "stop"}},
			"usage":   map[string]any{"prompt_tokens": 3, "completion_tokens": 2},
		})
	}))
	t.Cleanup(server.Close)
	return server
}

// mending answers with a broken document, and with a better one when it is told what is wrong.
func mending(prompt string, _ int) (int, string) {
	number, _, _ := strings.Cut(strings.TrimPrefix(prompt[max(0, strings.Index(prompt, "<")):], "<"), ">")
	isBroken := len(number) > 0 && strings.ContainsAny(number[len(number)-1:], "036")
	switch {
	case strings.HasSuffix(number, "6"), isBroken && !strings.Contains(prompt, "Your answer is not valid:\nline 1, column "):
		return http.StatusOK, `{"broken": `
	}
	return http.StatusOK, `{"number": ` + number + `}`
}

func correctionsOf(result runreport.Result, name string) runreport.Corrections {
	for _, column := range result.Columns {
		if column.Name == name {
			return column.Usage.Corrections
		}
	}
	return runreport.Corrections{}
}

// A run that is stopped in its middle and goes on counts, and has, what one that ran through does.
func TestCorrectionsAreCountedTheSameAfterARestart(t *testing.T) {
	text := strings.Replace(correctedSpec, "EXHAUSTED", "Keep", 1)
	whole := newConversations(t, mending)
	through := newWorld(t, text, whole.URL)
	ending := through.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 36, 0)
	// Of the numbers below 36, eight end in 0 or 3 and are corrected, three end in 6 and are kept.
	want := runreport.Corrections{Corrected: 8, Kept: 3}
	if got := correctionsOf(ending.Result, "document"); got != want {
		t.Errorf("counted are %+v", got)
	}
	_, rows := through.rows()
	invalid := 0
	for _, row := range rows {
		if verdict, _ := row[3].([]any); verdict[0] == false {
			invalid++
		}
	}
	if invalid != 3 {
		t.Errorf("%d of %d rows are not valid", invalid, len(rows))
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var answered atomic.Int64
	server := newConversations(t, func(prompt string, before int) (int, string) {
		if answered.Add(1) == 20 {
			stop()
		}
		return mending(prompt, before)
	})
	w := newWorld(t, text, server.URL)
	if ending := w.generate(ctx, 0); ending.Result.Outcome != runreport.OutcomeInterrupted {
		t.Fatalf("the first part ended as %+v", ending.Result)
	}
	ending = w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 36, 0)
	if got := correctionsOf(ending.Result, "document"); got != want {
		t.Errorf("after a restart counted are %+v", got)
	}
	if _, got := w.rows(); cmp.Diff(rows, got) != "" {
		t.Errorf("the rows differ: %s", cmp.Diff(rows, got))
	}
	columns, _ := w.metadata()["columns"].([]any)
	position := slices.IndexFunc(columns, func(column any) bool { return column.(map[string]any)["name"] == "document" })
	described, _ := json.Marshal(columns[position].(map[string]any)["corrections"])
	if string(described) != `{"corrected":8,"given_up":0,"kept":3}` {
		t.Errorf("metadata says %s", described)
	}
}

func TestWhatCantBeCorrectedIsDroppedAndCounted(t *testing.T) {
	server := newConversations(t, mending)
	w := newWorld(t, strings.Replace(correctedSpec, "EXHAUSTED", "Drop", 1), server.URL)
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomePartial, "RowsDropped", runreport.ExitOK, 33, 3)
	if got := correctionsOf(ending.Result, "document"); got != (runreport.Corrections{Corrected: 8, GivenUp: 3}) {
		t.Errorf("counted are %+v", got)
	}
	drop := ending.Result.Dropped[0]
	if drop.Reason != v1alpha1.ReasonValidationFailed || drop.Column != "document" || drop.Count != 3 ||
		!strings.Contains(drop.Message, "is not valid after 2 corrections: line 1, column") {
		t.Errorf("got %+v", drop)
	}
}

// rowCheckedSpec has a model write a text that a validator of rows judges beside another column.
const rowCheckedSpec = `
numRecords: 12
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: m, maxParallelRequests: 4}]
columns:
- {name: number, sampler: {type: Sequence, sequence: {start: 0}}}
- {name: text, llmText: {model: writer, prompt: "text <{{ number }}>"}}
- name: check
  validation:
    targets: [text, number]
    onInvalid: Correct
    VALIDATOR
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 5, maxRowAttempts: 1}
`

// newRowChecker is a server that judges rows as the other validators of the test do.
func newRowChecker(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		var asked struct {
			Data []struct {
				Text   string
				Number int
			}
		}
		if err := json.NewDecoder(request.Body).Decode(&asked); err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		var verdicts []any
		for _, row := range asked.Data {
			right := fmt.Sprintf("number %d", row.Number)
			verdicts = append(verdicts, map[string]any{"is_valid": row.Text == right, "error_messages": "say " + right})
		}
		_ = json.NewEncoder(writer).Encode(map[string]any{"data": verdicts})
	}))
	t.Cleanup(server.Close)
	return server
}

// Validators of rows correct the one target that a model writes, which they judge beside the others.
func TestValidatorsOfRowsCorrect(t *testing.T) {
	for name, validator := range map[string]string{
		"expression": `expression: {expr: "{{ text == 'number ' ~ number }}", message: "say number {{ number }}"}`,
		"starlark": `starlark: {source: "def validate(row):\n  right = 'number %d' % row['number']\n` +
			`  return {'is_valid': row['text'] == right, 'error_messages': 'say ' + right}\n"}`,
		"remote": "remote: {endpoint: '" + newRowChecker(t).URL + "/validate'}",
	} {
		t.Run(name, func(t *testing.T) {
			server := newConversations(t, func(said string, _ int) (int, string) {
				_, rest, _ := strings.Cut(said, "<")
				number, _, _ := strings.Cut(rest, ">")
				if slices.Contains([]string{"0", "3", "6", "9"}, number) && !strings.Contains(said, "say number "+number) {
					return http.StatusOK, "a wrong one"
				}
				return http.StatusOK, "number " + number
			})
			w := newWorld(t, strings.Replace(rowCheckedSpec, "VALIDATOR", validator, 1), server.URL)
			ending := w.generate(t.Context(), 0)
			checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 12, 0)
			if got := correctionsOf(ending.Result, "text"); got != (runreport.Corrections{Corrected: 4}) {
				t.Errorf("counted are %+v", got)
			}
			_, rows := w.rows()
			for _, row := range rows {
				if verdict := row[2].([]any); verdict[0] != true || row[1] != fmt.Sprintf("number %d", row[0]) {
					t.Errorf("got %v", row)
				}
			}
		})
	}
}
