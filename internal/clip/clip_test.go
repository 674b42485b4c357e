package clip_test

import (
	"testing"

	"seedloom.dev/seedloom/internal/clip"
)

func TestText(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "…"},
		{"abcdef", 5, "ab…"},
		{"aüöä", 6, "aü…"},
		{"aüöä", 5, "a…"},
		{"€€€€", 8, "€…"},
		{"abcdef", 1, "…"},
	} {
		if got := clip.Text(test.text, test.limit); got != test.want {
			t.Errorf("%q to %d bytes is %q, want %q", test.text, test.limit, got, test.want)
		}
	}
}

func TestPrefix(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{{"abc", 5, "abc"}, {"abc", 2, "ab"}, {"aü", 2, "a"}, {"üa", 1, ""}, {"abc", -1, ""}} {
		if got := clip.Prefix(test.text, test.limit); got != test.want {
			t.Errorf("the first %d bytes of %q are %q, want %q", test.limit, test.text, got, test.want)
		}
	}
}
