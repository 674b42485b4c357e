package hub

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
)

const (
	// preuploadFiles and batchFiles are how many files one request may speak of.
	preuploadFiles = 256
	batchFiles     = 100
	// sampleBytes is how much of a file the hub is shown before it says how the file is to be sent.
	sampleBytes = 512
	// maxInline bounds the files that are part of a commit itself, in bytes together.
	maxInline = 32 << 20
	// groupFiles files, or as many as have groupBytes, are uploaded at once.
	groupFiles = 4
	groupBytes = 256 << 20
	// maxParts bounds the parts of an upload in parts.
	maxParts = 10_000

	modeLFS     = "lfs"
	modeRegular = "regular"
	lfsKind     = "application/vnd.git-lfs+json"
)

// upload brings the files of changes to where a commit can name them: to the store of large files, or into the commit itself.
func (c *client) upload(ctx context.Context, wanted *changes) error {
	var large []File
	inline := int64(0)
	for files := range inChunks(wanted.files, preuploadFiles) {
		modes, err := c.preupload(ctx, files)
		if err != nil {
			return err
		}
		for _, file := range files {
			if modes[file.Path] == modeLFS {
				large = append(large, file)
				continue
			}
			if inline += file.Bytes; inline > maxInline {
				return failed("asking how to send %s: %s wants more than %d bytes in one commit, without its store of large files", file.Path,
					c.endpoint.Host, maxInline)
			}
			if wanted.inline[file.Path], err = file.content(); err != nil {
				return err
			}
		}
	}
	return c.uploadLarge(ctx, large)
}

// preupload asks how each file is to be sent.
func (c *client) preupload(ctx context.Context, files []File) (map[string]string, error) {
	type question struct {
		Path   string `json:"path"`
		Size   int64  `json:"size"`
		Sample string `json:"sample"`
	}
	var asked struct {
		Files []question `json:"files"`
	}
	for i := range files {
		sample := files[i].Begin
		if sample == nil {
			data, err := files[i].content()
			if err != nil {
				return nil, err
			}
			sample = data[:min(len(data), sampleBytes)]
		}
		asked.Files = append(asked.Files, question{files[i].Path, files[i].Bytes, base64.StdEncoding.EncodeToString(sample)})
	}
	var said struct {
		Files []struct {
			Path   string `json:"path"`
			Mode   string `json:"uploadMode"`
			Ignore bool   `json:"shouldIgnore"`
		} `json:"files"`
	}
	if _, err := c.document(ctx, &request{
		method: http.MethodPost, address: c.api("preupload", url.PathEscape(c.target.Branch)), kind: "application/json", body: encoded(asked),
		doing: "asking how to send the files",
	}, &said); err != nil {
		return nil, err
	}
	modes := map[string]string{}
	for _, file := range said.Files {
		if file.Ignore {
			return nil, refused("the .gitignore of %s leaves out %s: remove that line", c.target.Repository, c.clean(file.Path))
		}
		modes[file.Path] = file.Mode
	}
	for i := range files {
		if mode := modes[files[i].Path]; mode != modeLFS && mode != modeRegular {
			return nil, failed("asking how to send %s: what %s answers is not what a hub says", files[i].Path, c.endpoint.Host)
		}
		if files[i].Bytes == 0 {
			modes[files[i].Path] = modeRegular // the store of large files takes none that are empty
		}
	}
	return modes, nil
}

// object is a file in the store of large files.
type object struct {
	OID     string `json:"oid"`
	Size    int64  `json:"size"`
	Actions *struct {
		Upload *action `json:"upload"`
		Verify *action `json:"verify"`
	} `json:"actions,omitempty"`
	Error *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// action is a request that the hub asks for.
type action struct {
	Address string            `json:"href"`
	Header  map[string]string `json:"header"`
}

// uploadLarge uploads what the store of large files lacks. Addresses of uploads hold for a while only: after a failure they are asked for
// anew, as long as some files get through.
func (c *client) uploadLarge(ctx context.Context, files []File) error {
	all, tries := len(files), 0
	for len(files) > 0 {
		left, err := c.uploadOnce(ctx, files)
		if err != nil && !failure.Of(err).Temporary {
			return err
		}
		if tries++; len(left) < len(files) {
			tries = 1
			if c.Report != nil {
				c.Report(all-len(left), all)
			}
		}
		if files = left; len(files) == 0 {
			break
		}
		if tries == maxTries {
			return err
		}
		if err := c.waitAfter(ctx, err, tries); err != nil {
			return err
		}
	}
	return nil
}

// uploadOnce tries to upload files, and returns those that are left, with the last failure. They are none only where there was none.
func (c *client) uploadOnce(ctx context.Context, files []File) (left []File, last error) {
	for chunk := range inChunks(files, batchFiles) {
		objects, err := c.batch(ctx, chunk)
		if err != nil && !failure.Of(err).Temporary {
			return files, err
		}
		if err != nil {
			left, last = append(left, chunk...), err
			continue
		}
		for group := range inGroups(chunk) {
			errs := make([]error, len(group))
			var uploads sync.WaitGroup
			for i := range group {
				uploads.Go(func() { errs[i] = c.uploadFile(ctx, &group[i], objects[group[i].SHA256]) })
			}
			uploads.Wait()
			for i, err := range errs {
				switch {
				case err == nil:
				case !failure.Of(err).Temporary:
					return files, err
				default:
					left, last = append(left, group[i]), err
				}
			}
		}
	}
	return left, last
}

// batch asks where files are to be sent.
func (c *client) batch(ctx context.Context, files []File) (map[string]*object, error) {
	asked := map[string]any{
		"operation": "upload", "transfers": []string{"basic", "multipart"}, "hash_algo": "sha256",
		"ref": map[string]string{"name": c.target.Branch},
	}
	var objects []object
	for i := range files {
		objects = append(objects, object{OID: files[i].SHA256, Size: files[i].Bytes})
	}
	asked["objects"] = objects
	var said struct {
		Objects []*object `json:"objects"`
	}
	if _, err := c.document(ctx, &request{
		method: http.MethodPost, address: c.address("datasets", c.target.Repository+".git", "info/lfs/objects/batch"), kind: lfsKind,
		header: map[string]string{"Accept": lfsKind}, body: encoded(asked), doing: "asking where to send the files",
	}, &said); err != nil {
		return nil, err
	}
	found := map[string]*object{}
	for _, one := range said.Objects {
		if one != nil {
			found[one.OID] = one
		}
	}
	for i := range files {
		one := found[files[i].SHA256]
		switch {
		case one == nil:
			return nil, failed("asking where to send %s: %s does not say", files[i].Path, c.endpoint.Host)
		case one.Error != nil && one.Error.Code >= 400 && one.Error.Code < 500 && one.Error.Code != http.StatusTooManyRequests:
			return nil, refused("asking where to send %s: %s answers %d: %s", files[i].Path, c.endpoint.Host, one.Error.Code,
				c.clean(one.Error.Message))
		case one.Error != nil:
			return nil, failed("asking where to send %s: %s answers %d: %s", files[i].Path, c.endpoint.Host, one.Error.Code,
				c.clean(one.Error.Message))
		}
	}
	return found, nil
}

// uploadFile uploads a file, unless the store has it.
func (c *client) uploadFile(ctx context.Context, file *File, to *object) error {
	if to.Actions == nil || to.Actions.Upload == nil {
		return nil
	}
	data, err := file.content()
	if err != nil {
		return err
	}
	upload := to.Actions.Upload
	if err := c.checkAddress(upload.Address, file.Path); err != nil {
		return err
	}
	if upload.Header["chunk_size"] != "" {
		err = c.putParts(ctx, file, upload, data)
	} else {
		_, err = c.sendTo(ctx, &request{
			method: http.MethodPut, address: upload.Address, header: upload.Header, body: data, doing: "sending " + file.Path,
		})
	}
	if err != nil || to.Actions.Verify == nil {
		return err
	}
	verify := to.Actions.Verify
	if err := c.checkAddress(verify.Address, file.Path); err != nil {
		return err
	}
	parsed, _ := url.Parse(verify.Address) // has just been checked
	_, err = c.send(ctx, &request{
		method: http.MethodPost, address: verify.Address, header: verify.Header, kind: lfsKind,
		body:      encoded(object{OID: file.SHA256, Size: file.Bytes}),
		anonymous: parsed.Scheme != c.endpoint.Scheme || parsed.Host != c.endpoint.Host, doing: "having " + file.Path + " verified",
	})
	return err
}

// sendTo sends a request to where the hub says, without the token, and once: the address is asked for anew before another try.
func (c *client) sendTo(ctx context.Context, wanted *request) (*answer, error) {
	wanted.anonymous, wanted.once = true, true
	return c.send(ctx, wanted)
}

// putParts uploads a file in parts.
func (c *client) putParts(ctx context.Context, file *File, upload *action, data []byte) error {
	size, err := strconv.Atoi(upload.Header["chunk_size"])
	count := 0
	if err == nil && size > 0 {
		count = (len(data) + size - 1) / size
	}
	if count == 0 || count > maxParts {
		return failed("sending %s: %s asks for parts of %q bytes", file.Path, c.endpoint.Host, c.clean(upload.Header["chunk_size"]))
	}
	type part struct {
		Number int    `json:"partNumber"`
		Tag    string `json:"etag"`
	}
	var parts []part
	for number := 1; number <= count; number++ {
		address := upload.Header[strconv.Itoa(number)]
		if err := c.checkAddress(address, file.Path); err != nil {
			return err
		}
		got, err := c.sendTo(ctx, &request{
			method: http.MethodPut, address: address, body: data[(number-1)*size : min(number*size, len(data))], doing: "sending " + file.Path,
		})
		if err != nil {
			return err
		}
		parts = append(parts, part{number, got.header.Get("ETag")})
	}
	_, err = c.sendTo(ctx, &request{
		method: http.MethodPost, address: upload.Address, kind: lfsKind, header: map[string]string{"Accept": lfsKind},
		body: encoded(map[string]any{"oid": file.SHA256, "parts": parts}), doing: "ending the upload of " + file.Path,
	})
	return err
}

// checkAddress refuses to send files where nobody could have meant them to go.
func (c *client) checkAddress(address, file string) error {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.User != nil {
		return failed("sending %s: %s has named an address that is none", file, c.endpoint.Host)
	}
	if parsed.Scheme != "https" && (parsed.Scheme != "http" || c.endpoint.Scheme != "http") {
		return refused("sending %s: %s wants it sent to %s without encryption", file, c.endpoint.Host, parsed.Host)
	}
	return nil
}

// content reads a file, and makes sure that it is what it is taken for.
func (f *File) content() ([]byte, error) {
	data, err := f.Read()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	if int64(len(data)) != f.Bytes || hex.EncodeToString(sum[:]) != f.SHA256 {
		return nil, failure.New(v1alpha1.ReasonStorageFailed, failure.EndRun,
			"%s is not what was written there: its size or its digest differs from what the dataset says of it", f.Path)
	}
	return data, nil
}

// inChunks are the files, at most so many at once.
func inChunks(files []File, size int) func(yield func([]File) bool) {
	return func(yield func([]File) bool) {
		for start := 0; start < len(files); start += size {
			if !yield(files[start:min(start+size, len(files))]) {
				return
			}
		}
	}
}

// inGroups are the files that are in memory at once.
func inGroups(files []File) func(yield func([]File) bool) {
	return func(yield func([]File) bool) {
		for start := 0; start < len(files); {
			end, bytes := start+1, files[start].Bytes
			for end < len(files) && end-start < groupFiles && bytes+files[end].Bytes <= groupBytes {
				bytes += files[end].Bytes
				end++
			}
			if !yield(files[start:end]) {
				return
			}
			start = end
		}
	}
}
