package plan

import (
	"maps"
	"net/textproto"
	"slices"

	"golang.org/x/net/http/httpguts"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// ownMembers are the members of a request's body that have a field of their own in the spec, or that the engine depends on.
var ownMembers = map[string]string{
	"model": "models[].model", "messages": "the column's prompt", "system": "the column's systemPrompt",
	"temperature": "parameters.temperature", "top_p": "parameters.topP", "max_tokens": "parameters.maxTokens",
	"stream": "", "stream_options": "", "n": "",
}

// ownHeaders are those that the protocols set.
var ownHeaders = map[string]string{
	"Authorization": "apiKeySecretRef", "X-Api-Key": "apiKeySecretRef", "Proxy-Authorization": "apiKeySecretRef", "Cookie": "apiKeySecretRef",
	"Content-Type": "", "Content-Length": "", "Accept": "", "Accept-Encoding": "", "Host": "", "Connection": "", "Transfer-Encoding": "",
	"Anthropic-Version": "",
}

func (v *validation) extraHeaders(field string, headers map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		instead, own := ownHeaders[textproto.CanonicalMIMEHeaderKey(name)]
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			v.add(field, ReasonInvalidValue, "%q is not the name of a header", name)
		case own && instead != "":
			v.add(field, ReasonInvalidValue, "%s is set by the engine; use %s", name, instead)
		case own:
			v.add(field, ReasonInvalidValue, "%s is set by the engine", name)
		case !httpguts.ValidHeaderFieldValue(headers[name]):
			v.add(field, ReasonInvalidValue, "the value of %s holds a character that no header may have, such as a line break", name)
		}
	}
}

func (v *validation) extraBody(field string, body *apiextensionsv1.JSON) {
	if body == nil {
		return
	}
	members, err := v1alpha1.ExtraBodyMembers(body)
	if err != nil || members == nil {
		v.add(field, ReasonInvalidValue, "must be an object")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch instead, own := ownMembers[name]; {
		case own && instead != "":
			v.add(field+"."+name, ReasonInvalidValue, "is set by the engine; use %s", instead)
		case own:
			v.add(field+"."+name, ReasonInvalidValue, "is set by the engine, which needs one whole answer to each request")
		}
	}
}
