package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"seedloom.dev/seedloom/internal/hubsim"
)

// library is a hub with a repository that is read.
type library struct {
	t      *testing.T
	hub    *hubsim.Hub
	url    string
	commit string
	// waited are the pauses.
	waited []time.Duration
}

// rows are large enough for a connection to be lost in the middle.
var rows = strings.Repeat("0123456789abcdef", 200_000)

func newLibrary(t *testing.T) *library {
	t.Helper()
	hub := hubsim.New()
	server := httptest.NewServer(hub)
	t.Cleanup(server.Close)
	commit := hub.Commit("me/reviews", "main", map[string]hubsim.File{
		"README.md": {Data: []byte("# reviews\n")}, "data/a b%.csv": {Data: []byte("a\n1\n")}, "data/deep/c.csv": {Data: []byte("a\n2\n")},
		"data/rows.parquet": {Data: []byte(rows), Large: true}, "empty.csv": {},
	})
	return &library{t: t, hub: hub, url: server.URL, commit: commit}
}

func (l *library) open(token string) *Reader {
	l.t.Helper()
	reader, err := OpenReader(Source{
		Endpoint: l.url + "/", Repository: "me/reviews", Token: token, UserAgent: "tests", Transport: &http.Transport{},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = reader.Close() })
	reader.pause = func(ctx context.Context, wait time.Duration) error {
		l.waited = append(l.waited, wait)
		return ctx.Err()
	}
	return reader
}

func (l *library) file(reader *Reader, path string) Listed {
	l.t.Helper()
	list, err := reader.List(l.t.Context(), l.commit, "", true)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, one := range list {
		if one.Path == path {
			return one
		}
	}
	l.t.Fatalf("%s is not listed", path)
	return Listed{}
}

func TestRepositoriesAreListedAndRead(t *testing.T) {
	l := newLibrary(t)
	l.hub.PageEntries = 2
	reader := l.open("")
	for _, revision := range []string{"main", l.commit} {
		if commit, err := reader.Commit(t.Context(), revision); err != nil || commit != l.commit {
			t.Errorf("%s is the commit %q (%v), want %s", revision, commit, err, l.commit)
		}
	}
	for _, test := range []struct {
		folder    string
		recursive bool
		want      string
	}{
		{"", true, "README.md data/a b%.csv data/deep/c.csv data/rows.parquet empty.csv"},
		{"", false, "README.md empty.csv"},
		{"data", false, "data/a b%.csv data/rows.parquet"},
		{"data", true, "data/a b%.csv data/deep/c.csv data/rows.parquet"},
	} {
		list, err := reader.List(t.Context(), l.commit, test.folder, test.recursive)
		var names []string
		for _, one := range list {
			names = append(names, one.Path)
			var content bytes.Buffer
			if err := reader.Read(t.Context(), l.commit, one, &content); err != nil || int64(content.Len()) != one.Bytes {
				t.Errorf("%s: %d bytes (%v), listed with %d", one.Path, content.Len(), err, one.Bytes)
			}
		}
		if got := strings.Join(names, " "); err != nil || got != test.want {
			t.Errorf("%q has %q (%v), want %q", test.folder, got, err, test.want)
		}
	}
	if _, err := reader.List(t.Context(), l.commit, "none", true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if text, err := reader.ReadText(t.Context(), l.commit, l.file(reader, "README.md"), 100); err != nil || string(text) != "# reviews\n" {
		t.Errorf("the card is %q (%v)", text, err)
	}
	if _, err := reader.ReadText(t.Context(), l.commit, l.file(reader, "README.md"), 5); err == nil ||
		!strings.Contains(err.Error(), "it has 10 bytes, and at most 5 are read") {
		t.Errorf("a card that is too large: %v", err)
	}
}

// The hub leads to another host for large files, which must not see the token.
func TestFilesElsewhereAreReadWithoutTheToken(t *testing.T) {
	l := newLibrary(t)
	elsewhere := httptest.NewServer(l.hub.FileServer())
	defer elsewhere.Close()
	l.hub.FileAddress = elsewhere.URL
	reader := l.open(hubsim.Token)
	var content bytes.Buffer
	if err := reader.Read(t.Context(), l.commit, l.file(reader, "data/rows.parquet"), &content); err != nil || content.String() != rows {
		t.Fatalf("%d bytes (%v)", content.Len(), err)
	}
	asked := l.hub.Requests("FILE /")
	if len(asked) != 1 || asked[0].Authorization != "" {
		t.Errorf("the other host has got %+v", asked)
	}
	if asked = l.hub.Requests("GET /datasets/me/reviews/resolve/"); len(asked) == 0 || asked[0].Authorization != "Bearer "+hubsim.Token {
		t.Errorf("the hub has got %+v", asked)
	}
	elsewhere.Close()
	err := reader.Read(t.Context(), l.commit, l.file(reader, "data/rows.parquet"), &content)
	if problem := (*ReadError)(nil); !errors.As(err, &problem) || !problem.MayPass || strings.Contains(err.Error(), "signature") {
		t.Errorf("of a host that does not answer: %v", err)
	}
}

// losing answers requests for the large file as one may that is cut off, slow or wrong.
func (l *library) losing(answer func(http.ResponseWriter, *http.Request, int)) {
	var count atomic.Int32
	l.hub.Before = func(writer http.ResponseWriter, request *http.Request) bool {
		if !strings.HasSuffix(request.URL.Path, "rows.parquet") {
			return false
		}
		answer(writer, request, int(count.Add(1)))
		return true
	}
}

// cutOff sends some bytes of what is asked for, and loses the connection.
func cutOff(writer http.ResponseWriter, request *http.Request, count int) {
	start := 0
	if _, err := fmt.Sscanf(request.Header.Get("Range"), "bytes=%d-", &start); err == nil {
		writer.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(rows)-1, len(rows)))
	}
	writer.Header().Set("Content-Length", strconv.Itoa(len(rows)-start))
	if start > 0 {
		writer.WriteHeader(http.StatusPartialContent)
	}
	_, _ = writer.Write([]byte(rows[start:min(start+count, len(rows))])) // it may have gone
	if start+count < len(rows) {
		panic(http.ErrAbortHandler)
	}
}

func TestLostConnectionsAreTakenUpWhereTheyWere(t *testing.T) {
	l := newLibrary(t)
	reader := l.open("")
	file := l.file(reader, "data/rows.parquet")
	var asked atomic.Int32
	l.losing(func(writer http.ResponseWriter, request *http.Request, count int) {
		asked.Store(int32(count))
		if count == 2 { // which sends the whole file again
			request.Header.Del("Range")
		}
		cutOff(writer, request, 300_000)
	})
	var content bytes.Buffer
	if err := reader.Read(t.Context(), l.commit, file, &content); err != nil || content.String() != rows {
		t.Errorf("%d bytes (%v)", content.Len(), err)
	}
	// The end of what a lost connection had sent may be lost with it.
	if least, got := len(rows)/300_000+2, int(asked.Load()); got < least || got > 2*least || len(l.waited) != got-1 {
		t.Errorf("it was asked %d times with %d pauses, want about %d", got, len(l.waited), least)
	}
}

func TestFilesAreThoseThatWereListed(t *testing.T) {
	whole := func(text string) func(http.ResponseWriter, *http.Request, int) {
		return func(writer http.ResponseWriter, _ *http.Request, _ int) { _, _ = writer.Write([]byte(text)) }
	}
	for name, test := range map[string]struct {
		answer  func(http.ResponseWriter, *http.Request, int)
		want    string
		mayPass bool
	}{
		"another content": {whole(strings.Repeat("x", len(rows))), "has the digest", true},
		"more of it":      {whole(rows + "x"), "sends more than the 3200000 bytes with which it is listed", false},
		"less of it":      {whole(rows[1:]), "reading data/rows.parquet: ", true},
		"nothing of it":   {func(http.ResponseWriter, *http.Request, int) { panic(http.ErrAbortHandler) }, "the connection was closed", true},
		"another part": {func(writer http.ResponseWriter, _ *http.Request, _ int) {
			writer.Header().Set("Content-Range", fmt.Sprintf("bytes 7-%d/%d", len(rows)-1, len(rows)))
			writer.WriteHeader(http.StatusPartialContent)
		}, "sends another part of it than was asked for", true},
		"a web page that asks for a password": {func(writer http.ResponseWriter, _ *http.Request, _ int) {
			writer.WriteHeader(http.StatusForbidden)
		}, "403 Forbidden; it is gated", false},
		"a circle": {func(writer http.ResponseWriter, request *http.Request, _ int) {
			http.Redirect(writer, request, request.URL.Path, http.StatusFound)
		}, "which is not asked", false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLibrary(t)
			reader := l.open("")
			file := l.file(reader, "data/rows.parquet")
			l.losing(test.answer)
			err := reader.Read(t.Context(), l.commit, file, &bytes.Buffer{})
			problem := (*ReadError)(nil)
			if !errors.As(err, &problem) || !strings.Contains(err.Error(), test.want) || problem.MayPass != test.mayPass {
				t.Errorf("got %v (%+v)", err, problem)
			}
		})
	}
}

// stalling answers requests, and sends nothing of what it has announced.
type stalling struct{ requests int }

func (s *stalling) RoundTrip(request *http.Request) (*http.Response, error) {
	s.requests++
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(stalled{request.Context()}), Request: request}, nil
}

type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// A hub of which nothing comes is left alone after a minute each time, however large the file is.
func TestFilesOfWhichNothingComesAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := &stalling{}
		reader, err := OpenReader(Source{Endpoint: "http://hub.test", Repository: "me/reviews", Transport: hub})
		if err != nil {
			t.Fatal(err)
		}
		file := Listed{Path: "a.parquet", Bytes: 10 << 30, Digest: strings.Repeat("a", 64)}
		begin := time.Now()
		problem := (*ReadError)(nil)
		if err := reader.Read(t.Context(), strings.Repeat("c", 40), file, &bytes.Buffer{}); !errors.As(err, &problem) || !problem.MayPass {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begin); hub.requests != maxTries || took > 2*maxTries*time.Minute {
			t.Errorf("%d requests in %s", hub.requests, took)
		}
	})
}

// full is a folder without room.
type full struct{}

var errFull = errors.New("there is no room")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestReadingEndsWithWritingAndWithItsContext(t *testing.T) {
	l := newLibrary(t)
	reader := l.open("")
	file := l.file(reader, "data/rows.parquet")
	if err := reader.Read(t.Context(), l.commit, file, full{}); !errors.Is(err, errFull) || len(l.waited) > 0 {
		t.Errorf("without room: %v after %v", err, l.waited)
	}
	ctx, cancel := context.WithCancel(t.Context())
	l.losing(func(http.ResponseWriter, *http.Request, int) {
		cancel()
		panic(http.ErrAbortHandler)
	})
	if err := reader.Read(ctx, l.commit, file, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context: %v", err)
	}
}

func TestWhatReadersMayNotSeeIsSaid(t *testing.T) {
	refuse := func(status int, code string) func(http.ResponseWriter, *http.Request) bool {
		return func(writer http.ResponseWriter, _ *http.Request) bool {
			writer.Header().Set("X-Error-Code", code)
			writer.Header().Set("X-Error-Message", "no: "+hubsim.Token)
			writer.WriteHeader(status)
			return true
		}
	}
	for name, test := range map[string]struct {
		token   string
		answer  func(http.ResponseWriter, *http.Request) bool
		want    string
		mayPass bool
	}{
		"private or nothing":          {"", refuse(404, "RepoNotFound"), "private or gated and needs a token with the right to read it", false},
		"private, as hubs say it":     {"", refuse(401, "RepoNotFound"), "private or gated and needs a token", false},
		"nothing that the token sees": {hubsim.Token, refuse(404, "RepoNotFound"), "or the token may not read it", false},
		"a wrong token":               {hubsim.Token, refuse(401, ""), "401 Unauthorized: no: [token]; see that the token is right", false},
		"gated":                       {"", refuse(403, "GatedRepo"), "ask for access on URL/datasets/me/reviews, and name a token", false},
		"gated for the token":         {hubsim.Token, refuse(403, "GatedRepo"), "that the account of the token has access", false},
		"gated, with another status":  {"", refuse(401, "GatedRepo"), "it is gated: ask for access", false},
		"no such revision":            {"", nil, "Invalid rev id: other; a revision is a branch, a tag or a commit", false},
		"overload":                    {"", refuse(503, ""), "503 Service Unavailable", true},
		"no hub": {"", func(writer http.ResponseWriter, _ *http.Request) bool {
			_, _ = writer.Write([]byte("<html>"))
			return true
		}, "is not what a hub says", true},
		"a hub without a commit": {"", func(writer http.ResponseWriter, _ *http.Request) bool {
			_, _ = writer.Write([]byte(`{"sha": "../../x"}`))
			return true
		}, "does not say what its commit is", true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLibrary(t)
			reader := l.open(test.token)
			l.hub.Before = test.answer
			_, err := reader.Commit(t.Context(), "other")
			problem := (*ReadError)(nil)
			if want := strings.ReplaceAll(test.want, "URL", l.url); !errors.As(err, &problem) || !strings.Contains(err.Error(), want) ||
				problem.MayPass != test.mayPass || test.token != "" && strings.Contains(err.Error(), test.token) {
				t.Errorf("got %v", err)
			}
			if IsNoCommit(err) != (name == "no such revision") {
				t.Errorf("IsNoCommit of %v", err)
			}
		})
	}
}

func TestHostileListingsEnd(t *testing.T) {
	var stolen atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer thief.Close()
	entry := func(path, digest string, size int) string {
		return fmt.Sprintf(`[{"type":"file","path":%q,"size":%d,"oid":%q}]`, path, size, digest)
	}
	digest := strings.Repeat("a", 40)
	for name, test := range map[string]struct{ body, next, want string }{
		"pages without end":     {`[]`, "/api/datasets/me/reviews/tree/x?cursor=", "more than 50 pages"},
		"pages elsewhere":       {`[]`, thief.URL + "/", "the next page is not on"},
		"a path out of it":      {entry("../../etc/passwd", digest, 1), "", "which is no file"},
		"a path from the root":  {entry("/etc/passwd", digest, 1), "", "which is no file"},
		"a path of dots":        {entry("a/../b.csv", digest, 1), "", "which is no file"},
		"a file without digest": {entry("a.csv", "", 1), "", "which is no file"},
		"a file that is less":   {entry("a.csv", digest, -1), "", "which is no file"},
		"no list":               {`{"a": 1}`, "", "is not what a hub says"},
		"too many paths": {"[" + strings.TrimSuffix(strings.Repeat(strings.Trim(entry(strings.Repeat("p", 900), digest, 1), "[]")+",", 1200), ",") +
			"]", "/api/datasets/me/reviews/tree/x?cursor=", "name a folder in paths"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLibrary(t)
			var page atomic.Int32
			l.hub.Before = func(writer http.ResponseWriter, _ *http.Request) bool {
				if number := page.Add(1); test.next != "" {
					writer.Header().Set("Link", fmt.Sprintf(`<%s%d>; rel="next"`, test.next, number))
				}
				_, _ = writer.Write([]byte(test.body))
				return true
			}
			reader := l.open(hubsim.Token)
			reader.maxListed, reader.pages = 4<<20, 50
			if _, err := reader.List(t.Context(), l.commit, "", true); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
			if stolen.Load() > 0 {
				t.Error("another host was asked")
			}
		})
	}
}

func TestSourcesThatAreNone(t *testing.T) {
	for name, test := range map[string]struct {
		source Source
		want   string
	}{
		"no address": {Source{Endpoint: "hub"}, "is not one of http:// or https://"},
		"no token":   {Source{Endpoint: "http://hub", Token: "a\nb"}, "has characters in it that no token has"},
	} {
		if _, err := OpenReader(test.source); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "a\nb") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
