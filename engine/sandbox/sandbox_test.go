package sandbox_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.starlark.net/starlark"
	"go.uber.org/goleak"

	"seedloom.dev/seedloom/engine/sandbox"
)

func newWorkers(t testing.TB) *sandbox.Workers {
	t.Helper()
	workers := sandbox.NewWorkers()
	t.Cleanup(workers.Close)
	return workers
}

// limits are small ones, so that bombs go off early.
func limits() sandbox.Limits {
	limits := sandbox.DefaultLimits()
	limits.Memory, limits.Wall, limits.Processor = 64<<20, 10*time.Second, time.Second
	limits.Values, limits.Bytes = 100_000, 4<<20
	return limits
}

func call(
	ctx context.Context, t testing.TB, workers *sandbox.Workers, source string, limits sandbox.Limits, rows ...starlark.Value,
) (starlark.Value, error) {
	t.Helper()
	program, err := workers.Program("def f(rows):\n    "+strings.ReplaceAll(source, "\n", "\n    ")+"\n", "f")
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return program.Call(ctx, limits, rows)
}

func TestValuesCrossAsTheyAre(t *testing.T) {
	workers := newWorkers(t)
	for source, want := range map[string]string{
		"return rows":                                   `[{"a": 1}, "é\n", None, True, 2.5, [1, [2]]]`,
		"return [x for x in rows if x]":                 `[{"a": 1}, "é\n", True, 2.5, [1, [2]]]`,
		"return (1, -2, 1 << 80, -(1 << 80))":           `(1, -2, 1208925819614629174706176, -1208925819614629174706176)`,
		"return {1: 'a', 'b': (), None: {}, (1, 2): 0}": `{1: "a", "b": (), None: {}, (1, 2): 0}`,
		"return set([1, 2])":                            `set([1, 2])`,
		"return b'ab'":                                  `b"ab"`,
		"return [float('nan'), float('inf'), -0.0]":     `[nan, +inf, -0.0]`,
		"return json.decode('{\"a\": [1, 2.5]}')":       `{"a": [1, 2.5]}`,
		"return json.encode({'a': None})":               `"{\"a\":null}"`,
		"return math.floor(2.7)":                        `2`,
		"return time.parse_time('2026-01-02T03:04:05Z') + time.parse_duration('1h')": `2026-01-02 04:04:05 +0000 UTC`,
		"return f": `function`,
	} {
		row := starlark.NewDict(1)
		_ = row.SetKey(starlark.String("a"), starlark.MakeInt(1))
		got, err := call(t.Context(), t, workers, source, limits(), row, starlark.String("é\n"), starlark.None, starlark.True,
			starlark.Float(2.5),
			starlark.NewList([]starlark.Value{starlark.MakeInt(1), starlark.NewList([]starlark.Value{starlark.MakeInt(2)})}))
		if err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v; want %s", source, got, err, want)
		}
	}
}

// bombs are programs that would take the machine down with them, each with what is said of it.
var bombs = map[string]struct{ source, words string }{
	"a text that doubles":           {"s = 'x' * 1000\nfor i in range(60):\n    s = s + s\nreturn [s]", "MiB of memory"},
	"a list that doubles":           {"l = [1] * 1000\nfor i in range(60):\n    l = l + l\nreturn l", "MiB of memory"},
	"a list that is extended":       {"l = []\nfor i in range(100000000):\n    l.append([i] * 100)\nreturn l", "MiB of memory"},
	"a dict that grows":             {"d = {}\nfor i in range(100000000):\n    d[i] = str(i) * 10\nreturn d", "MiB of memory"},
	"a number that is squared":      {"x = 3\nfor i in range(60):\n    x = x * x\nreturn [x]", ""},
	"a repetition":                  {"return ['x' * (1 << 29)]", ""},
	"a repetition of a list":        {"return [0] * (1 << 29)", ""},
	"a range as a list":             {"return list(range(1 << 40))", "MiB of memory"},
	"millions that are sorted":      {"return sorted(list(range(3000000)) * 3, key = lambda x: -x)", ""},
	"texts that are joined":         {"p = ['x' * 100000] * 1000\nfor i in range(50):\n    p.append(''.join(p))\nreturn p", "MiB of memory"},
	"a format that doubles":         {"s = 'x' * 1000\nfor i in range(60):\n    s = '%s%s' % (s, s)\nreturn [s]", "MiB of memory"},
	"a replacement that grows":      {"s = 'x' * 10000\nfor i in range(60):\n    s = s.replace('x', 'xx')\nreturn [s]", "MiB of memory"},
	"json of a list that doubles":   {"l = [1]\nfor i in range(60):\n    l = [l, l]\nreturn json.encode(l)", ""},
	"a shift":                       {"return 1 << 511 << 511 << 511 << 511 << 511 << 511 << 511 << 511 << 511", "bits"},
	"a loop without an end":         {"for i in range(1 << 40):\n    pass\nreturn []", ""},
	"loops within loops":            {"for a in range(1 << 20):\n    for b in range(1 << 20):\n        pass\nreturn []", ""},
	"a list that holds itself":      {"l = []\nl.append(l)\nreturn l", "levels deep"},
	"values that lie deep":          {"l = []\nfor i in range(100000):\n    l = [l]\nreturn l", "levels deep"},
	"too many values":               {"return [0] * 1000000", "must return at most"},
	"too much text":                 {"return ['x' * (20 << 20)] * 4", "must return at most"},
	"a dict with long keys":         {"return {'x' * (30 << 20): 1, 'y' * (30 << 20): 2, 'z' * (30 << 20): 3}", ""},
	"a failure with a long message": {"fail('x' * (8 << 20))", "…"},
	"the clock":                     {"clock = time\nreturn clock.now()", "not available"},
}

func TestBombsEndAsErrorsAndTheEngineLives(t *testing.T) {
	workers := newWorkers(t)
	// They run beside each other, as many as there are processors: most of the time goes into what is not theirs, such as new processes.
	t.Run("bombs", func(t *testing.T) {
		for name, bomb := range bombs {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				goesOff(t, workers, bomb.source, bomb.words)
			})
		}
	})
	if peak, known := peakMemory(); known && peak > 300<<20 && !raceDetector {
		t.Errorf("the engine's own process took %d MiB", peak>>20)
	}
}

// goesOff runs a bomb, and then something harmless.
func goesOff(t *testing.T, workers *sandbox.Workers, source, words string) {
	t.Helper()
	began := time.Now()
	_, err := call(t.Context(), t, workers, source, limits(), starlark.None)
	var wrong *sandbox.Error
	if !errors.As(err, &wrong) || !saysOneOf(err.Error(), words) || len(err.Error()) > 1000 {
		t.Errorf("got %.200v; want an error with %q", err, words)
	}
	if took := time.Since(began); took > limits().Wall+20*time.Second {
		t.Errorf("ended only after %v", took)
	}
	if got, err := call(t.Context(), t, workers, "return 1", limits()); err != nil || got.String() != "1" {
		t.Errorf("after it nothing can be called: %v, %v", got, err)
	}
}

// saysOneOf says whether a message has the words, or, where a limit on memory was expected, those of another limit: which one a
// program reaches first depends on how fast the machine is.
func saysOneOf(message, words string) bool {
	if words == "MiB of memory" && (strings.Contains(message, "processor time") || strings.Contains(message, "took longer")) {
		return true
	}
	return strings.Contains(message, words)
}

// peakMemory is the most memory that this process has had.
func peakMemory() (int64, bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil || runtime.GOOS != "linux" {
		return 0, false
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kibibytes, err := strconv.ParseInt(fields[1], 10, 64)
			return kibibytes << 10, err == nil
		}
	}
	return 0, false
}

func TestACallEndsWithItsContextAndItsTime(t *testing.T) {
	workers := newWorkers(t)
	endless := "for a in range(1 << 20):\n    for b in range(1 << 20):\n        pass\nreturn []"
	unlimited := limits()
	unlimited.Steps, unlimited.Processor, unlimited.Wall = 1<<62, time.Hour, time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := call(ctx, t, workers, endless, unlimited); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := call(ctx, t, workers, endless, unlimited); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	short := unlimited
	short.Wall = 200 * time.Millisecond
	if _, err := call(t.Context(), t, workers, endless, short); err == nil || !strings.Contains(err.Error(), "took longer than 200ms") {
		t.Errorf("got %v", err)
	}
	if runtime.GOOS == "linux" {
		hungry := unlimited
		hungry.Processor = time.Second
		if _, err := call(t.Context(), t, workers, endless, hungry); err == nil || !strings.Contains(err.Error(), "processor time") {
			t.Errorf("got %v", err)
		}
	}
}

func TestCodeSeesNothingOfTheEnvironmentOfTheEngine(t *testing.T) {
	t.Setenv("SEEDLOOM_TEST_SECRET", "s3cret")
	workers := newWorkers(t)
	if _, err := call(t.Context(), t, workers, "return 1", limits()); err != nil {
		t.Fatal(err)
	}
	environments, err := sandbox.EnvironmentsOfIdleWorkers(workers)
	if err != nil || len(environments) != 1 {
		t.Fatalf("got %q, %v", environments, err)
	}
	if strings.Contains(environments[0], "s3cret") {
		t.Errorf("the environment of a worker is %q", environments[0])
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func BenchmarkCall(b *testing.B) {
	workers := newWorkers(b)
	rows := make([]starlark.Value, 1000)
	for i := range rows {
		row := starlark.NewDict(2)
		_ = row.SetKey(starlark.String("_row"), starlark.MakeInt(i))
		_ = row.SetKey(starlark.String("text"), starlark.String(strings.Repeat("word ", 20)))
		rows[i] = row
	}
	for b.Loop() {
		if _, err := call(b.Context(), b, workers, "return [{'_row': r['_row'], 'n': len(r['text'])} for r in rows]", limits(),
			rows...); err != nil {
			b.Fatal(err)
		}
	}
}
