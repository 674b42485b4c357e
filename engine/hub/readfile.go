package hub

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // it is what git names its objects by
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// stepBytes is how much of a file has to come for the tries to be counted anew.
	stepBytes = 1 << 20
	// stalledAfter is how long nothing of a file may come.
	stalledAfter = time.Minute
)

// download is a file that is being read.
type download struct {
	*Reader
	commit string
	file   Listed
	to     io.Writer
	sum    hash.Hash
	// written is how much of it is there, and writing the error that writing has met.
	written int64
	writing error
}

// Read writes a file of a commit, and makes sure that it is the one that was listed. A connection that is lost is taken up where it was.
// Its errors are ReadError, that of the context, or that of writing.
func (r *Reader) Read(ctx context.Context, commit string, file Listed, to io.Writer) error {
	wanted := &download{Reader: r, commit: commit, file: file, to: to, sum: digestOf(&file)}
	counted, try := int64(0), 1
	for {
		err := wanted.once(ctx)
		if wanted.writing != nil {
			return wanted.writing
		}
		if err == nil {
			return wanted.verify()
		}
		if wanted.written-counted >= stepBytes {
			counted, try = wanted.written, 1
		}
		if try == maxTries {
			return readError(err)
		}
		if err := r.waitAfter(ctx, err, try); err != nil {
			return readError(err)
		}
		try++
	}
}

// digestOf is the hash by which a file was listed.
func digestOf(file *Listed) hash.Hash {
	if len(file.Digest) == hex.EncodedLen(sha256.Size) {
		return sha256.New()
	}
	sum := sha1.New() //nolint:gosec // see above
	fmt.Fprintf(sum, "blob %d\x00", file.Bytes)
	return sum
}

// verify says whether what was written is what was listed.
func (d *download) verify() error {
	if got := hex.EncodeToString(d.sum.Sum(nil)); got != d.file.Digest {
		return readError(failed("reading %s: what %s sends has the digest %s, and is listed with %s", d.clean(d.file.Path), d.endpoint.Host, got,
			d.clean(d.file.Digest)))
	}
	return nil
}

// once asks for the rest of the file.
func (d *download) once(ctx context.Context) error {
	doing := "reading " + d.clean(d.file.Path)
	wanted := &request{address: d.address("datasets", d.target.Repository, "resolve", d.commit, escaped(d.file.Path)), doing: doing}
	rest := d.file.Bytes - d.written
	timed, cancel := context.WithTimeout(ctx, requestTimeout+time.Duration(rest/slowestBytes)*time.Second)
	defer cancel()
	message, err := http.NewRequestWithContext(timed, http.MethodGet, wanted.address, http.NoBody)
	if err != nil {
		return refused("%s: its address is none", doing)
	}
	message.Header.Set("User-Agent", d.UserAgent)
	message.Header.Set("Accept-Encoding", "identity")
	if d.written > 0 {
		message.Header.Set("Range", "bytes="+strconv.FormatInt(d.written, 10)+"-")
	}
	d.authorize(message)
	stalled := time.AfterFunc(stalledAfter, cancel)
	defer stalled.Stop()
	response, err := d.files.Do(message)
	if err != nil {
		return d.connectionFailure(ctx, wanted, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 && response.StatusCode < 400 {
		return refused("%s: %s leads to %s, which is not asked: it is not encrypted as the hub is, or was led to too often", doing,
			hostOf(response.Request.URL.String()), hostOf(response.Header.Get("Location")))
	}
	if !d.isHub(response.Request.URL) {
		// Signed addresses may expire: what such a place refuses, it may allow when the hub is asked anew.
		wanted.anonymous, wanted.address = true, response.Request.URL.String()
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusPartialContent {
		got := &answer{status: response.StatusCode, header: response.Header}
		got.body, _ = io.ReadAll(io.LimitReader(response.Body, maxShownAnswer)) // it is only shown
		return d.statusFailure(wanted, got)
	}
	return d.receive(ctx, wanted, response, stalled)
}

// maxShownAnswer is how much is read of an answer that is no success.
const maxShownAnswer = 64 << 10

// receive writes what an answer has of the file.
func (d *download) receive(ctx context.Context, wanted *request, response *http.Response, stalled *time.Timer) error {
	body := &steady{response.Body, stalled}
	switch begin := "bytes " + strconv.FormatInt(d.written, 10) + "-"; {
	case response.StatusCode == http.StatusOK:
		if _, err := io.CopyN(io.Discard, body, d.written); err != nil { // it was sent from its beginning
			return d.connectionFailure(ctx, wanted, err)
		}
	case !strings.HasPrefix(response.Header.Get("Content-Range"), begin):
		return failed("%s: %s sends another part of it than was asked for", wanted.doing, hostOf(wanted.address))
	}
	_, err := io.Copy(d, io.LimitReader(body, d.file.Bytes-d.written))
	if d.writing != nil {
		return d.writing
	}
	if err == nil && d.written < d.file.Bytes {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return d.connectionFailure(ctx, wanted, err)
	}
	if count, _ := io.ReadFull(body, make([]byte, 1)); count > 0 {
		return refused("%s: %s sends more than the %d bytes with which it is listed", wanted.doing, hostOf(wanted.address), d.file.Bytes)
	}
	return nil
}

// Write takes what has come.
func (d *download) Write(data []byte) (int, error) {
	count, err := d.to.Write(data)
	_, _ = d.sum.Write(data[:count]) // never fails
	d.written += int64(count)
	d.writing = err
	return count, err
}

// steady is a body of which something must come every so often.
type steady struct {
	from    io.Reader
	stalled *time.Timer
}

// Read implements io.Reader.
func (s *steady) Read(to []byte) (int, error) {
	s.stalled.Reset(stalledAfter)
	return s.from.Read(to)
}

// ReadText returns a small file of a commit. One that is larger than a limit is an error.
func (r *Reader) ReadText(ctx context.Context, commit string, file Listed, limit int64) ([]byte, error) {
	if file.Bytes > limit {
		return nil, readError(refused("reading %s: it has %d bytes, and at most %d are read", r.clean(file.Path), file.Bytes, limit))
	}
	var text bytes.Buffer
	if err := r.Read(ctx, commit, file, &text); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}
