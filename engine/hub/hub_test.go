package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/allowlist"
	"seedloom.dev/seedloom/internal/hubsim"
)

const testCard = "---\ntags:\n- synthetic\n- seedloom\n---\n# reviews\n"

func fileOf(path, text string) File {
	sum := sha256.Sum256([]byte(text))
	return File{
		Path: path, Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:]), Read: func() ([]byte, error) { return []byte(text), nil },
	}
}

func testContent(texts ...string) *Content {
	content := &Content{Message: "a dataset", Card: fileOf("README.md", testCard), Folders: []string{"rows", "images"}}
	for i, text := range texts {
		content.Files = append(content.Files, fileOf(fmt.Sprintf("rows/%d.parquet", i), text))
	}
	return content
}

// trial is a hub and what is published in it.
type trial struct {
	t      *testing.T
	hub    *hubsim.Hub
	url    string
	target Target
	config Config
	// waited are the pauses.
	mutex  sync.Mutex
	waited []time.Duration
}

func newTrial(t *testing.T) *trial {
	hub := hubsim.New()
	server := httptest.NewServer(hub)
	t.Cleanup(server.Close)
	return &trial{t: t, hub: hub, url: server.URL, target: Target{
		Endpoint: server.URL, Repository: "me/reviews", Branch: "main", Private: true, Token: hubsim.Token,
	}}
}

func (r *trial) publish(ctx context.Context, content *Content) (*Result, error) {
	c, err := newClient(r.config, r.target)
	if err != nil {
		return nil, err
	}
	defer c.http.CloseIdleConnections()
	c.pause = func(ctx context.Context, wait time.Duration) error {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.waited = append(r.waited, wait)
		return ctx.Err()
	}
	result, err := c.publish(ctx, content)
	if err != nil && strings.Contains(err.Error(), r.target.Token) {
		r.t.Errorf("the error has the token: %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "signature") {
		r.t.Errorf("the error has a signed address: %v", err)
	}
	return result, err
}

func (r *trial) mustPublish(content *Content) *Result {
	r.t.Helper()
	result, err := r.publish(r.t.Context(), content)
	if err != nil {
		r.t.Fatal(err)
	}
	return result
}

// holds makes sure that the branch holds the content, and nothing else but what is named.
func (r *trial) holds(content *Content, others ...string) {
	r.t.Helper()
	files := r.hub.Files(r.target.Repository, r.target.Branch)
	want := append([]string{".gitattributes"}, others...)
	for _, file := range append(slices.Clone(content.Files), content.Card) {
		want = append(want, file.Path)
		data, _ := file.Read()
		if string(files[file.Path].Data) != string(data) {
			r.t.Errorf("%s holds %q, want %q", file.Path, files[file.Path].Data, data)
		}
	}
	var got []string
	for name := range files {
		got = append(got, name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.t.Errorf("the repository holds %q, want %q", got, want)
	}
}

func TestPublishing(t *testing.T) {
	for name, parts := range map[string]int{"files as a whole": 0, "files in parts": 3} {
		t.Run(name, func(t *testing.T) {
			trial := newTrial(t)
			trial.hub.PartBytes, trial.hub.PageEntries = parts, 2
			content := testContent("PAR1 one", "PAR1 two", "PAR1 three", "")
			result := trial.mustPublish(content)
			trial.holds(content)
			if !trial.hub.IsPrivate("me/reviews") {
				t.Error("the repository is public")
			}
			if result.Address != trial.url+"/datasets/me/reviews" || result.Commit != trial.hub.Head("me/reviews", "main") || result.Uploaded != 5 {
				t.Errorf("got %+v", result)
			}

			commits, uploads := trial.hub.Commits("me/reviews"), len(trial.hub.Requests("PUT /lfs/"))
			again := trial.mustPublish(content)
			if trial.hub.Commits("me/reviews") != commits || len(trial.hub.Requests("PUT /lfs/")) != uploads {
				t.Error("the same content was committed or sent again")
			}
			if again.Commit != result.Commit || again.Uploaded != 0 || again.Kept != 5 {
				t.Errorf("got %+v", again)
			}

			shorter := testContent("PAR1 one", "PAR1 other")
			third := trial.mustPublish(shorter)
			trial.holds(shorter)
			if third.Uploaded != 1 || third.Removed != 2 || third.Kept != 2 || trial.hub.Commits("me/reviews") != commits+1 {
				t.Errorf("got %+v", third)
			}
		})
	}
}

func TestPublishingLeavesWhatIsNotItsOwn(t *testing.T) {
	trial := newTrial(t)
	trial.hub.Create("me/reviews", true, map[string]string{"README.md": testCard, "notes.md": "mine", "rows/old.parquet": "old"})
	content := testContent("PAR1 one")
	trial.mustPublish(content)
	trial.holds(content, "notes.md")
}

func TestPublishingIntoAnotherBranch(t *testing.T) {
	trial := newTrial(t)
	trial.hub.Create("me/reviews", true, nil)
	before := trial.hub.Head("me/reviews", "main")
	trial.target.Branch = "v1.0"
	trial.mustPublish(testContent("PAR1 one"))
	trial.holds(testContent("PAR1 one"))
	if trial.hub.Head("me/reviews", "main") != before {
		t.Error("the branch main has changed")
	}
}

// TestRefusals are publications that can't be: each is refused with what to do, and leaves the repository as it is.
func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*trial)
		says    string
	}{
		"a wrong token": {func(r *trial) { r.target.Token = "hf_wrong" }, "see that the token is right"},
		"a token with a line end": {
			func(r *trial) { r.target.Token = hubsim.Token + "\n" }, "has characters in it that no token has",
		},
		"the namespace of another": {
			func(r *trial) { r.target.Repository = "others/reviews" }, "You don't have the rights to create a dataset",
		},
		"the public repository of another": {func(r *trial) {
			r.target.Repository, r.target.Private = "others/reviews", false
			r.hub.Create("others/reviews", false, map[string]string{"README.md": testCard})
		}, "see that the token may write to others/reviews"},
		"a dataset that was not published from here": {
			func(r *trial) {
				r.hub.Create("me/reviews", true, map[string]string{"README.md": "# by hand\n- seedloom\n"})
			},
			"holds something that Seedloom has not published",
		},
		"files without a card": {
			func(r *trial) { r.hub.Create("me/reviews", true, map[string]string{"data.csv": "a,b"}) },
			"holds something that Seedloom has not published",
		},
		"a public repository for what is to be private": {
			func(r *trial) { r.hub.Create("me/reviews", false, nil) }, "is public, and the dataset is to be private",
		},
		"a hub of another scheme": {func(r *trial) { r.target.Endpoint = "ftp://hub.example" }, "is not one of http:// or https://"},
	} {
		t.Run(name, func(t *testing.T) {
			trial := newTrial(t)
			test.prepare(trial)
			before := trial.hub.Head(trial.target.Repository, "main")
			_, err := trial.publish(t.Context(), testContent("PAR1 one"))
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("got %v, want %q", err, test.says)
			}
			if problem := failure.Of(err); problem.Reason != v1alpha1.ReasonPublicationRefused || problem.Temporary {
				t.Errorf("the reason is %s (temporary: %t)", problem.Reason, problem.Temporary)
			}
			if len(trial.waited) > 0 {
				t.Errorf("it was tried again: %v", trial.waited)
			}
			if trial.hub.Head(trial.target.Repository, "main") != before {
				t.Error("something was committed")
			}
		})
	}
}

// TestWhatPasses are troubles of a hub that end: the dataset is there afterwards, by one commit.
func TestWhatPasses(t *testing.T) {
	first := func(prefix string, times int64, do http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
		var seen atomic.Int64
		return func(writer http.ResponseWriter, request *http.Request) bool {
			if !strings.HasPrefix(request.Method+" "+request.URL.Path, prefix) || seen.Add(1) > times {
				return false
			}
			do(writer, request)
			return true
		}
	}
	status := func(code int, header ...string) http.HandlerFunc {
		return func(writer http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				writer.Header().Set(header[i], header[i+1])
			}
			writer.WriteHeader(code)
		}
	}
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, before := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"too many requests":                      first("GET /api/", 3, status(429, "Retry-After", "7")),
		"failures of the hub":                    first("POST /api/datasets/me/reviews/preupload", 3, status(500)),
		"a commit that fails":                    first("POST /api/datasets/me/reviews/commit", 2, status(503)),
		"an upload that is cut off":              first("PUT /lfs/", 3, cut),
		"an address of an upload that has ended": first("PUT /lfs/", 2, status(403)),
		"a verification that fails":              first("POST /lfs-verify", 2, status(502)),
		"a connection that is cut off":           first("POST /datasets/", 2, cut),
	} {
		t.Run(name, func(t *testing.T) {
			trial := newTrial(t)
			trial.hub.Before = before
			content := testContent("PAR1 one", "PAR1 two", "PAR1 three", "PAR1 four", "PAR1 five")
			trial.mustPublish(content)
			trial.holds(content)
			if commits := trial.hub.Commits("me/reviews"); commits != 2 {
				t.Errorf("there are %d commits, want that of the hub and ours", commits)
			}
			if strings.Contains(name, "too many") && (len(trial.waited) == 0 || trial.waited[0] != 7*time.Second) {
				t.Errorf("waited for %v, want what the hub asks for", trial.waited)
			}
		})
	}
}

// TestACommitWhoseAnswerIsLost is not made again.
func TestACommitWhoseAnswerIsLost(t *testing.T) {
	trial := newTrial(t)
	var lost atomic.Bool
	trial.hub.After = func(request *http.Request) {
		if strings.Contains(request.URL.Path, "/commit/") && !lost.Swap(true) {
			panic(http.ErrAbortHandler)
		}
	}
	content := testContent("PAR1 one", "PAR1 two")
	result := trial.mustPublish(content)
	trial.holds(content)
	if commits := trial.hub.Commits("me/reviews"); commits != 2 || result.Commit != trial.hub.Head("me/reviews", "main") {
		t.Errorf("there are %d commits, and the result is %+v", commits, result)
	}
}

// TestACommitOfAnotherMeanwhile is kept, and ours is made on it.
func TestACommitOfAnotherMeanwhile(t *testing.T) {
	trial := newTrial(t)
	var done atomic.Bool
	trial.hub.Before = func(_ http.ResponseWriter, request *http.Request) bool {
		if strings.Contains(request.URL.Path, "/commit/") && !done.Swap(true) {
			trial.hub.Create("me/reviews", true, map[string]string{"notes.md": "of another"})
		}
		return false
	}
	content := testContent("PAR1 one")
	trial.mustPublish(content)
	trial.holds(content, "notes.md")
}

// TestAnUploadThatWasCutOffGoesOn sends what is there already only once.
func TestAnUploadThatWasCutOffGoesOn(t *testing.T) {
	trial := newTrial(t)
	ctx, cancel := context.WithCancel(t.Context())
	var sent atomic.Int64
	trial.hub.After = func(request *http.Request) {
		if request.Method == http.MethodPut && sent.Add(1) == 3 {
			cancel()
		}
	}
	var texts []string
	for i := range 12 {
		texts = append(texts, fmt.Sprintf("PAR1 %d", i))
	}
	content := testContent(texts...)
	_, err := trial.publish(ctx, content)
	if failure.Of(err) == nil || failure.Of(err).Reason != v1alpha1.ReasonInterrupted {
		t.Fatalf("got %v", err)
	}
	if trial.hub.Commits("me/reviews") != 1 {
		t.Error("half of the dataset was committed")
	}
	there := len(trial.hub.Requests("PUT /lfs/"))
	trial.mustPublish(content)
	trial.holds(content)
	if all := len(trial.hub.Requests("PUT /lfs/")); there < 3 || all > 13+1 {
		t.Errorf("%d files were sent at first, and %d in all, of 12", there, all)
	}
}

// TestTroublesThatDoNotPass end in a failure that says what it is, after several tries.
func TestTroublesThatDoNotPass(t *testing.T) {
	html := func(writer http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(writer, "<html>welcome</html>")
		return true
	}
	on := func(part, answer string) func(http.ResponseWriter, *http.Request) bool {
		return func(writer http.ResponseWriter, request *http.Request) bool {
			if !strings.Contains(request.URL.Path, part) {
				return false
			}
			_, _ = io.WriteString(writer, answer)
			return true
		}
	}
	for name, test := range map[string]struct {
		before func(http.ResponseWriter, *http.Request) bool
		says   string
	}{
		"a page of another program": {html, "is not what a hub says"},
		"no commit":                 {on("/revision/", `{"sha":"../../etc"}`), "does not say what its commit is"},
		"no way to send":            {on("/preupload/", `{"files":[]}`), "is not what a hub says"},
		"no place to send":          {on("/objects/batch", `{"objects":[null]}`), "does not say"},
		"a place that is none": {
			on("/objects/batch", `{"objects":[{"oid":"`+fileOf("", "PAR1 one").SHA256+`","size":8,"actions":{"upload":{"href":"::"}}}]}`),
			"has named an address that is none",
		},
		"a commit without a name": {on("/commit/", `{"commitOid":"a b"}`), "does not say which commit"},
		"an answer without an end": {func(writer http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.WriteString(writer, "["+strings.Repeat(" ", maxAnswer+1))
			return true
		}, "has more than"},
		"failures without an end": {func(writer http.ResponseWriter, _ *http.Request) bool {
			writer.Header().Set("X-Error-Message", "broken by "+hubsim.Token+"\r\nand more")
			writer.WriteHeader(http.StatusInternalServerError)
			return true
		}, "500 Internal Server Error: broken by [token]"},
		"a wish to wait for a day": {func(writer http.ResponseWriter, _ *http.Request) bool {
			writer.Header().Set("Retry-After", "86400")
			writer.WriteHeader(http.StatusTooManyRequests)
			return true
		}, "429 Too Many Requests"},
	} {
		t.Run(name, func(t *testing.T) {
			trial := newTrial(t)
			trial.hub.Before = test.before
			_, err := trial.publish(t.Context(), testContent("PAR1 one"))
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("got %v, want %q", err, test.says)
			}
			if problem := failure.Of(err); problem.Reason != v1alpha1.ReasonPublicationFailed || !problem.Temporary {
				t.Errorf("the reason is %s (temporary: %t)", problem.Reason, problem.Temporary)
			}
		})
	}
}

// TestARefusalWithoutWords says what to do, and nothing that the hub has not said.
func TestARefusalWithoutWords(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusUnauthorized: "401 Unauthorized; see that the token is right, and may write",
		http.StatusForbidden:    "403 Forbidden; see that the token may write to me/reviews",
	} {
		trial := newTrial(t)
		trial.hub.Before = func(writer http.ResponseWriter, _ *http.Request) bool {
			writer.WriteHeader(status)
			return true
		}
		if _, err := trial.publish(t.Context(), testContent("PAR1 one")); err == nil || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestARefusalEndsTheUpload asks no further, once the hub has said no.
func TestARefusalEndsTheUpload(t *testing.T) {
	trial := newTrial(t)
	trial.hub.Before = func(writer http.ResponseWriter, request *http.Request) bool {
		if !strings.HasSuffix(request.URL.Path, "/objects/batch") {
			return false
		}
		status := http.StatusForbidden
		if len(trial.hub.Requests("POST /datasets/")) > 1 {
			status = http.StatusInternalServerError
		}
		writer.WriteHeader(status)
		return true
	}
	texts := make([]string, batchFiles+1)
	for i := range texts {
		texts[i] = fmt.Sprintf("PAR1 %d", i)
	}
	_, err := trial.publish(t.Context(), testContent(texts...))
	if failure.Of(err) == nil || failure.Of(err).Reason != v1alpha1.ReasonPublicationRefused {
		t.Errorf("got %v", err)
	}
	if asked := len(trial.hub.Requests("POST /datasets/")); asked != 1 {
		t.Errorf("it was asked %d times where to send the files", asked)
	}
}

// TestWhatAHubNamesOddlyStays lists files by paths that no repository has.
func TestWhatAHubNamesOddlyStays(t *testing.T) {
	now := &state{files: map[string]entry{}}
	for _, name := range []string{"/rows/old.parquet", "/", "", "rows", "rowsheet/a", "rows/of/old.parquet"} {
		now.files[name] = entry{Type: "file", Path: name}
	}
	found, err := now.changesTo(testContent())
	if err != nil || !slices.Equal(found.removed, []string{"rows/of/old.parquet"}) {
		t.Errorf("%q are removed (%v), want what is below the folder rows", found.removed, err)
	}
}

// TestTheTokenGoesNowhereElse leads requests with the token, and files, to another host.
func TestTheTokenGoesNowhereElse(t *testing.T) {
	var tokens, asked atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		asked.Add(1)
		if request.Header.Get("Authorization") != "" {
			tokens.Add(1)
		}
	}))
	defer thief.Close()
	t.Run("by a redirect", func(t *testing.T) {
		for _, code := range []int{301, 302, 307, 308} {
			trial := newTrial(t)
			trial.hub.Before = func(writer http.ResponseWriter, request *http.Request) bool {
				http.Redirect(writer, request, thief.URL+request.URL.Path, code)
				return true
			}
			_, err := trial.publish(t.Context(), testContent("PAR1 one"))
			if err == nil || !strings.Contains(err.Error(), "which is not asked") {
				t.Errorf("%d: got %v", code, err)
			}
		}
		if asked.Load() > 0 {
			t.Error("the other host was asked")
		}
	})
	t.Run("by the next page", func(t *testing.T) {
		trial := newTrial(t)
		trial.hub.Before = func(writer http.ResponseWriter, request *http.Request) bool {
			if strings.Contains(request.URL.Path, "/tree/") {
				writer.Header().Set("Link", "<"+thief.URL+`/page>; rel="next"`)
			}
			return false
		}
		_, err := trial.publish(t.Context(), testContent("PAR1 one"))
		if err == nil || !strings.Contains(err.Error(), "the next page is not on") || asked.Load() > 0 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("by a place for files inside", func(t *testing.T) {
		trial := newTrial(t)
		trial.hub.UploadAddress = thief.URL
		_, err := trial.publish(t.Context(), testContent("PAR1 one"))
		if failure.Of(err) == nil || failure.Of(err).Reason != v1alpha1.ReasonEndpointNotAllowed || asked.Load() > 0 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("by a place for files that is allowed", func(t *testing.T) {
		trial := newTrial(t)
		trial.hub.UploadAddress, trial.config.Allowed = thief.URL, connection.LocalNetworks()
		_, err := trial.publish(t.Context(), testContent("PAR1 one"))
		if err == nil || asked.Load() == 0 || tokens.Load() > 0 {
			t.Errorf("asked %d times, with %d tokens: %v", asked.Load(), tokens.Load(), err)
		}
	})
}

// TestARepositoryWithAnotherName is found where the hub leads to it.
func TestARepositoryWithAnotherName(t *testing.T) {
	trial := newTrial(t)
	trial.hub.Create("me/new", true, nil)
	trial.hub.Before = func(writer http.ResponseWriter, request *http.Request) bool {
		if !strings.Contains(request.URL.Path, "me/reviews") {
			return false
		}
		http.Redirect(writer, request, strings.Replace(request.URL.String(), "me/reviews", "me/new", 1), http.StatusTemporaryRedirect)
		return true
	}
	trial.mustPublish(testContent("PAR1 one"))
	trial.target.Repository = "me/new"
	trial.holds(testContent("PAR1 one"))
}

// TestAllowedEndpoints refuses a hub that is not listed.
func TestAllowedEndpoints(t *testing.T) {
	trial := newTrial(t)
	list, err := allowlist.Parse([]string{"hub.example"})
	if err != nil {
		t.Fatal(err)
	}
	trial.config.Endpoints = connection.NewEndpoints(list, func(string) string { return "" })
	_, err = trial.publish(t.Context(), testContent("PAR1 one"))
	if failure.Of(err) == nil || failure.Of(err).Reason != v1alpha1.ReasonEndpointNotAllowed || len(trial.hub.Requests("")) > 0 {
		t.Errorf("got %v after %d requests", err, len(trial.hub.Requests("")))
	}
}

// TestAFileThatIsDamaged is not published.
func TestAFileThatIsDamaged(t *testing.T) {
	trial := newTrial(t)
	content := testContent("PAR1 one", "PAR1 two")
	content.Files[1].Read = func() ([]byte, error) { return []byte("PAR1 tw0"), nil }
	_, err := trial.publish(t.Context(), content)
	if failure.Of(err) == nil || failure.Of(err).Reason != v1alpha1.ReasonStorageFailed || trial.hub.Commits("me/reviews") != 1 {
		t.Errorf("got %v", err)
	}
	lost := errors.New("the volume is gone")
	content.Files[1].Read = func() ([]byte, error) { return nil, lost }
	if _, err = trial.publish(t.Context(), content); !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
}
