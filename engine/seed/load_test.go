package seed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/seed"
)

func fromClaim(path string) *v1alpha1.Seed {
	return &v1alpha1.Seed{PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "data", Path: path}}
}

func fromWeb(address string) *v1alpha1.Seed {
	return &v1alpha1.Seed{HTTP: &v1alpha1.HTTPSeed{URL: address}}
}

// seedRow is a row of a seed: its cells, and their texts where those are kept.
type seedRow struct {
	Cells []any
	Texts []string
}

// read reads a row of a dataset alone.
func read(dataset *seed.Dataset, number int) (seedRow, error) {
	rows, err := dataset.Fetch([]int{number})
	if err != nil {
		return seedRow{}, err
	}
	one := seedRow{Cells: make([]any, dataset.Schema().Len())}
	one.Texts, err = rows.Row(0, one.Cells)
	return one, errors.Join(err, checkColumns(rows, []seedRow{one}, err))
}

// checkColumns says where rows are others when they are decoded column by column, which fails in the same way.
func checkColumns(rows *seed.Rows, want []seedRow, wanted error) error {
	if !rows.HasColumns() {
		return nil
	}
	columns, err := rows.Part(0, len(want)).Columns()
	if err != nil || wanted != nil {
		if fmt.Sprint(err) != fmt.Sprint(wanted) {
			return fmt.Errorf("column by column: got %v, want %v", err, wanted)
		}
		return nil
	}
	for number, row := range want {
		for i, column := range columns {
			if got := column.Value(number); !reflect.DeepEqual(got, row.Cells[i]) {
				return fmt.Errorf("row %d, column %d: got %v, want %v", number, i, got, row.Cells[i])
			}
		}
	}
	return nil
}

// row returns a row of a dataset.
func row(t testing.TB, dataset *seed.Dataset, number int) seedRow {
	t.Helper()
	one, err := read(dataset, number)
	if err != nil {
		t.Fatal(err)
	}
	return one
}

// parse loads a text as a file of a format.
func parse(t testing.TB, data []byte, format v1alpha1.SeedFormat) (*seed.Dataset, error) {
	t.Helper()
	return parseAs(t, data, "rows", &v1alpha1.Seed{Format: format}, 0)
}

// parseAs loads a file with a name by a spec, whose source it sets.
func parseAs(t testing.TB, data []byte, name string, spec *v1alpha1.Seed, rows int64) (*seed.Dataset, error) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	spec.PersistentVolumeClaim = &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "data", Path: name}
	dataset, err := seed.Load(t.Context(), spec, seed.Options{Directory: folder, Rows: rows})
	if err == nil {
		t.Cleanup(func() {
			if err := dataset.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return dataset, err
}

// expect fails unless err is a failure of the seed that says all of the words.
func expect(t *testing.T, err error, temporary bool, words ...string) {
	t.Helper()
	var failed *failure.Error
	if !errors.As(err, &failed) || failed.Reason != v1alpha1.ReasonSeedFailed || failed.Consequence != failure.EndRun ||
		failed.Temporary != temporary {
		t.Errorf("got %#v, want a failure of the seed, temporary: %t", err, temporary)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func write(t *testing.T, name, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreLoaded(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "below", "rows.CSV"), "a\n1\n")
	write(t, filepath.Join(folder, "plain"), "{\"a\": 1}\n")
	// The key of a mounted ConfigMap is a link to a folder beside it.
	write(t, filepath.Join(folder, "..version", "rows.json"), `[{"a": 1}]`)
	if err := os.Symlink("..version/rows.json", filepath.Join(folder, "rows.json")); err != nil {
		t.Fatal(err)
	}
	plain := fromClaim("plain")
	plain.Format = v1alpha1.SeedFormatJSONL
	var digests []string
	for name, spec := range map[string]*v1alpha1.Seed{
		"a ConfigMap":       {ConfigMap: &v1alpha1.ConfigMapSeed{Name: "seeds", Key: "rows.json"}},
		"a volume":          fromClaim("below/rows.CSV"),
		"without an ending": plain,
	} {
		dataset, err := seed.Load(t.Context(), spec, seed.Options{Directory: folder})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if columns, rows := shown(t, dataset); columns != "a: int64" || len(rows) != 1 || rows[0][0] != int64(1) {
			t.Errorf("%s: got %s: %v", name, columns, rows)
		}
		digests = append(digests, dataset.Digest())
	}
	if len(digests) == 3 && (digests[0] == digests[1]) {
		t.Errorf("digests of different data: %v", digests)
	}
}

func TestFilesThatCannotBeLoaded(t *testing.T) {
	folder, outside := t.TempDir(), t.TempDir()
	write(t, filepath.Join(outside, "secret.csv"), "a\n1\n")
	write(t, filepath.Join(folder, "rows.csv"), "a,b\n1\n")
	write(t, filepath.Join(folder, "rows.xlsx"), "x")
	if err := os.Symlink(filepath.Join(outside, "secret.csv"), filepath.Join(folder, "link.csv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "folder.csv"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe.csv"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, words := range map[string][]string{
		"none.csv":   {`"none.csv" on claim "data"`, "no such file", "check the name"},
		"rows.csv":   {`"rows.csv" on claim "data"`, "as CSV, line 2 has 1 cells"},
		"rows.xlsx":  {`"rows.xlsx"`, "spec.seed.format"},
		"folder.csv": {"no file lies in the folder"},
		"pipe.csv":   {"it is not a file"},
		"link.csv":   {"escapes"},
		"../" + filepath.Base(outside) + "/secret.csv": {"without '..'"},
	} {
		_, err := seed.Load(t.Context(), fromClaim(path), seed.Options{Directory: folder})
		t.Logf("%v", err)
		expect(t, err, false, words...)
	}
	_, err := seed.Load(t.Context(), &v1alpha1.Seed{ConfigMap: &v1alpha1.ConfigMapSeed{Name: "seeds", Key: "none.csv"}}, seed.Options{Directory: folder})
	expect(t, err, false, `"none.csv" of ConfigMap "seeds"`)
}

// server answers requests in the memory of the test; so the clock of synctest governs all pauses.
type server func(attempt int, request *http.Request) (*http.Response, error)

func (s server) client() (client *http.Client, attempts *int) {
	attempts = new(int)
	return &http.Client{Transport: roundTrip(func(request *http.Request) (*http.Response, error) {
		*attempts++
		return s(*attempts, request)
	})}, attempts
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

func answer(status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

const address = "https://data.example/rows.csv?key=hush"

func TestADownloadIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, attempts := server(func(attempt int, _ *http.Request) (*http.Response, error) {
			switch attempt {
			case 1:
				return answer(http.StatusBadGateway, "")
			case 2:
				return nil, syscall.ECONNREFUSED
			case 3: // cut off in the middle
				body := io.NopCloser(io.MultiReader(strings.NewReader("a\n1"), failing{}))
				return &http.Response{StatusCode: http.StatusOK, Body: body}, nil
			}
			return answer(http.StatusOK, "a\n12\n")
		}).client()
		dataset, err := seed.Load(t.Context(), fromWeb(address), seed.Options{Client: client})
		if err != nil || *attempts != 4 || row(t, dataset, 0).Cells[0] != int64(12) {
			t.Errorf("got %v after %d attempts", err, *attempts)
		}
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestDownloadsThatFail(t *testing.T) {
	cases := []struct {
		name      string
		server    server
		attempts  int
		temporary bool
		words     []string
	}{
		{"a server that is down", func(int, *http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED }, 5, true, []string{"connection refused"}},
		{"a server that stays broken", func(int, *http.Request) (*http.Response, error) { return answer(503, "") }, 5, true, []string{"HTTP 503"}},
		{"no such page", func(int, *http.Request) (*http.Response, error) { return answer(404, "") }, 1, false, []string{"HTTP 404 Not Found", "check spec.seed.http.url"}},
		{"no right to it", func(int, *http.Request) (*http.Response, error) { return answer(403, "") }, 1, false, []string{"HTTP 403"}},
		{"a page instead of data", func(int, *http.Request) (*http.Response, error) { return answer(200, "<html>\n<a b, c>\n") }, 1, false, []string{"it is a web page"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, attempts := c.server.client()
				_, err := seed.Load(t.Context(), fromWeb(address), seed.Options{Client: client})
				expect(t, err, c.temporary, append(c.words, "at https://data.example/rows.csv")...)
				if *attempts != c.attempts {
					t.Errorf("%d attempts, want %d", *attempts, c.attempts)
				}
				if err != nil && strings.Contains(err.Error(), "hush") {
					t.Errorf("the query is shown: %v", err)
				}
			})
		})
	}
}

func TestRedirectsAreFollowedButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := server(func(_ int, request *http.Request) (*http.Response, error) {
			response, err := answer(http.StatusFound, "")
			response.Header.Set("Location", "https://data.example/rows.csv?key=hush2")
			response.Request = request
			return response, err
		}).client()
		_, err := seed.Load(t.Context(), fromWeb(address), seed.Options{Client: client})
		expect(t, err, true, "10 redirects")
		if strings.Contains(err.Error(), "hush") {
			t.Errorf("the query is shown: %v", err)
		}
	})
}

func TestAServerThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, attempts := server(func(_ int, request *http.Request) (*http.Response, error) {
			<-request.Context().Done()
			return nil, request.Context().Err()
		}).client()
		start := time.Now()
		_, err := seed.Load(t.Context(), fromWeb(address), seed.Options{Client: client})
		expect(t, err, true, "at https://data.example/rows.csv")
		if took := time.Since(start); *attempts != 5 || took > 2*time.Hour {
			t.Errorf("%d attempts took %s", *attempts, took)
		}
	})
}

func TestADownloadEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		client, attempts := server(func(int, *http.Request) (*http.Response, error) { return answer(500, "") }).client()
		_, err := seed.Load(ctx, fromWeb(address), seed.Options{Client: client})
		if failed := failure.Of(err); failed.Reason != v1alpha1.ReasonInterrupted || *attempts != 2 {
			t.Errorf("got %v after %d attempts, want an interruption after 2", err, *attempts)
		}
	})
}
