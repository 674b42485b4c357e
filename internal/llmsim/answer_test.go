package llmsim_test

import (
	"encoding/json"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

func TestAnswersAreAFunctionOfTheRequest(t *testing.T) {
	client := newClient(t)
	one, other := simtest.Start(t, llmsim.Config{}), simtest.Start(t, llmsim.Config{})
	first := content(t, chat(t, client, one, "m", "Tell me."))
	if again := content(t, chat(t, client, other, "m", "Tell me.")); again != first {
		t.Errorf("another process answers %q, not %q", again, first)
	}
	seeded := chatBody("m", "Tell me.")
	seeded["seed"] = 1
	for name, got := range map[string]reply{
		"another model":  chat(t, client, one, "n", "Tell me."),
		"another prompt": chat(t, client, one, "m", "Tell me!"),
		"a seed":         post(t.Context(), client, one.Endpoint()+"/chat/completions", seeded),
	} {
		if content(t, got) == first {
			t.Errorf("%s has the same answer %q", name, first)
		}
	}
}

func TestLengthFollowsMaxTokens(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	client := newClient(t)
	for _, limit := range []int{1, 5, 20, 100, 1000} {
		for number := range 20 {
			body := chatBody("m", prompt(number))
			body["max_tokens"] = limit
			answer := decode(t, post(t.Context(), client, server.Endpoint()+"/chat/completions", body))
			used := answer.Usage.CompletionTokens
			if used < 1 || used > limit || limit >= 100 && used < limit/3 {
				t.Errorf("max_tokens %d: the answer has %d", limit, used)
			}
			if answer.Usage.TotalTokens != used+answer.Usage.PromptTokens || answer.Usage.PromptTokens == 0 {
				t.Errorf("the usage is %+v", answer.Usage)
			}
		}
	}
}

const schemaText = `{
  "type": "object", "required": ["name", "age", "tags", "kind", "address"], "additionalProperties": false,
  "$defs": {"Address": {"type": "object", "properties": {"zip": {"type": "string", "pattern": "^[0-9]{5}$"},
    "next": {"anyOf": [{"$ref": "#/$defs/Address"}, {"type": "null"}]}}, "required": ["zip", "next"]}},
  "properties": {
    "name": {"type": "string", "minLength": 30, "maxLength": 40},
    "age": {"type": "integer", "exclusiveMinimum": 17, "maximum": 19},
    "score": {"type": "number", "minimum": 0.25, "maximum": 0.5},
    "tags": {"type": "array", "minItems": 2, "maxItems": 3, "uniqueItems": true, "items": {"enum": ["a", "b", "c"]}},
    "kind": {"const": "person"}, "born": {"type": "string", "format": "date"},
    "address": {"$ref": "#/$defs/Address"}
  }
}`

type person struct {
	Name    string
	Age     float64
	Score   float64
	Tags    []string
	Kind    string
	Born    string
	Address *address
}

type address struct {
	Zip  string
	Next *address
}

func checkPerson(t *testing.T, text string) {
	t.Helper()
	var got person
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	tags := map[string]bool{}
	for _, tag := range got.Tags {
		tags[tag] = strings.Contains("abc", tag)
	}
	holds := len(got.Name) >= 30 && len(got.Name) <= 40 && (got.Age == 18 || got.Age == 19) && got.Score >= 0.25 && got.Score <= 0.5 &&
		len(got.Tags) >= 2 && len(got.Tags) <= 3 && len(tags) == len(got.Tags) && got.Kind == "person" &&
		regexp.MustCompile(`^\d{4}-\d\d-\d\d$`).MatchString(got.Born) && got.Address != nil
	for at := got.Address; at != nil; at = at.Next {
		holds = holds && regexp.MustCompile(`^[0-9]{5}$`).MatchString(at.Zip)
	}
	if !holds {
		t.Errorf("the document does not satisfy the schema: %s", text)
	}
}

func TestDocumentsSatisfyTheirSchema(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	client := newClient(t)
	for number := range 50 {
		fenced := content(t, chat(t, client, server, "m", prompt(number)+"\nAnswer as this schema says:\n```json\n"+schemaText+"\n```\n"))
		inner, opened := strings.CutPrefix(fenced, "```json\n")
		inner, closed := strings.CutSuffix(inner, "\n```")
		if !opened || !closed {
			t.Fatalf("the answer to a fenced schema is %q", fenced)
		}
		checkPerson(t, inner)
		checkPerson(t, content(t, chat(t, client, server, "m", prompt(number)+" {not JSON} Schema: "+schemaText+" Thank you.")))

		body := chatBody("m", prompt(number))
		body["response_format"] = object{"type": "json_schema", "json_schema": object{"name": "person", "schema": json.RawMessage(schemaText)}}
		checkPerson(t, content(t, post(t.Context(), client, server.Endpoint()+"/chat/completions", body)))
	}
}

func TestStreaming(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	client := newClient(t)
	whole := content(t, chat(t, client, server, "m", "Tell me."))
	body := chatBody("m", "Tell me.")
	body["stream"], body["stream_options"] = true, object{"include_usage": true}
	got := post(t.Context(), client, server.Endpoint()+"/chat/completions", body)
	if got.header.Get("Content-Type") != "text/event-stream" || got.bodyErr != nil {
		t.Fatalf("got %v, %v", got.header, got.bodyErr)
	}
	events := strings.Split(strings.TrimSuffix(string(got.body), "\n\n"), "\n\n")
	if last := events[len(events)-1]; last != "data: [DONE]" {
		t.Fatalf("the last event is %q", last)
	}
	text, finish, usage := "", "", 0
	for _, event := range events[:len(events)-1] {
		var chunk struct {
			Choices []struct {
				Delta        struct{ Content string }
				FinishReason string `json:"finish_reason"`
			}
			Usage struct {
				CompletionTokens int `json:"completion_tokens"`
			}
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(event, "data: ")), &chunk); err != nil {
			t.Fatalf("%v in %q", err, event)
		}
		for _, choice := range chunk.Choices {
			text += choice.Delta.Content
			finish += choice.FinishReason
		}
		usage += chunk.Usage.CompletionTokens
	}
	if text != whole || finish != "stop" || usage == 0 || len(events) < 10 {
		t.Errorf("%d events with %q, finish %q, usage %d; the answer at once is %q", len(events), text, finish, usage, whole)
	}
}

func TestEmbeddings(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	client := newClient(t)
	got := post(t.Context(), client, server.Endpoint()+"/embeddings", object{"model": "e", "input": []string{"a", "b", "a"}, "dimensions": 8})
	var answer struct {
		Data []struct {
			Index     int
			Embedding []float64
		}
	}
	if err := json.Unmarshal(got.body, &answer); err != nil || len(answer.Data) != 3 {
		t.Fatalf("%v in %s", err, got.body)
	}
	sum := 0.0
	for index, value := range answer.Data[0].Embedding {
		sum += value * value
		if value != answer.Data[2].Embedding[index] {
			t.Error("the same text must have the same vector")
		}
	}
	if len(answer.Data[1].Embedding) != 8 || math.Abs(sum-1) > 1e-5 || answer.Data[0].Embedding[0] == answer.Data[1].Embedding[0] {
		t.Errorf("got %s", got.body)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{APIKeys: []string{"secret"}})
	client := newClient(t)
	if got := chat(t, client, server, "m", "x"); got.status != http.StatusUnauthorized {
		t.Errorf("without a key: %d", got.status)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.Endpoint()+"/models", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer secret")
	response, err := client.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("with the key: %v, %v", response, err)
	}
	response.Body.Close()
	for _, body := range []object{{}, {"model": "m"}, {"model": "m", "messages": "x"}, {"model": "m", "messages": []object{{"content": "x"}}, "max_tokens": 0}} {
		if got := post(t.Context(), client, server.Endpoint()+"/chat/completions", body); got.status != http.StatusBadRequest {
			t.Errorf("%v: got %d %s", body, got.status, got.body)
		}
	}
	counters := server.Counters()
	checkSum(t, counters)
	if counters.Failed[llmsim.FailedUnauthorized] != 1 || counters.Failed[llmsim.FailedBadRequest] != 4 {
		t.Errorf("the counters are %+v", counters)
	}
}
