package process_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"seedloom.dev/seedloom/engine/document"
	"seedloom.dev/seedloom/engine/document/format"
	"seedloom.dev/seedloom/engine/document/process"
	"seedloom.dev/seedloom/internal/samplepdf"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newPool(t testing.TB) *process.Pool {
	t.Helper()
	pool := process.NewPool()
	t.Cleanup(pool.Close)
	return pool
}

func TestDocumentsAreRead(t *testing.T) {
	pool := newPool(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for of, data := range map[format.Format]string{
				format.Text: "a", format.Markdown: "# a", format.HTML: "<p>a", format.PDF: string(samplepdf.Text("a")),
			} {
				found, err := pool.Read(t.Context(), of, []byte(data), "")
				if err != nil || !strings.HasSuffix(found.Text, "a") {
					t.Errorf("%s: got %+v, %v", of, found, err)
				}
			}
		})
	}
	group.Wait()
}

// Whatever a document does, the engine is there afterwards, and so is a process for the next one.
func TestHostileDocumentsCostAtMostAProcess(t *testing.T) {
	pool := newPool(t)
	pool.LimitProcessor(time.Second)
	const long = 1 << 12
	hostile := map[string]string{
		"elements":        strings.Repeat("<b>", long),
		"tables":          strings.Repeat("<table><tr><td>", long/8),
		"quotes":          strings.Repeat("> ", long),
		"brackets":        strings.Repeat("[", long),
		"lists":           strings.Repeat("- ", long),
		"stars":           strings.Repeat("*a ", long),
		"attributes":      "<p " + strings.Repeat("a=b ", long) + ">x",
		"entities":        strings.Repeat("&amp;", long),
		"no UTF-8":        strings.Repeat("\xff\xfe", long),
		"comments":        strings.Repeat("<!-- a -->", long),
		"one long word":   strings.Repeat("a", 256*long),
		"hidden elements": strings.Repeat("<i hidden>a", long/8),
	}
	var problem *document.Problem
	for name, data := range hostile {
		for _, of := range []format.Format{format.Text, format.Markdown, format.HTML} {
			if _, err := pool.Read(t.Context(), of, []byte(data), ""); err != nil && !errors.As(err, &problem) {
				t.Errorf("%s as %s: %v", name, of, err)
			}
		}
	}
	_, err := pool.Read(t.Context(), format.Markdown, []byte(strings.Repeat("> ", 64*long)), "")
	if !errors.As(err, &problem) || !strings.Contains(problem.Message, "could not be read within 384 MiB of memory and 1s of processor time") {
		t.Errorf("what takes minutes: got %v", err)
	}
	if found, err := pool.Read(t.Context(), format.Text, []byte("a"), ""); err != nil || found.Text != "a" {
		t.Errorf("afterwards: got %+v, %v", found, err)
	}
}

// Bombs of PDF end at the bounds of memory and time, and the next PDF is read.
func TestHostilePDFsCostAtMostAProcess(t *testing.T) {
	bomb, err := os.ReadFile("../testdata/bomb.pdf")
	if err != nil {
		t.Fatal(err)
	}
	pool := newPool(t)
	var problem *document.Problem
	if _, err := pool.Read(t.Context(), format.PDF, bomb, ""); !errors.As(err, &problem) ||
		!strings.HasPrefix(problem.Message, "it can't be read within 256 MiB of memory") {
		t.Errorf("a bomb: got %v", err)
	}
	for name, content := range map[string]string{
		"words":  "BT /F1 8 Tf " + strings.Repeat("(abcdefghij) Tj 0 -1 Td ", 1<<16) + "ET",
		"shapes": strings.Repeat("0 0 9 9 re f ", 1<<16) + "BT /F1 8 Tf 9 9 Td (abcdefghij) Tj ET",
	} {
		found, err := pool.Read(t.Context(), format.PDF, samplepdf.Pages(content), "")
		if err != nil || !strings.HasPrefix(found.Text, "abcdefghij") {
			t.Errorf("many %s: got %.100v, %v", name, found, err)
		}
	}
	pool.LimitProcessor(time.Second)
	_, err = pool.Read(t.Context(), format.PDF, samplepdf.Pages(strings.Repeat("q BT /F1 8 Tf (a) Tj ET Q ", 1<<18)), "")
	if err != nil && !errors.As(err, &problem) {
		t.Errorf("what takes long: got %v", err)
	}
	if found, err := pool.Read(t.Context(), format.PDF, samplepdf.Text("a"), ""); err != nil || found.Text != "a" {
		t.Errorf("afterwards: got %+v, %v", found, err)
	}
}

func TestReadingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	pool := newPool(t)
	for range 20 {
		if _, err := pool.Read(ctx, format.Text, []byte("a"), ""); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
}
