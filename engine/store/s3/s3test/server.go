// Package s3test is an object store in memory that speaks as much of the S3 protocol as package s3 uses, and a way to it on which things go
// wrong. It is for tests: it can be told to be as unfit as some stores are, and needs no network, so that it works in virtual time too.
package s3test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// The bucket that there is, and the credentials with which it is written.
const (
	Bucket    = "bucket"
	AccessKey = "access"
	SecretKey = "secret-of-the-test"
)

// Unfit says which conditions a store ignores without a word, or refuses. The zero value is a store that honours all.
type Unfit struct {
	// Unknown says that a write with a condition is refused as one that is not implemented.
	Unknown bool
	// Puts are those of single writes, Completions those of uploads in parts, OnlyMatch those on a version.
	Puts, Completions, OnlyMatch bool
	// Tag is the version of all objects; "-" stands for none. Where it is empty, each content has one of its own.
	Tag string
}

// Server is a store. Its methods may be called from any goroutine.
type Server struct {
	// These are set before the first request. Allowed is what keys must begin with, Now the store's clock, and LeastPart how small a part of
	// an upload may be that is not the last one.
	Unfit     Unfit
	Allowed   string
	Now       func() time.Time
	LeastPart int

	mutex   sync.Mutex
	objects map[string]object
	uploads map[string]*upload
	next    int
	// keys are the access keys that are valid; expired those that were.
	keys, expired map[string]bool
	requests      map[string]int
	encrypted     map[string]string
}

type object struct {
	data []byte
	tag  string
}

type upload struct {
	key   string
	parts map[int]object
}

// New returns an empty store.
func New() *Server {
	return &Server{
		Now: time.Now, LeastPart: 5 << 20, objects: map[string]object{}, uploads: map[string]*upload{}, keys: map[string]bool{AccessKey: true},
		expired: map[string]bool{}, requests: map[string]int{}, encrypted: map[string]string{},
	}
}

// Keys are the keys of all objects, sorted.
func (s *Server) Keys() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}

// Object returns the content of an object.
func (s *Server) Object(key string) (string, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	found, is := s.objects[key]
	return string(found.data), is
}

// Put has an object there, as one that somebody else has written.
func (s *Server) Put(key, content string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.store(key, []byte(content), "")
}

// Uploads is how many uploads in parts have not come to their end.
func (s *Server) Uploads() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.uploads)
}

// Expire has the access key be one that has expired, and another one be valid.
func (s *Server) Expire(key, valid string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.keys, key)
	s.expired[key], s.keys[valid] = true, true
}

// Requests counts the requests, by their methods.
func (s *Server) Requests() map[string]int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return maps.Clone(s.requests)
}

// Encrypted says how it was asked to encrypt an object.
func (s *Server) Encrypted(key string) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.encrypted[key]
}

// refusal is an answer that says no.
type refusal struct {
	status  int
	code    string
	message string
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the client is gone
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	writer.Header().Set("Server", "s3test")
	writer.Header().Set("Date", s.Now().UTC().Format(http.TimeFormat))
	s.requests[request.Method]++
	key, no := s.admit(request)
	if no == nil {
		no = s.answer(writer, request, key, body)
	}
	if no == nil {
		return
	}
	writer.Header().Set("Content-Type", "application/xml")
	writer.WriteHeader(no.status)
	if request.Method != http.MethodHead {
		fmt.Fprintf(writer, "<Error><Code>%s</Code><Message>%s</Message></Error>", no.code, no.message)
	}
}

// admit checks whether the request is signed by somebody, at about this time, for what that one may do.
func (s *Server) admit(request *http.Request) (key string, no *refusal) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/")
	if bucket != Bucket {
		return "", &refusal{http.StatusNotFound, "NoSuchBucket", "there is no such bucket"}
	}
	_, credential, _ := strings.Cut(request.Header.Get("Authorization"), "Credential=")
	name, _, _ := strings.Cut(credential, "/")
	signed, err := time.Parse("20060102T150405Z", request.Header.Get("X-Amz-Date"))
	switch {
	case s.expired[name]:
		return "", &refusal{http.StatusBadRequest, "ExpiredToken", "the token has expired"}
	case !s.keys[name]:
		return "", &refusal{http.StatusForbidden, "InvalidAccessKeyId", "there is no such key"}
	case err != nil || signed.Sub(s.Now()).Abs() > 15*time.Minute:
		return "", &refusal{http.StatusForbidden, "RequestTimeTooSkewed", "the difference between the times is too large"}
	}
	touched := key
	if key == "" {
		touched = request.URL.Query().Get("prefix")
	}
	if !strings.HasPrefix(touched, s.Allowed) {
		return "", &refusal{http.StatusForbidden, "AccessDenied", "access denied"}
	}
	return key, nil
}

func (s *Server) answer(writer http.ResponseWriter, request *http.Request, key string, body []byte) *refusal {
	query := request.URL.Query()
	switch {
	case key == "" && query.Has("uploads"):
		return s.listUploads(writer, query)
	case key == "":
		return s.list(writer, query)
	case query.Has("uploads") || query.Has("uploadId"):
		return s.answerUpload(writer, request, key, body)
	}
	switch request.Method {
	case http.MethodGet, http.MethodHead:
		return s.get(writer, request, key)
	case http.MethodDelete:
		delete(s.objects, key)
		writer.WriteHeader(http.StatusNoContent)
		return nil
	case http.MethodPut:
		if source := request.Header.Get("X-Amz-Copy-Source"); source != "" {
			return s.copy(writer, request, key, source)
		}
		if no := s.forbids(request.Header, key, s.Unfit.Puts); no != nil {
			return no
		}
		s.encrypted[key] = request.Header.Get("X-Amz-Server-Side-Encryption")
		writer.Header().Set("ETag", s.store(key, body, ""))
		return nil
	}
	return &refusal{http.StatusNotImplemented, "NotImplemented", request.Method}
}

// store keeps an object, and returns its tag.
func (s *Server) store(key string, data []byte, tag string) string {
	if tag == "" {
		sum := md5.Sum(data)
		tag = `"` + hex.EncodeToString(sum[:]) + `"`
	}
	if s.Unfit.Tag != "" {
		tag = strings.TrimPrefix(s.Unfit.Tag, "-")
	}
	s.objects[key] = object{slices.Clone(data), tag}
	return tag
}

// forbids says whether a condition of a write does not hold.
func (s *Server) forbids(header http.Header, key string, ignored bool) *refusal {
	found, there := s.objects[key]
	match := header.Get("If-Match")
	switch {
	case s.Unfit.Unknown && (match != "" || header.Get("If-None-Match") != ""):
		return &refusal{http.StatusNotImplemented, "NotImplemented", "a header implies functionality that is not implemented"}
	case ignored, match != "" && s.Unfit.OnlyMatch:
	case match != "" && !there:
		return &refusal{http.StatusNotFound, "NoSuchKey", "there is no such key"}
	case match != "" && match != found.tag, header.Get("If-None-Match") == "*" && there:
		return &refusal{http.StatusPreconditionFailed, "PreconditionFailed", "a condition did not hold"}
	}
	return nil
}

func (s *Server) get(writer http.ResponseWriter, request *http.Request, key string) *refusal {
	found, there := s.objects[key]
	if !there {
		return &refusal{http.StatusNotFound, "NoSuchKey", "there is no such key"}
	}
	writer.Header().Set("ETag", found.tag)
	http.ServeContent(writer, request, "", time.Time{}, bytes.NewReader(found.data)) // which knows of ranges and conditions
	return nil
}

func (s *Server) copy(writer http.ResponseWriter, request *http.Request, key, source string) *refusal {
	source, err := url.PathUnescape(strings.TrimPrefix(source, "/"))
	if err != nil {
		return &refusal{http.StatusBadRequest, "InvalidArgument", err.Error()}
	}
	found, there := s.objects[strings.TrimPrefix(source, Bucket+"/")]
	if !there {
		return &refusal{http.StatusNotFound, "NoSuchKey", "there is no such key"}
	}
	if match := request.Header.Get("X-Amz-Copy-Source-If-Match"); match != "" && match != found.tag {
		return &refusal{http.StatusPreconditionFailed, "PreconditionFailed", "the source is another one"}
	}
	s.encrypted[key] = request.Header.Get("X-Amz-Server-Side-Encryption")
	return write(writer, struct {
		XMLName xml.Name `xml:"CopyObjectResult"`
		ETag    string
	}{ETag: s.store(key, found.data, "")})
}

func write(writer http.ResponseWriter, document any) *refusal {
	data, err := xml.Marshal(document)
	if err != nil {
		return &refusal{http.StatusInternalServerError, "InternalError", err.Error()}
	}
	writer.Header().Set("Content-Type", "application/xml")
	_, _ = writer.Write(data) // a client that is gone needs no answer
	return nil
}

type listed struct {
	Key  string
	Size int
	ETag string
}

type folder struct{ Prefix string }

// pageKeys is how many keys a page of a listing has.
const pageKeys = 1000

func (s *Server) list(writer http.ResponseWriter, query url.Values) *refusal {
	prefix, delimiter, after := query.Get("prefix"), query.Get("delimiter"), query.Get("continuation-token")
	var page struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []listed
		CommonPrefixes        []folder
	}
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		rest, below := strings.CutPrefix(key, prefix)
		if !below || key <= after {
			continue
		}
		if first, _, deeper := strings.Cut(rest, delimiter); delimiter != "" && deeper {
			common := folder{prefix + first + delimiter}
			if !slices.Contains(page.CommonPrefixes, common) && !strings.HasPrefix(after, common.Prefix) {
				page.CommonPrefixes = append(page.CommonPrefixes, common)
			}
		} else {
			page.Contents = append(page.Contents, listed{key, len(s.objects[key].data), s.objects[key].tag})
		}
		if len(page.Contents)+len(page.CommonPrefixes) == pageKeys {
			page.IsTruncated, page.NextContinuationToken = true, key
			break
		}
	}
	return write(writer, page)
}
