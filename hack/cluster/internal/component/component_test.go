package component

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// components writes component modules with the given etcd source; etcd stands for all of them.
func components(t *testing.T, source string) string {
	t.Helper()
	folder := t.TempDir()
	for _, m := range modules {
		write(t, filepath.Join(folder, m.folder, "go.mod"), "module x\n\ngo 1.26.0\n\nrequire "+m.upstream+" v3.7.3\n")
		write(t, filepath.Join(folder, m.folder, "go.sum"), "")
	}
	// The required module is replaced by one on disk, so that a real build needs no network.
	write(t, filepath.Join(folder, "etcd", "go.mod"),
		"module x\n\ngo 1.26.0\n\nrequire go.etcd.io/etcd/server/v3 v3.7.3\n\nreplace go.etcd.io/etcd/server/v3 => ./upstream\n")
	write(t, filepath.Join(folder, "etcd", "upstream", "go.mod"), "module go.etcd.io/etcd/server/v3\n\ngo 1.26.0\n")
	write(t, filepath.Join(folder, "etcd", "upstream", "main.go"), source)
	return folder
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func archive(t *testing.T, name, content string) []byte {
	t.Helper()
	var output bytes.Buffer
	compressed := gzip.NewWriter(&output)
	writer := tar.NewWriter(compressed)
	err := writer.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg})
	_, second := writer.Write([]byte(content))
	if err := errors.Join(err, second, writer.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	return output.Bytes()
}

func TestEnsureBuildsOnceForTwoCallers(t *testing.T) {
	folder, cache := components(t, "package main\n\nfunc main() {}\n"), t.TempDir()
	var progress lockedBuffer
	var callers sync.WaitGroup
	for range 2 {
		callers.Go(func() {
			store := &Store{Cache: cache, Components: folder, Method: BuildOnly, Progress: &progress}
			paths, err := store.Ensure(context.Background(), []Program{Etcd})
			if err != nil {
				t.Error(err)
			} else if info, err := os.Stat(paths[Etcd]); err != nil || info.Mode()&0o100 == 0 {
				t.Errorf("%s: %v, %v; want a program", paths[Etcd], info, err)
			}
		})
	}
	callers.Wait()
	if built := strings.Count(progress.String(), "(done)"); built != 1 {
		t.Errorf("built %d times, want once:\n%s", built, progress.String())
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "components", "*", "*.partial")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBuildErrorsAreShownAndBounded(t *testing.T) {
	source := "package main\n\nfunc main() {\n" + strings.Repeat("\tundefined()\n", 500) + "}\n"
	store := &Store{Cache: t.TempDir(), Components: components(t, source), Method: BuildOnly, Progress: &lockedBuffer{}}
	_, err := store.Ensure(context.Background(), []Program{Etcd})
	if err == nil {
		t.Fatal("no error for a program that does not compile")
	}
	if text := err.Error(); !strings.Contains(text, "undefined") || strings.Count(text, "\n") > 40 {
		t.Errorf("error:\n%s", text)
	}
	if paths, _ := filepath.Glob(filepath.Join(store.Cache, "components", "*", "etcd")); len(paths) > 0 {
		t.Errorf("a failed build left %v", paths)
	}
}

func TestEnsureDownloadsAndChecks(t *testing.T) {
	content := archive(t, "etcd-v3.7.3-"+system()+"/etcd", "the program")
	sum := fmt.Sprintf("%x", sha256.Sum256(content))
	cases := map[string]struct {
		sums string
		want error
	}{
		"published sum":      {sum + "  etcd-v3.7.3-" + system() + ".tar.gz\n", nil},
		"sum among others":   {strings.Repeat("0", 64) + "  other.tar.gz\n" + sum + "  etcd-v3.7.3-" + system() + ".tar.gz\n", nil},
		"another file's":     {strings.Repeat("0", 64) + "  etcd-v3.7.3-" + system() + ".tar.gz\n", ErrChecksum},
		"no sum of the file": {sum + "  other.tar.gz\n", errAny},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/SHA256SUMS") {
					fmt.Fprint(w, test.sums)
				} else {
					_, _ = w.Write(content)
				}
			}))
			defer site.Close()
			store := &Store{Cache: t.TempDir(), Components: components(t, ""), Method: DownloadOnly,
				Downloads: Downloads{GitHubSite: site.URL}, Progress: &lockedBuffer{}}
			paths, err := store.Ensure(context.Background(), []Program{Etcd})
			if test.want == nil {
				got, readError := os.ReadFile(paths[Etcd])
				if err != nil || readError != nil || string(got) != "the program" {
					t.Errorf("got %q, %v, %v", got, err, readError)
				}
			} else if err == nil || test.want != errAny && !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

var errAny = errors.New("any")

func TestUnreachableSiteFallsBackToBuilding(t *testing.T) {
	release := make(chan struct{})
	var asked atomic.Int32
	site := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		select { // a site that never answers
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer site.Close()
	defer close(release)
	store := &Store{Cache: t.TempDir(), Components: components(t, "package main\n\nfunc main() {}\n"), Progress: &lockedBuffer{},
		Downloads: Downloads{GitHubSite: site.URL, FirstByte: 50 * time.Millisecond}}
	paths, err := store.Ensure(context.Background(), []Program{Etcd})
	if err != nil || paths[Etcd] == "" || asked.Load() != 1 {
		t.Errorf("paths %v, error %v, site asked %d times; want a built program after one question", paths, err, asked.Load())
	}
}

func TestKeyChangesWithWhatTheBuildDependsOn(t *testing.T) {
	folder := components(t, "")
	first, err := pin(folder, modules[0], "go1.26.8")
	if err != nil {
		t.Fatal(err)
	}
	other, err := pin(folder, modules[0], "go1.26.9")
	if err != nil || other.key == first.key {
		t.Errorf("another compiler: key %s and %s, %v", first.key, other.key, err)
	}
	write(t, filepath.Join(folder, "etcd", "go.sum"), "changed")
	changed, err := pin(folder, modules[0], "go1.26.8")
	if err != nil || changed.key == first.key {
		t.Errorf("other sums: key %s and %s, %v", first.key, changed.key, err)
	}
}

func TestTheRealModulesNameTheirVersions(t *testing.T) {
	for _, m := range modules {
		p, err := pin("../../components", m, "go1")
		if err != nil || !strings.HasPrefix(p.version, "v") {
			t.Errorf("%s: version %q, %v", m.folder, p.version, err)
		}
	}
}

func TestCacheFolder(t *testing.T) {
	for want, variables := range map[string]map[string]string{
		"/a":                 {"SEEDLOOM_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"},
		"/b/seedloom":        {"XDG_CACHE_HOME": "/b", "HOME": "/c"},
		"/c/.cache/seedloom": {"HOME": "/c"},
		"":                   {},
	} {
		got, err := CacheFolder(func(name string) string { return variables[name] })
		if got != want || (err == nil) != (want != "") {
			t.Errorf("CacheFolder with %v = %q, %v; want %q", variables, got, err, want)
		}
	}
}

func system() string {
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(Downloads{}.release(
		pinned{module: modules[0], version: "v3.7.3"}, Etcd).url), "etcd-v3.7.3-"), ".tar.gz")
}

// lockedBuffer takes progress from several goroutines.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(content []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(content)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}
