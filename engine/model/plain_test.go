package model

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

const plainCompletion = `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"a\/b","system_fingerprint":null,
"choices":[{"index":0,"message":{"role":"assistant","content":"one\n\"two\" \u00e4 ü","refusal":null,"annotations":[],"tool_calls":[]},
"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":250,"completion_tokens":245,"total_tokens":495,
"prompt_tokens_details":{"cached_tokens":20,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":7}},"more":{"a":[true,{}]}}`

// FuzzPlainAnswer holds what is read in one pass to what the decoder reads.
func FuzzPlainAnswer(f *testing.F) {
	for _, document := range append(unplain(), plainCompletion, ` {"choices":[{"delta":{"content":"a","reasoning_content":"b"}}]} `, `{}`,
		`{"error":null,"choices":[{"error":null}]}`,
		`{"choices":null,"usage":null}`, `{"choices":[{"message":{"content":"`+"\xff"+`","reasoning":"","images":null}},{"index":1}]}`,
		`{"usage":{"input_tokens":1,"output_tokens":2,"reasoning_tokens":3,"prompt_cache_hit_tokens":4,"output_tokens_details":{}}}`) {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		var plain, decoded openAIAnswer
		if !plain.readPlain(document) {
			if !reflect.DeepEqual(plain, openAIAnswer{}) {
				t.Fatalf("%q is not plain, and left %+v", document, plain)
			}
			return
		}
		if err := decode(document, &decoded); err != nil {
			t.Fatalf("%q is no JSON: %v", document, err)
		}
		if withoutNulls(&decoded); !reflect.DeepEqual(plain, decoded) {
			t.Fatalf("%q is read as %+v, want %+v", document, plain, decoded)
		}
	})
}

// withoutNulls takes out the errors that are null, which are none.
func withoutNulls(document *openAIAnswer) {
	isNull := func(problem json.RawMessage) bool { return string(problem) == "null" }
	if isNull(document.Error) {
		document.Error = nil
	}
	for i := range document.Choices {
		if isNull(document.Choices[i].Error) {
			document.Choices[i].Error = nil
		}
	}
}

// unplain are documents that only the decoder may read, for what it makes of them.
func unplain() []string {
	return []string{
		``, `null`, `[]`, `{`, `{"a":1}x`, `{"a":1,}`, `{"a" 1}`, `{"object":7}`, `{"Object":"error"}`, `{"obj\u0065ct":"error"}`,
		`{"object":"a","object":"b"}`, `{"object":"a` + "\n" + `"}`, `{"object":"\x"}`, `{"a":"\x"}`, `{"a":"\`, `{"a":01}`, `{"a":-1}`, `{"a":1.5}`,
		`{"a":1e3}`, `{"a":1234567890123456}`, `{"a":nul}`, `{"a":nulls}`, `{"error":{}}`, `{"choices":{}}`, `{"choices":[null]}`,
		`{"choices":[{"message":{"content":["x"]}}]}`, `{"choices":[{"message":{"tool_calls":[{}]}}]}`, `{"choices":[{"error":"x"}]}`,
		`{"choices":[{"message":{"images":[{}]}}]}`, `{"choices":[{"index":"0"}]}`, `{"usage":{"prompt_tokens":"1"}}`, `{"usage":[]}`,
		`{"usage":{"prompt_tokens_details":{"cached_tokens":1.0}}}`, "\ufeff{}", `{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`,
	}
}

func TestPlainAnswersAreReadInOnePass(t *testing.T) {
	var answer openAIAnswer
	if !answer.readPlain([]byte(plainCompletion)) {
		t.Fatal("a plain answer was left to the decoder")
	}
	for _, document := range unplain() {
		if answer = (openAIAnswer{}); answer.readPlain([]byte(document)) {
			t.Errorf("%q was taken for plain", document)
		}
	}
}
