package plan

import (
	"fmt"
	"net/textproto"
	"slices"

	"golang.org/x/net/http/httpguts"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// transferHeaders are headers that belong to the transfer, which the engine does.
var transferHeaders = map[string]bool{
	"Host": true, "Connection": true, "Content-Length": true, "Transfer-Encoding": true, "Accept-Encoding": true, "Range": true,
	"If-Range": true, "Te": true, "Trailer": true, "Upgrade": true, "Expect": true, "Proxy-Authorization": true, "Referer": true,
}

// requestHeaders checks the headers of requests. Those in set the engine sets itself.
func (v *validation) requestHeaders(field string, headers []v1alpha1.RequestHeader, set ...string) {
	seen := map[string]bool{}
	for i := range headers {
		header, at := &headers[i], fmt.Sprintf("%s[%d]", field, i)
		name := textproto.CanonicalMIMEHeaderKey(header.Name)
		switch {
		case !httpguts.ValidHeaderFieldName(header.Name):
			v.add(at+".name", ReasonInvalidValue, "%q is not the name of a header", header.Name)
		case transferHeaders[name] || slices.Contains(set, name):
			v.add(at+".name", ReasonInvalidValue, "%s is set by the engine", header.Name)
		case seen[name]:
			v.add(at+".name", ReasonInvalidValue, "%s comes twice; the names of headers do not differ by upper and lower case", header.Name)
		}
		seen[name] = true
		switch {
		case (header.Value != "") == (header.SecretKeyRef != nil):
			v.add(at, ReasonInvalidUnion, "exactly one of value and secretKeyRef must be set")
		case !httpguts.ValidHeaderFieldValue(header.Value):
			v.add(at+".value", ReasonInvalidValue, "holds a character that no header may have, such as a line break")
		}
	}
}
