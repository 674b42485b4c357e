// Package hubsim is a stand-in for a Hugging Face hub in tests: dataset repositories with branches and commits, and a store of large files.
// It speaks as much of the protocol as huggingface_hub and datasets need; it keeps all in memory, and is not for anything but tests.
package hubsim

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // it is what git names its objects by
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Token is the token of the owner "me".
const Token = "hf_goodTokenOfMe"

// Owner is whose token it is.
const Owner = "me"

// Hub is a hub. Its fields are set before the first request.
type Hub struct {
	// PartBytes is how large the parts of an upload are; 0 uploads files as a whole.
	PartBytes int
	// PageEntries is how many files a page of a listing has; 0 stands for all.
	PageEntries int
	// Before is asked before each request, and may answer it itself, which it then says. It may be nil.
	Before func(http.ResponseWriter, *http.Request) (answered bool)
	// After is asked after each request, and may lose its answer by panicking with http.ErrAbortHandler. It may be nil.
	After func(*http.Request)
	// UploadAddress is where files are uploaded, and FileAddress where large ones are read, where that is another host than the hub's, such as
	// FileServer is.
	UploadAddress, FileAddress string

	mutex sync.Mutex
	repos map[string]*repo
	// large are the files in the store of large files by their digests, and parts those that are being uploaded.
	large map[string][]byte
	parts map[string]map[int][]byte
	log   []Request
}

// Request is a request that was made.
type Request struct {
	Method, Path, Authorization, Body string
}

type repo struct {
	private  bool
	branches map[string]string
	commits  map[string]map[string]File
	order    []string
}

// File is a file in a repository.
type File struct {
	Data []byte
	// Large says that it is in the store of large files.
	Large bool
}

// New returns an empty hub.
func New() *Hub {
	return &Hub{repos: map[string]*repo{}, large: map[string][]byte{}, parts: map[string]map[int][]byte{}}
}

// Create makes a repository with files in its branch main.
func (h *Hub) Create(name string, private bool, files map[string]string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.create(name, private)
	content := map[string]File{".gitattributes": {Data: []byte("*.parquet filter=lfs\n")}}
	for path, text := range files {
		content[path] = File{Data: []byte(text)}
	}
	h.repos[name].commit("main", content)
}

// Commit makes a commit with nothing but some files, and returns its name. The repository and the branch are created where they are not
// there.
func (h *Hub) Commit(name, branch string, files map[string]File) string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.repos[name] == nil {
		h.create(name, false)
	}
	return h.repos[name].commit(branch, maps.Clone(files))
}

// FileServer serves the large files to which FileAddress leads.
func (h *Hub) FileServer() http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		h.log = append(h.log, Request{"FILE", request.URL.Path, request.Header.Get("Authorization"), request.Header.Get("Range")})
		for _, found := range h.repos {
			for _, files := range found.commits {
				for _, file := range files {
					if file.Large && "/"+digestOf(file) == request.URL.Path {
						http.ServeContent(writer, request, "", time.Time{}, bytes.NewReader(file.Data))
						return
					}
				}
			}
		}
		http.NotFound(writer, request)
	})
}

func (h *Hub) create(name string, private bool) {
	h.repos[name] = &repo{private: private, branches: map[string]string{}, commits: map[string]map[string]File{}}
	h.repos[name].commit("main", map[string]File{".gitattributes": {Data: []byte("*.parquet filter=lfs\n")}})
}

func (r *repo) commit(branch string, files map[string]File) string {
	sum := sha1.Sum(fmt.Appendf(nil, "%s %d %v", branch, len(r.order), slices.Sorted(maps.Keys(files)))) //nolint:gosec // as git
	name := hex.EncodeToString(sum[:])
	r.branches[branch], r.commits[name], r.order = name, files, append(r.order, name)
	return name
}

// Files are the files in a branch; nil where there is none.
func (h *Hub) Files(name, branch string) map[string]File {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	found := h.repos[name]
	if found == nil {
		return nil
	}
	return maps.Clone(found.commits[found.branches[branch]])
}

// Head is the commit of a branch.
func (h *Hub) Head(name, branch string) string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if found := h.repos[name]; found != nil {
		return found.branches[branch]
	}
	return ""
}

// Commits counts the commits of a repository, those among them with which the hub began it.
func (h *Hub) Commits(name string) int {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if found := h.repos[name]; found != nil {
		return len(found.order)
	}
	return 0
}

// IsPrivate says whether a repository is private.
func (h *Hub) IsPrivate(name string) bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.repos[name].private
}

// Requests are the requests so far of which the method and the path begin so, such as "PUT /lfs/".
func (h *Hub) Requests(prefix string) (found []Request) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for _, one := range h.log {
		if strings.HasPrefix(one.Method+" "+one.Path, prefix) {
			found = append(found, one)
		}
	}
	return found
}

// answer writes a JSON document.
func answer(writer http.ResponseWriter, status int, document any) {
	data, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(status)
	_, _ = writer.Write(data)
}

// refuse answers as a hub does that says no.
func refuse(writer http.ResponseWriter, status int, code, text string) {
	if code != "" {
		writer.Header().Set("X-Error-Code", code)
	}
	writer.Header().Set("X-Error-Message", text)
	answer(writer, status, map[string]string{"error": text})
}

// digestOf is the name of a file in the store of large files, or in git.
func digestOf(file File) string {
	if file.Large {
		sum := sha256.Sum256(file.Data)
		return hex.EncodeToString(sum[:])
	}
	return gitDigest(file.Data)
}

// gitDigest is the name of a content in git.
func gitDigest(data []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...)) //nolint:gosec // as git
	return hex.EncodeToString(sum[:])
}
