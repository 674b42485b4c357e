package process_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"seedloom.dev/seedloom/engine/validate"
	"seedloom.dev/seedloom/engine/validate/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newPool(t testing.TB) *process.Pool {
	t.Helper()
	pool := process.NewPool()
	t.Cleanup(pool.Close)
	return pool
}

func TestCodeIsJudged(t *testing.T) {
	pool := newPool(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for code, want := range map[string]validate.Outcome{"echo a": validate.Valid, "if": validate.Invalid} {
				if verdict, err := pool.Check(t.Context(), "bash", code); err != nil || verdict.Outcome != want {
					t.Errorf("%s: got %+v, %v", code, verdict, err)
				}
			}
		})
	}
	group.Wait()
}

// Whatever a model writes, the engine is there afterwards, and so is a process for the next text.
func TestHostileTextsCostAtMostAProcess(t *testing.T) {
	pool := newPool(t)
	const long = 1 << 12
	hostile := map[string]string{
		"nothing":                "",
		"zeros":                  strings.Repeat("\x00", long),
		"bytes that no text has": strings.Repeat("\xff\xfe", long/2),
		"parentheses":            strings.Repeat("(", long),
		"brackets":               strings.Repeat("[", long),
		"braces":                 strings.Repeat("{", long),
		"signs":                  strings.Repeat("!", long),
		"minus":                  strings.Repeat("- ", long/2),
		"tags":                   strings.Repeat("<a>", long/3),
		"substitutions":          strings.Repeat("$(", long/2),
		"objects":                strings.Repeat(`{"a":`, long/5),
		"repeated groups":        strings.Repeat("(a{1000})", 1000) + "{1000}",
		"aliases":                "a: &a [x,x,x,x,x,x,x,x,x]\n" + strings.Repeat("b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n", 1000),
		"one long word":          strings.Repeat("a", long),
	}
	for _, language := range validate.Languages() {
		if language == validate.Python {
			continue // which is not parsed here
		}
		for name, code := range hostile {
			if _, err := pool.Check(t.Context(), language, code); err != nil {
				t.Errorf("%s in %s: %v", name, language, err)
			}
		}
	}
	if _, err := pool.Check(t.Context(), "javascript", strings.Repeat("(", 1<<19)); err != nil {
		t.Errorf("half a million parentheses: %v", err)
	}
	verdict, err := pool.Check(t.Context(), "json", strings.Repeat(" ", 10<<20))
	if err != nil || verdict.Outcome != validate.Unjudged || !strings.Contains(verdict.Explanation(), "10485760 bytes") {
		t.Errorf("10 MiB: got %+v, %v", verdict, err)
	}
	if verdict, err := pool.Check(t.Context(), "json", "{}"); err != nil || verdict.Outcome != validate.Valid {
		t.Errorf("afterwards: got %+v, %v", verdict, err)
	}
}

func TestACheckEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	pool := newPool(t)
	for range 20 {
		if _, err := pool.Check(ctx, "go", "package a"); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	pool := newPool(b)
	for language, code := range map[string]string{
		"bash": "for f in *.txt; do wc -l \"$f\"; done", "go": "func add(a, b int) int { return a + b }", "json": `{"a": [1, 2]}`,
		"javascript": "export const add = (a, b) => a + b;", "typescript": "export const add = (a: number, b: number) => a + b;",
		"sql:postgres": "SELECT a, count(*) FROM t WHERE b > 1 GROUP BY a", "sql:sqlite": "SELECT a, count(*) FROM t WHERE b > 1 GROUP BY a",
		"sql:mysql": "SELECT a, count(*) FROM t WHERE b > 1 GROUP BY a",
		"html":      "<p>a <b>b</b></p>", "yaml": "a: [1, 2]\nb: {c: d}\n", "regex": `^\d{3}-\d{4}$`,
	} {
		b.Run(language, func(b *testing.B) {
			// The first text of a language may have its parser compiled.
			if _, err := pool.Check(b.Context(), language, code); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := pool.Check(b.Context(), language, code); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
