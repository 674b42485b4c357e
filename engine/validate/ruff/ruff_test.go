package ruff_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"seedloom.dev/seedloom/engine/validate"
	"seedloom.dev/seedloom/engine/validate/ruff"
)

// shared is one linter for all tests: to compile Ruff takes seconds.
var shared = sync.OnceValue(ruff.New)

var usual = []string{"E", "F6", "F7", "F8", "SIM", "PLC", "PLE", "PLR", "PLW"}

func TestPythonIsLintedAsTheReferenceDoes(t *testing.T) {
	for name, test := range map[string]struct {
		rules    []string
		code     string
		outcome  validate.Outcome
		severity string
		score    float64
		messages string
	}{
		"good code":           {usual, "def add(a: int, b: int) -> int:\n    return a + b\n", validate.Valid, "none", 10, ""},
		"syntax":              {usual, "def f(x)\n    return x", validate.Invalid, "fatal", 0, "fatal invalid-syntax 1:9 Expected `:`, found newline"},
		"syntax alone":        {nil, "def f(x):\n    return y\n", validate.Valid, "none", 10, ""},
		"syntax alone, wrong": {nil, "print 'a'", validate.Invalid, "fatal", 0, "fatal invalid-syntax 1:7"},
		"an unknown name":     {usual, "def f(x):\n    return x + y\n", validate.Invalid, "error", 0, "error F821 2:16 Undefined name `y`"},
		"advice": {usual, "def f(x):\n    if x:\n        return True\n    else:\n        return False\n", validate.Valid, "refactor", 7.5,
			"refactor SIM103 2:5"},
		"a magic number, in ten statements": {usual, "x = 1\n" + strings.Repeat("y = x\n", 7) + "if x > 7: pass\n", validate.Valid, "refactor", 8,
			"refactor E701 9:9"},
		"letters before the place": {usual, "日本 = 'é'; y = z", validate.Invalid, "error", 0, "error F821 1:15 Undefined name `z`"},
		"nothing":                  {usual, " \n", validate.Invalid, "fatal", 0, "fatal invalid-syntax 0:0 there is nothing but white space"},
	} {
		t.Run(name, func(t *testing.T) {
			verdict, err := shared().Check(t.Context(), test.rules, test.code)
			var lines []string
			for _, message := range verdict.Messages {
				lines = append(lines, fmt.Sprintf("%s %s %d:%d %s", message.Severity, message.Symbol, message.Line, message.Column, message.Text))
			}
			listed := strings.Join(lines, "\n")
			if err != nil || verdict.Outcome != test.outcome || verdict.Severity != test.severity || verdict.Score != test.score ||
				!strings.HasPrefix(listed, test.messages) {
				t.Errorf("got %+v, %v\n%s", verdict, err, listed)
			}
		})
	}
}

func TestRulesThatRuffDoesNotKnowAreRefused(t *testing.T) {
	var wrong *ruff.RulesError
	if err := shared().Prepare(t.Context(), []string{"NOTHING1"}); !errors.As(err, &wrong) || !strings.Contains(wrong.Message, "NOTHING1") {
		t.Errorf("got %v", err)
	}
	if err := shared().Prepare(t.Context(), usual); err != nil {
		t.Error(err)
	}
}

func TestHostilePythonIsBounded(t *testing.T) {
	const long = 1 << 14
	for name, code := range map[string]string{
		"parentheses": strings.Repeat("(", long), "zeros": strings.Repeat("\x00", long), "calls": strings.Repeat("f(", long/2),
		"one long word": strings.Repeat("a", 16*long),
	} {
		verdict, err := shared().Check(t.Context(), usual, code)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: outcome %d, %.100q", name, verdict.Outcome, verdict.Explanation())
	}
	if verdict, err := shared().Check(t.Context(), usual, strings.Repeat(" ", 10<<20)); err != nil || verdict.Outcome != validate.Unjudged {
		t.Errorf("10 MiB: got %+v, %v", verdict, err)
	}
	if verdict, err := shared().Check(t.Context(), usual, "x = 1"); err != nil || verdict.Outcome != validate.Valid {
		t.Errorf("afterwards: got %+v, %v", verdict, err)
	}
}

func TestACheckEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := shared().Check(ctx, usual, "x = 1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestManyChecksAtOnce(t *testing.T) {
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for j := range 20 {
				code := fmt.Sprintf("value_%d_%d = undefined_%d\n", i, j, i)
				verdict, err := shared().Check(t.Context(), usual, code)
				want := fmt.Sprintf("undefined_%d", i)
				if err != nil || len(verdict.Messages) != 1 || !strings.Contains(verdict.Messages[0].Text, want) {
					t.Errorf("got %+v, %v", verdict, err)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkCheck(b *testing.B) {
	code := strings.Repeat("import os\ndef f(x):\n    return x + y\n", 10)
	if err := shared().Prepare(b.Context(), usual); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := shared().Check(b.Context(), usual, code); err != nil {
			b.Fatal(err)
		}
	}
}
