package validation_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/validation"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/allowlist"
)

// remote makes a generator whose validator is a server, and the rows that it judges.
func remote(t *testing.T, text string, endpoints *connection.Endpoints, handler http.HandlerFunc) (*validation.Generator, []*table.Record) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	var spec v1alpha1.Validation
	if err := yaml.UnmarshalStrict([]byte(strings.ReplaceAll(text, "ENDPOINT", server.URL)), &spec); err != nil {
		t.Fatal(err)
	}
	header := func(column string, index int) string { return fmt.Sprintf("Bearer hush-%s-%d", column, index) }
	checkers := validation.NewCheckers(endpoints, header)
	t.Cleanup(checkers.Close)
	made, err := validation.New(validation.Config{Name: "check", Spec: &spec, Schema: schema, Checkers: checkers})
	if err != nil {
		t.Fatal(err)
	}
	var records []*table.Record
	for i := range 7 {
		row := record(fmt.Sprint("row ", i))
		row.Cells[1] = int64(i)
		records = append(records, row)
	}
	return made, records
}

func TestAServerJudgesTheRowsOfARowGroup(t *testing.T) {
	const spec = "{targets: [number, text], remote: {endpoint: ENDPOINT, batchSize: 3, " +
		"schema: {type: object, properties: {twice: {type: integer}}}}}"
	var requests atomic.Int64
	made, records := remote(t, spec, nil, func(writer http.ResponseWriter, request *http.Request) {
		if requests.Add(1) == 1 {
			writer.Header().Set("Retry-After-Ms", "1")
			writer.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var asked struct{ Data []struct{ Number int } }
		if err := json.NewDecoder(request.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		var verdicts []any
		for _, row := range asked.Data {
			valid := any(row.Number%2 == 0)
			if row.Number == 5 {
				valid = nil
			}
			verdicts = append(verdicts, map[string]any{"is_valid": valid, "twice": 2 * row.Number, "error_messages": "so"})
		}
		_ = json.NewEncoder(writer).Encode(map[string]any{"data": verdicts})
	})
	values, err := made.Batch().GenerateBatch(t.Context(), records, false)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, value := range values {
		got = append(got, fmt.Sprint(value.Source, value.Value))
	}
	const want = "0 [true  0] 1 [false so 2] 2 [true  4] 3 [false so 6] 4 [true  8] 5 [<nil> so 10] 6 [true  12]"
	if joined := strings.Join(got, " "); joined != want || requests.Load() != 4 {
		t.Errorf("after %d requests got %s", requests.Load(), joined)
	}
}

func TestRowsThatAServerDoesNotJudgeAreKept(t *testing.T) {
	const spec = "{targets: [text], remote: {endpoint: ENDPOINT, batchSize: 10, maxRetries: 0}}"
	for name, test := range map[string]struct {
		status       int
		answer, want string
	}{
		"an error":       {500, "", "it answered with the status 500"},
		"a refusal":      {403, "secret", "it answered with the status 403"},
		"a redirect":     {302, "", "it answered with the status 302"},
		"no JSON":        {200, "secret", "it is no JSON of the form"},
		"too few":        {200, `{"data": [{"is_valid": true}]}`, "it has 1 verdicts for 7 rows"},
		"no verdict":     {200, `{"data": [{}, {}, {}, {}, {}, {}, {}]}`, "is_valid of verdict 0 must be true, false or null"},
		"another type":   {200, `{"data": [{"is_valid": "yes"}, {}, {}, {}, {}, {}, {}]}`, "is_valid of verdict 0"},
		"a wrong answer": {200, `[]`, "it is no JSON of the form"},
		"a large answer": {200, strings.Repeat(" ", 17<<20), "it has more than 16 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			made, records := remote(t, spec, nil, func(writer http.ResponseWriter, _ *http.Request) {
				writer.WriteHeader(test.status)
				_, _ = io.WriteString(writer, test.answer)
			})
			values, err := made.Batch().GenerateBatch(t.Context(), records, false)
			if err != nil || len(values) != 7 {
				t.Fatalf("got %d values, %v", len(values), err)
			}
			said := fmt.Sprint(values[6].Value)
			const unasked = "[<nil> the validator could not be asked: "
			if !strings.HasPrefix(said, unasked) || !strings.Contains(said, test.want) || strings.Contains(said, "secret") {
				t.Errorf("got %s", said)
			}
		})
	}
}

func TestHeadersGoToTheServerAndNowhereElse(t *testing.T) {
	const spec = "{targets: [text], remote: {endpoint: ENDPOINT, " +
		"schema: {type: object, properties: {seen: {type: string}, data: {type: string}}}, " +
		"headers: [{name: X-Rules, value: strict}, {name: Authorization, secretKeyRef: {name: checker, key: token}}]}}"
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	var asked atomic.Int64
	made, records := remote(t, spec, nil, func(writer http.ResponseWriter, request *http.Request) {
		authorization := request.Header.Get("Authorization")
		if authorization != "Bearer hush-check-1" || request.Header.Get("X-Rules") != "strict" ||
			request.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %v", request.Header)
		}
		if asked.Add(1) > 1 {
			http.Redirect(writer, request, other.URL, http.StatusTemporaryRedirect)
			return
		}
		verdict := map[string]any{"is_valid": false, "error_messages": "not for " + authorization, "seen": "of hush-check-1", "data": "kept"}
		_ = json.NewEncoder(writer).Encode(map[string]any{"data": slices.Repeat([]any{verdict}, 7)})
	})
	var said []string
	for range 2 {
		values, err := made.Batch().GenerateBatch(t.Context(), records, false)
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, fmt.Sprint(values[0].Value))
	}
	if said[0] != "[false not for [hidden] kept of [hidden]]" || !strings.Contains(said[1], "status 307") || elsewhere.Load() > 0 {
		t.Errorf("got %q, and %d requests went elsewhere", said, elsewhere.Load())
	}
}

// A server writes JSON in its own way: a slash or any other character may be escaped in it.
func TestSecretsOfHeadersAreHiddenHoweverTheyAreEscaped(t *testing.T) {
	const spec = "{targets: [text], remote: {endpoint: ENDPOINT, schema: {type: object, properties: {seen: {type: string}, " +
		"list: {type: array, items: {type: string}}, code: {type: integer}}}, " +
		"headers: [{name: Authorization, secretKeyRef: {name: keys, key: token}}]}}"
	const verdict = `{"is_valid": true, "seen": "got \u0068ush\u002dcheck-0", "list": ["Bearer hush\u002Dcheck-0", "other"], "code": 7, ` +
		`"hush\u002dcheck-0": 1}`
	made, records := remote(t, spec, nil, func(writer http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(writer, `{"data": [`+strings.Repeat(verdict+",", 6)+verdict+`]}`)
	})
	values, err := made.Batch().GenerateBatch(t.Context(), records, false)
	if err != nil {
		t.Fatal(err)
	}
	if said := fmt.Sprint(values[0].Value); said != "[true  7 [[hidden] other] got [hidden]]" {
		t.Errorf("got %s", said)
	}
}

func TestAnEndpointThatIsNotAllowedEndsTheRun(t *testing.T) {
	list, err := allowlist.Parse([]string{"models.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	endpoints := connection.NewEndpoints(list, func(string) string { return "" })
	made, records := remote(t, "{targets: [text], remote: {endpoint: ENDPOINT}}", endpoints, func(http.ResponseWriter, *http.Request) {
		t.Error("a request was sent")
	})
	_, err = made.Batch().GenerateBatch(t.Context(), records, false)
	if failed := failure.Of(err); err == nil || failed.Reason != v1alpha1.ReasonEndpointNotAllowed || failed.Consequence != failure.EndRun {
		t.Errorf("got %v", err)
	}
}
