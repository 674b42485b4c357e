package remote_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"seedloom.dev/seedloom/engine/seed/files"
	"seedloom.dev/seedloom/engine/seed/remote"
)

// place has files in memory, and counts how often each is fetched.
type place struct {
	mutex   sync.Mutex
	content map[string]string
	sizes   map[string]int64
	fetched map[string]int
	problem error
}

func (p *place) List(context.Context, ...string) ([]files.File, error) {
	var list []files.File
	for name, text := range p.content {
		size, other := p.sizes[name]
		if !other {
			size = int64(len(text))
		}
		list = append(list, files.File{Path: name, Size: size})
	}
	return list, nil
}

func (p *place) Fetch(ctx context.Context, file files.File, to io.Writer) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err := errors.Join(ctx.Err(), p.problem); err != nil {
		return err
	}
	p.fetched[file.Path]++
	_, err := io.WriteString(to, p.content[file.Path])
	return err
}

func (p *place) Close() error { return nil }

func opened(t *testing.T, from *place) *remote.Folder {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	from.fetched = map[string]int{}
	folder := remote.Open(t.Context(), from)
	if _, err := folder.List(t.Context(), "*"); err != nil {
		t.Fatal(err)
	}
	return folder
}

func leftOver(t *testing.T) []os.DirEntry {
	t.Helper()
	left, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func TestFilesAreFetchedOnceAndOnlyWhenTheyAreOpened(t *testing.T) {
	from := &place{content: map[string]string{"a": "of a", "b": strings.Repeat("b", 1<<20), "c": ""}}
	folder := opened(t, from)
	var readers sync.WaitGroup
	for range 8 {
		for name := range map[string]bool{"a": true, "c": true} {
			readers.Go(func() {
				content, size, err := folder.Open(name)
				if err != nil {
					t.Error(err)
					return
				}
				read, err := io.ReadAll(io.NewSectionReader(content, 0, size))
				if !bytes.Equal(read, []byte(from.content[name])) || err != nil {
					t.Errorf("%s: got %q (%v)", name, read, err)
				}
				if err := content.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	readers.Wait()
	if from.fetched["a"] != 1 || from.fetched["b"] != 0 || from.fetched["c"] != 1 {
		t.Errorf("fetched were %v", from.fetched)
	}
	if _, _, err := folder.Open("d"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that was not listed: %v", err)
	}
	if err := folder.Close(); err != nil || len(leftOver(t)) != 0 {
		t.Errorf("%v is left over (%v)", leftOver(t), err)
	}
}

func TestFilesThatCantBeFetchedLeaveNothingBehind(t *testing.T) {
	lost := &remote.Error{Err: errors.New("the way was lost"), MayPass: true}
	from := &place{content: map[string]string{"a": "of a"}, problem: lost}
	folder := opened(t, from)
	var problem *remote.Error
	if _, _, err := folder.Open("a"); !errors.As(err, &problem) || !problem.MayPass {
		t.Errorf("got %v", err)
	}
	from.problem = nil
	content, _, err := folder.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(content.Close(), folder.Close()); err != nil || len(leftOver(t)) != 0 {
		t.Errorf("%v is left over (%v)", leftOver(t), err)
	}
}

func TestAFileOfAnotherSizeHasChanged(t *testing.T) {
	folder := opened(t, &place{content: map[string]string{"a": "of a"}, sizes: map[string]int64{"a": 5}})
	if _, _, err := folder.Open("a"); !errors.Is(err, remote.ErrChanged) {
		t.Errorf("got %v", err)
	}
	if err := folder.Close(); err != nil {
		t.Error(err)
	}
}

func TestMoreThanFitsIsRefusedBeforeItIsFetched(t *testing.T) {
	from := &place{content: map[string]string{"a": "of a"}, sizes: map[string]int64{"a": 17 << 30}}
	folder := opened(t, from)
	if _, _, err := folder.Open("a"); err == nil || !strings.Contains(err.Error(), "more than 16 GiB") || from.fetched["a"] != 0 {
		t.Errorf("got %v", err)
	}
	if err := folder.Close(); err != nil {
		t.Error(err)
	}
}

func TestNothingIsFetchedOnceTheFolderIsClosed(t *testing.T) {
	folder := opened(t, &place{content: map[string]string{"a": "of a"}})
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := folder.Open("a"); !errors.Is(err, context.Canceled) || len(leftOver(t)) != 0 {
		t.Errorf("got %v, and %v is left over", err, leftOver(t))
	}
}
