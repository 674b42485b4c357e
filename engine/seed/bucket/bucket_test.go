package bucket_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/seed/bucket"
	"seedloom.dev/seedloom/engine/seed/files"
	"seedloom.dev/seedloom/engine/seed/remote"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
)

// open opens the bucket of a store, on whose way a request meets something.
func open(t *testing.T, server http.Handler, meets func(int, *http.Request) s3test.Fate, change func(*s3.Location)) bucket.Bucket {
	t.Helper()
	keys := t.TempDir()
	for name, content := range map[string]string{s3.AccessKeyFile: s3test.AccessKey, s3.SecretKeyFile: s3test.SecretKey} {
		if err := os.WriteFile(filepath.Join(keys, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	location := &s3.Location{
		Bucket: s3test.Bucket, Endpoint: "http://store.test", CredentialsDirectory: keys, Transport: &s3test.Way{Handler: server, Meets: meets},
		Patience: time.Second, Timeout: 10 * time.Second, PartBytes: 1000,
	}
	if change != nil {
		change(location)
	}
	opened, err := bucket.Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() }) // was only read
	return opened
}

func listed(t *testing.T, from bucket.Bucket, patterns ...string) []files.File {
	t.Helper()
	list, err := from.List(t.Context(), patterns...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestObjectsAreFoundAndFetchedInParts(t *testing.T) {
	server := s3test.New()
	long := strings.Repeat("0123456789", 350)
	for key, content := range map[string]string{
		"orders/1.csv": "a\n1\n", "orders/2.csv": long, "orders/empty.csv": "", "orders/old/3.csv": "x", "orders/": "", "with space/ü+.csv": "u",
	} {
		server.Put(key, content)
	}
	lost := 0
	from := open(t, server, func(_ int, request *http.Request) s3test.Fate {
		if request.Header.Get("Range") == "bytes=1000-1999" && lost < 2 { // the first answer is cut off, the second one lost
			if lost++; lost == 1 {
				return s3test.Fate{Cut: true}
			}
			return s3test.Fate{After: s3test.Reset}
		}
		return s3test.Fate{}
	}, nil)
	var got []string
	for _, file := range listed(t, from, "orders", "with space/*") {
		var content bytes.Buffer
		if err := from.Fetch(t.Context(), file, &content); err != nil {
			t.Fatal(err)
		}
		if want, _ := server.Object(file.Path); content.String() != want || file.Size != int64(len(want)) || file.Version == "" {
			t.Errorf("%+v: got %d bytes", file, content.Len())
		}
		got = append(got, file.Path)
	}
	if want := "orders/1.csv orders/2.csv orders/empty.csv with space/ü+.csv"; strings.Join(got, " ") != want || lost != 2 {
		t.Errorf("got %q, and %d answers were lost", got, lost)
	}
	one, same := listed(t, from, "orders/2.csv"), listed(t, from, "orders/2*")
	if len(one) != 1 || one[0].Size != 3500 || one[0].Version != same[0].Version {
		t.Errorf("an object by its key is %+v", one)
	}
}

func TestAnObjectThatHasChangedIsNoticed(t *testing.T) {
	server := s3test.New()
	ignoring := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		request.Header.Del("If-Match")
		server.ServeHTTP(writer, request)
	})
	for name, store := range map[string]http.Handler{"a store": server, "a store without conditions": ignoring} {
		for _, other := range []string{"a\n2\n", "a\n"} {
			server.Put("a.csv", "a\n1\n")
			from := open(t, store, nil, nil)
			file := listed(t, from, "a.csv")[0]
			server.Put("a.csv", other)
			if err := from.Fetch(t.Context(), file, &bytes.Buffer{}); !errors.Is(err, remote.ErrChanged) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
}

func TestWhatKeepsObjectsFromBeingRead(t *testing.T) {
	server := s3test.New()
	server.Allowed = "mine/"
	for name, test := range map[string]struct {
		change  func(*s3.Location)
		meets   func(int, *http.Request) s3test.Fate
		pattern string
		want    string
		mayPass bool
	}{
		"no bucket":     {change: func(at *s3.Location) { at.Bucket = "elsewhere" }, pattern: "mine/*", want: "check the name of the bucket"},
		"no right":      {pattern: "others/*", want: "may read the objects (s3:GetObject) and list the bucket (s3:ListBucket)"},
		"no right to 1": {pattern: "others/a.csv", want: "may read the objects (s3:GetObject)"},
		"no key": {change: func(at *s3.Location) { at.CredentialsDirectory = os.TempDir() }, pattern: "mine/*",
			want: "correct the credentials in the Secret or the environment"},
		"overload": {pattern: "mine/*", want: "SlowDown", mayPass: true, meets: func(int, *http.Request) s3test.Fate {
			return s3test.Fate{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
		}},
	} {
		_, err := open(t, server, test.meets, test.change).List(t.Context(), test.pattern)
		var problem *remote.Error
		if !errors.As(err, &problem) || problem.MayPass != test.mayPass || !strings.Contains(err.Error(), test.want) ||
			strings.Contains(err.Error(), s3test.SecretKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := open(t, server, nil, nil).List(t.Context(), "mine/a.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such object: %v", err)
	}
}
