package s3test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

type uploadListed struct{ Key, UploadId string }

func (s *Server) listUploads(writer http.ResponseWriter, query url.Values) *refusal {
	var page struct {
		XMLName xml.Name `xml:"ListMultipartUploadsResult"`
		Upload  []uploadListed
	}
	for _, id := range slices.Sorted(maps.Keys(s.uploads)) {
		if strings.HasPrefix(s.uploads[id].key, query.Get("prefix")) {
			page.Upload = append(page.Upload, uploadListed{s.uploads[id].key, id})
		}
	}
	return write(writer, page)
}

func (s *Server) answerUpload(writer http.ResponseWriter, request *http.Request, key string, body []byte) *refusal {
	query := request.URL.Query()
	id := query.Get("uploadId")
	if request.Method == http.MethodPost && query.Has("uploads") {
		s.next++
		id = fmt.Sprintf("upload-%d", s.next)
		s.uploads[id] = &upload{key: key, parts: map[int]object{}}
		s.encrypted[key] = request.Header.Get("X-Amz-Server-Side-Encryption")
		return write(writer, struct {
			XMLName          xml.Name `xml:"InitiateMultipartUploadResult"`
			Bucket, UploadId string
		}{Bucket: Bucket, UploadId: id})
	}
	under := s.uploads[id]
	if under == nil || under.key != key {
		return &refusal{http.StatusNotFound, "NoSuchUpload", "there is no such upload"}
	}
	switch request.Method {
	case http.MethodPut:
		number, err := strconv.Atoi(query.Get("partNumber"))
		if err != nil {
			return &refusal{http.StatusBadRequest, "InvalidArgument", err.Error()}
		}
		sum := md5.Sum(body)
		part := object{slices.Clone(body), `"` + hex.EncodeToString(sum[:]) + `"`}
		under.parts[number] = part
		writer.Header().Set("ETag", part.tag)
		return nil
	case http.MethodDelete:
		delete(s.uploads, id)
		writer.WriteHeader(http.StatusNoContent)
		return nil
	case http.MethodPost:
		return s.complete(writer, request, id, under, body)
	}
	return &refusal{http.StatusNotImplemented, "NotImplemented", request.Method}
}

func (s *Server) complete(writer http.ResponseWriter, request *http.Request, id string, under *upload, body []byte) *refusal {
	var asked struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	if err := xml.Unmarshal(body, &asked); err != nil {
		return &refusal{http.StatusBadRequest, "MalformedXML", err.Error()}
	}
	var data []byte
	for i, named := range asked.Part {
		part, there := under.parts[named.PartNumber]
		if !there || part.tag != named.ETag {
			return &refusal{http.StatusBadRequest, "InvalidPart", "a part is not there"}
		}
		if i < len(asked.Part)-1 && len(part.data) < s.LeastPart {
			return &refusal{http.StatusBadRequest, "EntityTooSmall", "a part is too small"}
		}
		data = append(data, part.data...)
	}
	if no := s.forbids(request.Header, under.key, s.Unfit.Completions); no != nil {
		return no
	}
	delete(s.uploads, id)
	sum := md5.Sum(data)
	tag := s.store(under.key, data, fmt.Sprintf(`"%s-%d"`, hex.EncodeToString(sum[:]), len(asked.Part)))
	return write(writer, struct {
		XMLName xml.Name `xml:"CompleteMultipartUploadResult"`
		ETag    string
	}{ETag: tag})
}
