package terminal_test

import (
	"testing"

	"seedloom.dev/seedloom/engine/progress/terminal"
)

func TestVisibleLeavesNoControlCharacters(t *testing.T) {
	if got, want := terminal.Visible("a\tb\n\x1b]0;x\x07\x1b[2Jüc\r"), "a\tb\n\uFFFD]0;x\uFFFD\uFFFD[2Jüc\uFFFD"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
