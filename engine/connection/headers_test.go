package connection_test

import (
	"net/http"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
)

// fromSecret is a header whose value comes from a Secret.
func fromSecret(name string) v1alpha1.RequestHeader {
	return v1alpha1.RequestHeader{Name: name, SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "checker", Key: "token"}}
}

func TestHeadersHideTheirSecrets(t *testing.T) {
	for _, test := range []struct{ value, text, want string }{
		{"Bearer hush-hush", "got Bearer hush-hush, a Bearer token", "got [hidden], a Bearer token"},
		{"Bearer hush-hush", "got hush-hush", "got [hidden]"},
		{"Token hush1", "unexpected Token, hush1", "unexpected Token, [hidden]"},
		{"hush-hush\n", "hush-hush", "[hidden]"},
		{"session=hush; theme=dark", "theme=dark session=hush;", "[hidden] [hidden]"},
		{"abc", "the alphabet is abc", "the alphabet is abc"},
	} {
		headers, err := connection.NewHeaders([]v1alpha1.RequestHeader{
			{Name: "Accept", Value: "text/csv"}, fromSecret("Authorization"),
		}, func(int) string { return test.value })
		if err != nil {
			t.Fatal(err)
		}
		if got := headers.Hide(test.text); got != test.want {
			t.Errorf("%q of %q: got %q, want %q", test.text, test.value, got, test.want)
		}
		request := http.Header{}
		headers.AddTo(request)
		if request.Get("Accept") != "text/csv" || request.Get("Authorization") != strings.TrimSpace(test.value) {
			t.Errorf("got %v", request)
		}
		if headers.RemoveFrom(request); len(request) > 0 {
			t.Errorf("%v is left", request)
		}
	}
}

// Of a secret that begins with another one, nothing is left.
func TestTheLongestSecretIsHiddenFirst(t *testing.T) {
	headers, err := connection.NewHeaders([]v1alpha1.RequestHeader{fromSecret("X-Team"), fromSecret("X-Key")},
		func(index int) string { return []string{"hush", "hush-hush-1"}[index] })
	if err != nil {
		t.Fatal(err)
	}
	if got := headers.Hide("hush-hush-1 of hush"); got != "[hidden] of [hidden]" {
		t.Errorf("got %q", got)
	}
}

func TestHeadersThatCantBe(t *testing.T) {
	for value, want := range map[string]string{
		"":             `the key "token" of Secret "checker" is empty`,
		" \n":          `the key "token" of Secret "checker" is empty`,
		"hush\r\nX: y": "holds a character that no header may have",
		"hush\x00hush": "holds a character that no header may have",
	} {
		_, err := connection.NewHeaders([]v1alpha1.RequestHeader{fromSecret("Authorization")}, func(int) string { return value })
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: got %v", value, err)
		}
	}
}
