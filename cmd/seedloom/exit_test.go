package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestExitCodesAreDocumentedAndInTheHelp(t *testing.T) {
	page, err := os.ReadFile("../../docs/command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| exit code | means |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if !found {
		t.Fatal("docs/command-line.md has no table of exit codes")
	}
	var want []string
	for _, known := range exitCodes {
		want = append(want, fmt.Sprintf("| %d | %s |", known.code, known.means))
	}
	if want := strings.Join(want, "\n"); table != want {
		t.Errorf("docs/command-line.md has\n%s\nwant\n%s", table, want)
	}
	help := newRunCommand(&Streams{}).Long
	for _, known := range exitCodes {
		if !strings.Contains(help, fmt.Sprintf("%3d  %s", known.code, known.means)) {
			t.Errorf("the help of run lacks the exit code %d:\n%s", known.code, help)
		}
	}
}

func TestHelpNamesNoEmptyDefault(t *testing.T) {
	usage := newRunCommand(&Streams{}).UsageString()
	for _, empty := range []string{"(default )", "(default [])"} {
		if strings.Contains(usage, empty) {
			t.Errorf("the help of run has %q:\n%s", empty, usage)
		}
	}
}

func TestStepsAreShownWithoutTheMarksOfAPage(t *testing.T) {
	for text, want := range map[string]string{
		"raise `a` and [ask for another attempt](#trying-again) ([usage.md](usage.md))": "raise a and ask for another attempt",
		"nothing": "nothing",
	} {
		if got := plainText(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
