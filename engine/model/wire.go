package model

import (
	"net/http"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// wire is a protocol: where requests go, what they look like, and what an answer says.
type wire interface {
	// urls are the addresses for chat completions, embeddings and images; empty where the protocol has none.
	urls(endpoint string) (chat, embeddings, images string)
	authorize(header http.Header, key string)
	// check refuses what the protocol has no words for.
	check(request *Request) error
	// appendRequest appends the body of a request, an object that is left open.
	appendRequest(body []byte, settings *settings, request *Request) []byte
	// answer reads the body of an answer.
	answer(body []byte, request *Request) (answer, error)
	// assembly returns what puts a streamed answer together.
	assembly() assembly
}

// answer is what a model has said, whatever the protocol.
type answer struct {
	Answer
	// usage has the tokens.
	usage runreport.Usage
	// empty says that there was no answer in the answer.
	empty   bool
	refused bool
	// stopped is why the model stopped, in the server's words.
	stopped string
	// problem is the error that stood in place of an answer, or nil.
	problem *serverError
}

func wireOf(provider v1alpha1.ProviderType) wire {
	if provider == v1alpha1.ProviderAnthropic {
		return anthropic{}
	}
	return openAI{}
}

// finishOf reads the reasons of all protocols. Words that are not known are FinishOther.
func finishOf(stopped string) Finish {
	switch strings.ToLower(stopped) {
	case "", "stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete":
		return FinishStop
	case "length", "max_tokens", "max_output_tokens", "max_completion_tokens", "max_new_tokens", "max_length", "token_limit":
		return FinishLength
	case "model_context_window_exceeded", "context_window_exceeded", "context_length_exceeded", "model_length":
		return FinishContext
	case "tool_calls", "function_call", "tool_use":
		return FinishTools
	}
	return FinishOther
}

// isRefusal says whether a reason is that of a filter: what there is of the answer is not what the model would have said.
func isRefusal(stopped string) bool {
	switch strings.ToLower(stopped) {
	case "content_filter", "refusal", "safety", "recitation", "prohibited_content", "blocklist", "spii", "sensitive", "error_toxic":
		return true
	}
	return false
}

// isBrokenOff says whether a reason is that of a server that could not go on: another request may be answered as a whole.
func isBrokenOff(stopped string) bool {
	switch strings.ToLower(stopped) {
	case "error", "abort", "aborted", "cancelled", "canceled", "timeout", "network_error", "insufficient_system_resource":
		return true
	}
	return false
}

// appendDataURL appends the address of media, or one that holds them. Base64 needs no escapes.
func appendDataURL(body []byte, media *Media) []byte {
	if media.URL != "" {
		return appendText(body, media.URL)
	}
	return append(append(append(append(append(body, `"data:`...), media.MediaType...), ";base64,"...), media.Data...), '"')
}
