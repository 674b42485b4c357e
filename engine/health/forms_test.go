package health_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/health"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
)

// asked is the body of a request.
type body struct {
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	Tools          []json.RawMessage `json:"tools"`
	ToolChoice     json.RawMessage   `json:"tool_choice"`
	ResponseFormat json.RawMessage   `json:"response_format"`
	Dimensions     int               `json:"dimensions"`
	Stream         bool              `json:"stream"`
	Input          json.RawMessage   `json:"input"`
	Prompt         string            `json:"prompt"`
}

// media are the types of what stands beside the text of the last message.
func (b *body) media() (types string) {
	var parts []struct {
		Type  string
		Audio struct{ Format, Data string } `json:"input_audio"`
		Image struct{ URL string }          `json:"image_url"`
		Video struct{ URL string }          `json:"video_url"`
	}
	_ = json.Unmarshal(b.Messages[len(b.Messages)-1].Content, &parts)
	for _, part := range parts {
		switch {
		case strings.HasPrefix(part.Image.URL, "data:image/png;base64,iVBOR"):
			types += "png "
		case strings.HasPrefix(part.Video.URL, "data:video/mp4;base64,AAAA"):
			types += "mp4 "
		case part.Audio.Format == "wav" && strings.HasPrefix(part.Audio.Data, "UklGR"):
			types += "wav "
		}
	}
	return types
}

// named adds the name of the model to its fields, where they have none.
func named(fields string) string {
	if strings.Contains(fields, " model: ") {
		return fields
	}
	return ", model: a" + fields
}

// ask asks a server that answers with a status and a body about the columns of a model.
func ask(t *testing.T, modelFields, columns string, answer func(body) (int, string)) ([]body, []health.Problem) {
	t.Helper()
	var mutex sync.Mutex
	var bodies []body
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		data, _ := io.ReadAll(request.Body)
		var asked body
		if err := json.Unmarshal(data, &asked); err != nil {
			t.Errorf("sent %s", data)
		}
		mutex.Lock()
		bodies = append(bodies, asked)
		mutex.Unlock()
		status, text := answer(asked)
		writer.WriteHeader(status)
		_, _ = io.WriteString(writer, text)
	}))
	defer server.Close()
	var parsed v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(`
numRecords: 1
providers: [{name: p, type: OpenAI, endpoint: "`+server.URL+`/v1"}]
models: [{alias: m, provider: p`+named(modelFields)+`}]
columns:
- {name: topic, sampler: {type: Category, category: {values: [a, b]}}}
`+columns+`
output: {persistentVolumeClaim: {claimName: c}}`), &parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := plan.Compile(&parsed, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := model.NewSet(&parsed, func(int) string { return "" })
	defer set.Close()
	results, err := health.Check(t.Context(), compiled, health.Config{
		Client: func(alias string) health.Client { return set.Client(alias) },
		Tools:  func(string) []model.Tool { return []model.Tool{{Name: "look"}} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return bodies, health.Problems(results)
}

const (
	text   = `- {name: one, llmText: {model: m, prompt: "x {{ topic }}"}}`
	system = `- {name: one, llmText: {model: m, prompt: "x {{ topic }}", systemPrompt: "y"}}`
	schema = `- {name: one, llmStructured: {model: m, prompt: "x {{ topic }}", ` +
		`schema: {type: object, required: [a], properties: {a: {type: string}}}}}`
	vector = `- {name: one, embedding: {model: m, targetColumn: topic}}`
	chat   = `{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]}`
)

// seeing is a column whose prompt has media of these kinds.
func seeing(modalities ...string) string {
	var contexts []string
	for _, modality := range modalities {
		contexts = append(contexts, "{column: topic, modality: "+modality+"}")
	}
	return `- {name: one, llmText: {model: m, prompt: "x {{ topic }}", context: [` + strings.Join(contexts, ", ") + `]}}`
}

// painting is a column of images.
func painting(more string) string {
	return `- {name: one, image: {model: m, prompt: "x {{ topic }}"` + more + `}}`
}

func TestModelsAreAskedInTheFormThatWillBeUsed(t *testing.T) {
	good := func(body) (int, string) { return 200, chat }
	for name, test := range map[string]struct {
		model, columns string
		isRight        func(body) bool
	}{
		"a text": {"", text, func(b body) bool {
			return len(b.Messages) == 1 && b.ToolChoice == nil && b.ResponseFormat == nil && !b.Stream
		}},
		"a system message": {"", system, func(b body) bool { return len(b.Messages) == 2 && b.Messages[0].Role == "system" }},
		"both":             {"", text + "\n" + strings.Replace(system, "one", "two", 1), func(b body) bool { return len(b.Messages) == 2 }},
		"a document":       {", structuredOutput: Native", schema, func(b body) bool { return strings.Contains(string(b.ResponseFormat), `"json_schema"`) }},
		"a tool call":      {", structuredOutput: Tool", schema, func(b body) bool { return len(b.Tools) == 1 && strings.Contains(string(b.ToolChoice), "function") }},
		"in words":         {"", schema, func(b body) bool { return b.Tools == nil && b.ResponseFormat == nil }},
		"streaming":        {", streaming: Enabled", text, func(b body) bool { return b.Stream }},
		"an image":         {"", seeing("Image"), func(b body) bool { return b.media() == "png " }},
		"a sound":          {"", seeing("Audio"), func(b body) bool { return b.media() == "wav " }},
		"a video":          {"", seeing("Video"), func(b body) bool { return b.media() == "mp4 " }},
		"all of them":      {"", seeing("Image", "Audio", "Video", "Image"), func(b body) bool { return b.media() == "png wav mp4 " }},
		"a painting":       {", model: dall-e-3", painting(""), func(b body) bool { return b.Prompt != "" && b.Messages == nil }},
		"one in a chat":    {"", painting(""), func(b body) bool { return len(b.Messages) == 1 && b.media() == "" }},
		"one of an image":  {"", painting(", context: [{column: topic, modality: Image}]"), func(b body) bool { return b.media() == "png " }},
		"a streamed one":   {", streaming: Enabled", painting(""), func(b body) bool { return b.Stream }},
		"dimensions":       {", embedding: {dimensions: 16}", vector, func(b body) bool { return b.Dimensions == 16 && b.Input != nil }},
	} {
		bodies, _ := ask(t, test.model, test.columns, good)
		if len(bodies) != 1 || !test.isRight(bodies[0]) {
			t.Errorf("%s: asked %+v", name, bodies)
		}
	}
}

// A server that refuses the form of a request, or ignores what is asked for, ends the run before its first row, and the message says what
// it is.
func TestAFormThatIsRefusedEndsTheRun(t *testing.T) {
	refuse := func(text string) func(body) (int, string) {
		return func(body) (int, string) { return 400, `{"error":{"message":"` + text + `"}}` }
	}
	answer := func(text string) func(body) (int, string) { return func(body) (int, string) { return 200, text } }
	for name, test := range map[string]struct {
		model, columns string
		answer         func(body) (int, string)
		want           []string
		// begins says that the run begins all the same.
		begins bool
	}{
		"dimensions":               {", embedding: {dimensions: 16}", vector, refuse("This model does not support specifying dimensions."), []string{"an embedding", "embedding.dimensions"}, false},
		"other dimensions":         {", embedding: {dimensions: 16}", vector, answer(`{"data":[{"embedding":[1,2]}]}`), []string{"2 dimensions instead of 16", "embedding.dimensions"}, false},
		"a schema":                 {", structuredOutput: Native", schema, refuse("response_format of type json_schema is not supported"), []string{"a document of a schema", "structuredOutput: Native"}, false},
		"a sound":                  {"", seeing("Audio"), refuse("audio input is not supported"), []string{"a text about a sound", "UnsupportedRequest"}, false},
		"a video":                  {"", seeing("Video"), refuse("At most 0 video(s) may be provided"), []string{"a text about a video"}, false},
		"an image, in a document":  {", structuredOutput: Native", strings.Replace(schema, `prompt:`, `context: [{column: topic, modality: Image}], prompt:`, 1), refuse("no image"), []string{"a document of a schema about an image"}, false},
		"a painting":               {", model: dall-e-3", painting(""), refuse("no images here"), []string{"an image before the first row"}, false},
		"a painting by nobody":     {", model: dall-e-3", painting(""), answer(`{"data":[]}`), []string{"without any image"}, true},
		"a painting in a chat":     {"", painting(""), refuse("modalities"), []string{"an image in a conversation"}, false},
		"words for a painting":     {"", painting(""), answer(chat), []string{"answered without one", "api of the column to Images"}, true},
		"a tool":                   {", structuredOutput: Tool", schema, refuse("tools are not supported"), []string{"a tool call"}, false},
		"a tool that is ignored":   {", structuredOutput: Tool", schema, answer(chat), []string{"tool_choice", "structuredOutput: Tool"}, false},
		"a schema that is ignored": {", structuredOutput: Native", schema, answer(chat), []string{"response_format"}, true},
		"temperature":              {", parameters: {temperature: 0.5}", text, refuse("temperature does not support 0.5 with this model"), []string{"parameters.temperature"}, false},
		"an unknown model":         {"", text, refuse("Invalid model name passed in model=a"), []string{"does not know model"}, false},
		"an empty text":            {"", text, answer(`{"choices":[{"message":{"content":""}}]}`), []string{"empty text"}, true},
		"a tool call": {", structuredOutput: Tool", schema, func(b body) (int, string) {
			return 200, `{"choices":[{"message":{"tool_calls":[{"id":"1","function":{"name":"hand_over_answer","arguments":"{\"a\":\"b\"}"}}]}}]}`
		}, nil, false},
	} {
		_, problems := ask(t, test.model, test.columns, test.answer)
		if test.want == nil {
			if len(problems) > 0 {
				t.Errorf("%s: got %v", name, problems[0].Cause)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Lasting() == test.begins {
			t.Errorf("%s: got %+v", name, problems)
			continue
		}
		ending := problems[0].Cause
		if failed := health.Failure(problems); failed != nil {
			ending = failed
		}
		if slices.ContainsFunc(test.want, func(words string) bool { return !strings.Contains(ending.Message, words) }) {
			t.Errorf("%s: got %s: %s; want %q in it", name, ending.Reason, ending.Message, test.want)
		}
	}
}

func TestWhoIsWaitedForIsTold(t *testing.T) {
	told := make(chan []string, 100)
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		<-release
		_, _ = io.WriteString(writer, chat)
	}))
	defer server.Close()
	var parsed v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(strings.ReplaceAll(threeModels, "http://127.0.0.1:1", server.URL)), &parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := plan.Compile(&parsed, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := model.NewSet(&parsed, func(int) string { return "" })
	defer set.Close()
	go func() {
		<-told
		close(release)
	}()
	results, err := health.Check(t.Context(), compiled, health.Config{
		Client: func(alias string) health.Client { return set.Client(alias) }, WaitingAfter: 10 * time.Millisecond,
		Waiting: func(aliases []string) { told <- aliases },
	})
	if err != nil || len(results) != 3 || len(health.Problems(results)) > 0 {
		t.Errorf("got %+v, %v", results, err)
	}
}
