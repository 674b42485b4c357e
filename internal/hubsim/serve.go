package hubsim

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	batchPath   = regexp.MustCompile(`^/datasets/([^/]+/[^/]+)\.git/info/lfs/objects/batch$`)
	apiPath     = regexp.MustCompile(`^/api/datasets/([^/]+/[^/]+)(?:/(.*))?$`)
	resolvePath = regexp.MustCompile(`^/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.*)$`)
)

// ServeHTTP implements http.Handler.
func (h *Hub) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	h.mutex.Lock()
	h.log = append(h.log, Request{request.Method, request.URL.Path, request.Header.Get("Authorization"), string(body)})
	h.mutex.Unlock()
	if h.Before != nil && h.Before(writer, request) {
		return
	}
	h.serve(writer, request, body)
	if h.After != nil {
		h.After(request)
	}
}

func (h *Hub) serve(writer http.ResponseWriter, request *http.Request, body []byte) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	path := request.URL.Path
	authorized := request.Header.Get("Authorization") == "Bearer "+Token
	switch {
	case strings.HasPrefix(path, "/lfs/") && request.Method == http.MethodPut:
		h.putLarge(writer, path, body)
		return
	case strings.HasPrefix(path, "/complete/"):
		h.complete(writer, strings.TrimPrefix(path, "/complete/"), body)
		return
	case request.Header.Get("Authorization") != "" && !authorized:
		refuse(writer, http.StatusUnauthorized, "", "Invalid credentials in Authorization header")
		return
	}
	batch, api, resolve := batchPath.FindStringSubmatch(path), apiPath.FindStringSubmatch(path), resolvePath.FindStringSubmatch(path)
	switch {
	case path == "/api/whoami-v2" && authorized:
		answer(writer, http.StatusOK, map[string]any{
			"type": "user", "name": Owner, "orgs": []string{}, "auth": map[string]any{"accessToken": map[string]string{"role": "write"}},
		})
	case path == "/api/repos/create":
		h.createRepository(writer, authorized, body)
	case path == "/api/validate-yaml":
		answer(writer, http.StatusOK, map[string]any{"errors": []string{}, "warnings": []string{}})
	case path == "/lfs-verify":
		h.verify(writer, body)
	case batch != nil:
		h.batch(writer, request, batch[1], authorized, body)
	case api != nil:
		h.api(writer, request, api[1], api[2], authorized, body)
	case resolve != nil:
		h.resolve(writer, request, resolve, authorized)
	default:
		refuse(writer, http.StatusNotFound, "", "no such page")
	}
}

func (h *Hub) createRepository(writer http.ResponseWriter, authorized bool, body []byte) {
	var wanted struct{ Name, Organization, Visibility string }
	if json.Unmarshal(body, &wanted) != nil || !authorized || wanted.Organization != "" && wanted.Organization != Owner {
		refuse(writer, http.StatusForbidden, "",
			"You don't have the rights to create a dataset under the namespace \""+wanted.Organization+"\"")
		return
	}
	name := Owner + "/" + wanted.Name
	if h.repos[name] != nil {
		answer(writer, http.StatusConflict, map[string]string{"error": "You already created this dataset repo", "url": name})
		return
	}
	h.create(name, wanted.Visibility == "private")
	answer(writer, http.StatusOK, map[string]string{"url": "/datasets/" + name, "name": name, "id": "1"})
}

// visible returns a repository that a request may see, or answers it.
func (h *Hub) visible(writer http.ResponseWriter, name string, authorized bool) *repo {
	found := h.repos[name]
	if found == nil || found.private && (!authorized || !strings.HasPrefix(name, Owner+"/")) {
		refuse(writer, http.StatusNotFound, "RepoNotFound", "Repository not found")
		return nil
	}
	return found
}

// writable is visible for a request that changes something.
func (h *Hub) writable(writer http.ResponseWriter, name string, authorized bool) *repo {
	found := h.visible(writer, name, authorized)
	if found != nil && (!authorized || !strings.HasPrefix(name, Owner+"/")) {
		refuse(writer, http.StatusForbidden, "", "Forbidden: you must have write access to "+name)
		return nil
	}
	return found
}

func (h *Hub) api(writer http.ResponseWriter, request *http.Request, name, rest string, authorized bool, body []byte) {
	verb, argument, _ := strings.Cut(rest, "/")
	changes := verb == "preupload" || verb == "commit" || verb == "branch"
	look := h.visible
	if changes {
		look = h.writable
	}
	found := look(writer, name, authorized)
	if found == nil {
		return
	}
	switch verb {
	case "", "revision":
		h.info(writer, found, name, argument)
	case "tree":
		h.tree(writer, request, found, argument)
	case "paths-info":
		h.pathsInfo(writer, request, found, argument, body)
	case "refs":
		branches := []map[string]string{}
		for branch, commit := range found.branches {
			branches = append(branches, map[string]string{"name": branch, "ref": "refs/heads/" + branch, "targetCommit": commit})
		}
		answer(writer, http.StatusOK, map[string]any{"branches": branches, "tags": []string{}, "converts": []string{}})
	case "branch":
		if found.branches[argument] != "" {
			refuse(writer, http.StatusConflict, "", "Reference already exists")
			return
		}
		found.branches[argument] = found.branches["main"]
		answer(writer, http.StatusOK, map[string]string{})
	case "preupload":
		h.preupload(writer, body)
	case "commit":
		h.commit(writer, request, found, name, argument, body)
	default:
		refuse(writer, http.StatusNotFound, "", "no such page")
	}
}

// at is the content of a branch or commit.
func (r *repo) at(revision string) (files map[string]File, commit string) {
	if revision == "" {
		revision = "main"
	}
	if head := r.branches[revision]; head != "" {
		revision = head
	}
	return r.commits[revision], revision
}

func (h *Hub) info(writer http.ResponseWriter, found *repo, name, revision string) {
	files, commit := found.at(revision)
	if files == nil {
		refuse(writer, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+revision)
		return
	}
	siblings := []map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		siblings = append(siblings, map[string]string{"rfilename": path})
	}
	answer(writer, http.StatusOK, map[string]any{
		"_id": "1", "id": name, "sha": commit, "lastModified": "2026-01-01T00:00:00.000Z", "private": found.private, "tags": []string{},
		"siblings": siblings,
	})
}

func entryOf(path string, file File) map[string]any {
	entry := map[string]any{"type": "file", "path": path, "size": len(file.Data), "oid": gitDigest(file.Data)}
	if file.Large {
		entry["lfs"] = map[string]any{"oid": digestOf(file), "size": len(file.Data), "pointerSize": 130}
	}
	return entry
}

func (h *Hub) tree(writer http.ResponseWriter, request *http.Request, found *repo, argument string) {
	revision, folder, _ := strings.Cut(argument, "/")
	files, _ := found.at(revision)
	if files == nil {
		refuse(writer, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+revision)
		return
	}
	recursive := strings.EqualFold(request.URL.Query().Get("recursive"), "true")
	if folder != "" {
		folder += "/"
	}
	entries, folders := []map[string]any{}, map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		rest, below := strings.CutPrefix(path, folder)
		if !below {
			continue
		}
		if inner, _, deeper := strings.Cut(rest, "/"); deeper {
			if inner = folder + inner; !folders[inner] {
				folders[inner] = true
				entries = append(entries, map[string]any{"type": "directory", "path": inner, "oid": strings.Repeat("d", 40), "size": 0})
			}
			if !recursive {
				continue
			}
		}
		entries = append(entries, entryOf(path, files[path]))
	}
	if len(entries) == 0 && folder != "" {
		refuse(writer, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	start, _ := strconv.Atoi(request.URL.Query().Get("cursor"))
	if start = min(start, len(entries)); h.PageEntries > 0 && start+h.PageEntries < len(entries) {
		next := *request.URL
		values := next.Query()
		values.Set("cursor", strconv.Itoa(start+h.PageEntries))
		next.RawQuery = values.Encode()
		writer.Header().Set("Link", fmt.Sprintf(`<http://%s%s>; rel="next"`, request.Host, next.String()))
		entries = entries[:start+h.PageEntries]
	}
	answer(writer, http.StatusOK, entries[start:])
}

func (h *Hub) pathsInfo(writer http.ResponseWriter, request *http.Request, found *repo, revision string, body []byte) {
	var paths []string
	if strings.Contains(request.Header.Get("Content-Type"), "json") {
		var asked struct{ Paths []string }
		_ = json.Unmarshal(body, &asked) // no paths else
		paths = asked.Paths
	} else if values, err := url.ParseQuery(string(body)); err == nil {
		paths = values["paths"]
	}
	files, _ := found.at(revision)
	entries := []map[string]any{}
	for _, path := range paths {
		if file, is := files[path]; is {
			entries = append(entries, entryOf(path, file))
		} else if slices.ContainsFunc(slices.Collect(maps.Keys(files)), func(name string) bool { return strings.HasPrefix(name, path+"/") }) {
			entries = append(entries, map[string]any{"type": "directory", "path": path, "oid": strings.Repeat("d", 40)})
		}
	}
	answer(writer, http.StatusOK, entries)
}

func (h *Hub) resolve(writer http.ResponseWriter, request *http.Request, parts []string, authorized bool) {
	found := h.visible(writer, parts[1], authorized)
	if found == nil {
		return
	}
	files, commit := found.at(parts[2])
	writer.Header().Set("X-Repo-Commit", commit)
	file, is := files[parts[3]]
	if !is {
		refuse(writer, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	if file.Large && h.FileAddress != "" {
		http.Redirect(writer, request, h.FileAddress+"/"+digestOf(file)+"?signature=secret", http.StatusFound)
		return
	}
	writer.Header().Set("ETag", `"`+digestOf(file)+`"`)
	http.ServeContent(writer, request, "", time.Time{}, bytes.NewReader(file.Data))
}

func (h *Hub) preupload(writer http.ResponseWriter, body []byte) {
	var asked struct {
		Files []struct {
			Path   string
			Sample string
		}
	}
	if json.Unmarshal(body, &asked) != nil {
		refuse(writer, http.StatusBadRequest, "", "Bad request")
		return
	}
	files := []map[string]any{}
	for _, file := range asked.Files {
		mode := "regular"
		if sample, err := base64.StdEncoding.DecodeString(file.Sample); err != nil {
			refuse(writer, http.StatusBadRequest, "", "Bad sample")
			return
		} else if strings.HasSuffix(file.Path, ".parquet") || bytes.ContainsRune(sample, 0) {
			mode = "lfs"
		}
		files = append(files, map[string]any{"path": file.Path, "uploadMode": mode, "shouldIgnore": false, "oid": nil})
	}
	answer(writer, http.StatusOK, map[string]any{"files": files})
}

func (h *Hub) batch(writer http.ResponseWriter, request *http.Request, name string, authorized bool, body []byte) {
	if h.writable(writer, name, authorized) == nil {
		return
	}
	var asked struct {
		Objects []struct {
			OID  string
			Size int
		}
	}
	if json.Unmarshal(body, &asked) != nil {
		refuse(writer, http.StatusBadRequest, "", "Bad request")
		return
	}
	here := "http://" + request.Host
	upload := here
	if h.UploadAddress != "" {
		upload = h.UploadAddress
	}
	objects := []map[string]any{}
	for _, wanted := range asked.Objects {
		object := map[string]any{"oid": wanted.OID, "size": wanted.Size}
		if _, there := h.large[wanted.OID]; !there {
			header, address := map[string]string{}, upload+"/lfs/"+wanted.OID+"?signature=secret"
			if h.PartBytes > 0 && wanted.Size > h.PartBytes {
				header["chunk_size"] = strconv.Itoa(h.PartBytes)
				for part := 1; (part-1)*h.PartBytes < wanted.Size; part++ {
					header[strconv.Itoa(part)] = fmt.Sprintf("%s/lfs/%s/%d?signature=secret", upload, wanted.OID, part)
				}
				address = here + "/complete/" + wanted.OID
			}
			object["actions"] = map[string]any{
				"upload": map[string]any{"href": address, "header": header},
				"verify": map[string]any{"href": here + "/lfs-verify", "header": map[string]string{}},
			}
		}
		objects = append(objects, object)
	}
	answer(writer, http.StatusOK, map[string]any{"transfer": "basic", "objects": objects})
}

func (h *Hub) putLarge(writer http.ResponseWriter, path string, body []byte) {
	digest, part, inParts := strings.Cut(strings.TrimPrefix(path, "/lfs/"), "/")
	if !inParts {
		h.keep(writer, digest, body)
		return
	}
	number, _ := strconv.Atoi(part)
	if h.parts[digest] == nil {
		h.parts[digest] = map[int][]byte{}
	}
	h.parts[digest][number] = body
	writer.Header().Set("ETag", `"e`+part+`"`)
}

func (h *Hub) keep(writer http.ResponseWriter, digest string, data []byte) {
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != digest {
		refuse(writer, http.StatusBadRequest, "", "the digest differs")
		return
	}
	h.large[digest] = data
}

func (h *Hub) complete(writer http.ResponseWriter, digest string, body []byte) {
	var asked struct {
		Parts []struct {
			PartNumber int
			ETag       string
		}
	}
	if json.Unmarshal(body, &asked) != nil {
		refuse(writer, http.StatusBadRequest, "", "Bad request")
		return
	}
	var data []byte
	for _, part := range asked.Parts {
		if part.ETag != fmt.Sprintf(`"e%d"`, part.PartNumber) {
			refuse(writer, http.StatusBadRequest, "", "the tag of a part differs")
			return
		}
		data = append(data, h.parts[digest][part.PartNumber]...)
	}
	h.keep(writer, digest, data)
}

func (h *Hub) verify(writer http.ResponseWriter, body []byte) {
	var asked struct {
		OID  string
		Size int
	}
	if json.Unmarshal(body, &asked) != nil || len(h.large[asked.OID]) != asked.Size {
		refuse(writer, http.StatusBadRequest, "", "the object is not there")
	}
}

func (h *Hub) commit(writer http.ResponseWriter, request *http.Request, found *repo, name, branch string, body []byte) {
	files, head := found.at(branch)
	if found.branches[branch] == "" {
		refuse(writer, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+branch)
		return
	}
	files = maps.Clone(files)
	for line := range bytes.Lines(body) {
		var operation struct {
			Key   string
			Value struct{ Path, Content, OID, ParentCommit string }
		}
		if json.Unmarshal(line, &operation) != nil {
			refuse(writer, http.StatusBadRequest, "", "Bad line")
			return
		}
		value := operation.Value
		switch operation.Key {
		case "header":
			if value.ParentCommit != "" && value.ParentCommit != head {
				refuse(writer, http.StatusPreconditionFailed, "", "A commit has happened since. Please refresh and try again.")
				return
			}
		case "file":
			data, err := base64.StdEncoding.DecodeString(value.Content)
			if err != nil {
				refuse(writer, http.StatusBadRequest, "", "Bad content")
				return
			}
			files[value.Path] = File{Data: data}
		case "lfsFile":
			data, there := h.large[value.OID]
			if !there {
				refuse(writer, http.StatusUnprocessableEntity, "", "the object "+value.OID+" is not there")
				return
			}
			files[value.Path] = File{Data: data, Large: true}
		case "deletedFile":
			delete(files, value.Path)
		}
	}
	commit := found.commit(branch, files)
	answer(writer, http.StatusOK, map[string]any{
		"success": true, "commitOid": commit, "commitUrl": fmt.Sprintf("http://%s/datasets/%s/commit/%s", request.Host, name, commit),
		"hookOutput": "",
	})
}
