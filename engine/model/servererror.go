package model

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// serverError is what a server says of a failure. Only its code and its parameter may be shown, where they are plain words that don't come
// from the request: the rest may hold parts of the prompt or of the key.
type serverError struct {
	code, parameter string
	// status is a number that was given as the code; 0 without one.
	status int
	// text has the server's words in lower case, to look for hints in; it is never shown.
	text string
	// document is all that the server has sent, to look for a time to wait in; it is never shown.
	document []byte
}

// errorDocument is an error in any of the forms that servers have: {"error":{…}}, {"error":"…"}, the flat form of vLLM
// {"object":"error","message":…,"code":400}, and {"detail":…}.
type errorDocument struct {
	Error      json.RawMessage `json:"error"`
	Message    any             `json:"message"`
	Detail     json.RawMessage `json:"detail"`
	Code       any             `json:"code"`
	Type       any             `json:"type"`
	Status     any             `json:"status"`
	Param      any             `json:"param"`
	InnerError struct {
		Code any `json:"code"`
	} `json:"innererror"`
}

// errorOf reads the body of an answer with the status of a failure. It never fails: what can't be read says nothing.
func errorOf(body []byte) *serverError {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(body, &list) != nil || len(list) == 0 {
			return &serverError{}
		}
		body = list[0]
	}
	var document errorDocument
	if json.Unmarshal(body, &document) != nil {
		// Some say what there is to say in plain text.
		return &serverError{text: strings.ToLower(string(body)), document: body}
	}
	found := errorIn(document.Error)
	if found == nil {
		found = document.read()
	}
	found.document = body
	return found
}

// errorIn reads a member named error; nil where it says that there is none.
func errorIn(member json.RawMessage) *serverError {
	switch text := string(bytes.TrimSpace(member)); {
	case text == "" || text == "null" || text == "false" || text == `""` || text == "{}":
		return nil
	case text[0] == '"':
		var message string
		_ = json.Unmarshal(member, &message)
		return &serverError{text: strings.ToLower(message), code: plainWord(message), document: member}
	}
	var document errorDocument
	_ = json.Unmarshal(member, &document)
	found := document.read()
	found.document = member
	return found
}

func (d *errorDocument) read() *serverError {
	found := &serverError{parameter: plainWord(d.Param)}
	for _, code := range []any{d.InnerError.Code, d.Code, d.Type, d.Status} {
		switch typed := code.(type) {
		case float64:
			if typed >= 400 && typed < 600 && found.status == 0 {
				found.status = int(typed)
			}
		case string:
			if number, err := strconv.Atoi(typed); err == nil && number >= 400 && number < 600 {
				found.status = number
			} else if found.code == "" {
				found.code = plainWord(typed)
			}
		}
	}
	message, _ := d.Message.(string)
	found.text = strings.ToLower(message + " " + string(d.Detail))
	return found
}

// plainWord returns a text that is a single word such as a code, and an empty string for all others.
func plainWord(value any) string {
	text, _ := value.(string)
	if len(text) > 64 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != "" {
		return ""
	}
	return text
}

func (e *serverError) says(phrases ...string) bool {
	for _, phrase := range phrases {
		if strings.Contains(e.text, phrase) {
			return true
		}
	}
	return false
}

func (e *serverError) isCode(codes ...string) bool {
	for _, code := range codes {
		if strings.EqualFold(e.code, code) {
			return true
		}
	}
	return false
}

// quotaIsExhausted tells an account without credit, which no waiting helps, from a limit for a span of time: a server that says when to
// come again, or for which time the limit is, has credit left.
func (e *serverError) quotaIsExhausted(waits bool) bool {
	if waits && e.isOfTime() {
		return false
	}
	switch {
	case e.isCode("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_credits"),
		e.says("credit balance is too low", "purchase credits", "out of credits", "not enough credits", "insufficient credits",
			"insufficient_quota", "insufficient quota", "insufficient balance"):
		return true
	}
	return !waits && !e.isOfTime() && (e.isCode("quota_exceeded") || e.says("quota exceeded", "exceeded your current quota"))
}

// isOfTime says that the limit is one for a span of time.
func (e *serverError) isOfTime() bool {
	document := strings.ToLower(string(e.document))
	for _, span := range []string{"second", "minute", "hour", "day"} {
		if strings.Contains(document, "per "+span) || strings.Contains(document, "per"+span) || strings.Contains(document, "per_"+span) {
			return true
		}
	}
	return false
}

// isRateLimit says that there were too many requests, whatever the status.
func (e *serverError) isRateLimit() bool {
	return e.isCode("rate_limit_exceeded", "rate_limit_error", "rate_limited", "too_many_requests", "RESOURCE_EXHAUSTED",
		"rateLimitExceeded",
		"userRateLimitExceeded", "ThrottlingException", "throttling_error", "TooManyRequests")
}

// isUnknownModel says that the server does not know the model, in the words of the servers that answer so with the status of a bad request.
// Where the words could be about something else, the name of the model stands before them.
func (e *serverError) isUnknownModel(model string) bool {
	if e.isCode("model_not_found", "ModelNotFound", "invalid_model", "unknown_model", "model_not_exist", "DeploymentNotFound") ||
		e.says("invalid model name", "invalid model id", "unknown model", "no such model", "model not exist", "model not found",
			"not a valid model", "model does not exist", "provided model identifier is invalid", "model_not_found") {
		return true
	}
	if model == "" {
		return false
	}
	model = strings.ToLower(model)
	for before, after, named := strings.Cut(e.text, model); named; before, after, named = strings.Cut(after, model) {
		if !endsInWord(before) && saysUnknown(strings.TrimLeft(after, "'\"`)] :,")) {
			return true
		}
	}
	return false
}

// saysUnknown says whether a text, behind the name of a model, begins with words for one that is not there.
func saysUnknown(text string) bool {
	for _, words := range []string{
		"does not exist", "doesn't exist", "not found", "is not found", "was not found", "could not be found", "is not available", "is unknown",
		"is not a valid", "is not deployed", "is not served", "not exist",
	} {
		if strings.HasPrefix(text, words) {
			return true
		}
	}
	return false
}

// isContextOverflow says that the prompt was too long. A complaint about the parameter max_tokens alone is none.
func (e *serverError) isContextOverflow() bool {
	return e.isCode("context_length_exceeded", "exceed_context_size_error", "request_too_large", "string_above_max_length") ||
		e.says("context length", "context window", "maximum context", "context size", "context limit", "too many tokens", "prompt is too long",
			"input is too long", "max_model_len", "maximum model length", "max_tokens must be at least 1, got -", "input length")
}

// isContentRefusal says that a filter of the provider has refused the prompt.
func (e *serverError) isContentRefusal() bool {
	return e.isCode("content_filter", "content_policy_violation", "responsibleaipolicyviolation", "moderation_blocked", "content_moderation",
		"sensitive_content", "data_inspection_failed") ||
		e.says("content management policy", "content policy", "safety system", "usage policy", "moderation", "content filter")
}

// statusOfCode returns the status that stands for an error that came with the status 200.
func (e *serverError) statusOfCode() int {
	switch {
	case e.status != 0:
		return e.status
	case e.isRateLimit():
		return http.StatusTooManyRequests
	case e.isCode("invalid_api_key", "authentication_error", "UNAUTHENTICATED"):
		return http.StatusUnauthorized
	case e.isCode("permission_error", "permission_denied"):
		return http.StatusForbidden
	case e.isCode("not_found_error", "model_not_found", "not_found"):
		return http.StatusNotFound
	case e.isCode("request_too_large"):
		return http.StatusRequestEntityTooLarge
	case e.isContentRefusal(), e.isContextOverflow(), e.isCode("invalid_request_error", "BadRequestError", "invalid_argument"):
		return http.StatusBadRequest
	case e.isCode("overloaded_error", "overloaded", "service_unavailable"):
		return http.StatusServiceUnavailable
	}
	// No complete answer arrived, and nothing says that another try would fare as badly.
	return http.StatusInternalServerError
}
