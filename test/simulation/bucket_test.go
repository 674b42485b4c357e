package simulation

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
)

func init() {
	if err := os.Unsetenv("AWS_CA_BUNDLE"); err != nil { // to read it each time takes long
		panic(err)
	}
}

// useBucket has the dataset lie in the bucket of a store.
func (w *world) useBucket(t *testing.T) {
	t.Helper()
	w.bucket = s3test.New()
	for name, content := range map[string]string{s3.AccessKeyFile: s3test.AccessKey, s3.SecretKeyFile: s3test.SecretKey} {
		if err := os.WriteFile(filepath.Join(w.output, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// location is the place of the dataset in the bucket, behind a way on which requests meet faults; nil where it lies in a folder. No request
// is tried again: that the client does so is held elsewhere, and the engine meets all of the faults.
func (w *world) location(sky *weather) *s3.Location {
	if w.bucket == nil {
		return nil
	}
	return &s3.Location{
		Bucket: s3test.Bucket, Endpoint: "http://store.test", CredentialsDirectory: w.output, Patience: 1, Timeout: 20 * time.Second,
		Transport: &s3test.Way{Handler: w.bucket, Meets: func(_ int, request *http.Request) s3test.Fate { return sky.storeFate(request) }},
	}
}

// storeFate is what a request to the store meets.
func (w *weather) storeFate(request *http.Request) s3test.Fate {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	random := w.draw(request.Method + " " + request.URL.Path)
	if random.Float64() >= w.storm {
		return s3test.Fate{}
	}
	w.stormed++
	switch random.IntN(7) {
	case 0:
		return s3test.Fate{Before: s3test.Reset}
	case 1:
		return s3test.Fate{After: s3test.Reset}
	case 2:
		return s3test.Fate{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
	case 3:
		return s3test.Fate{Status: http.StatusConflict, Code: "ConditionalRequestConflict"}
	case 4:
		return s3test.Fate{Hangs: true}
	case 5:
		return s3test.Fate{Delay: time.Duration(random.IntN(19_000)) * time.Millisecond}
	}
	return s3test.Fate{Cut: true}
}

// filesOf are the objects below a folder of a bucket.
func filesOf(bucket *s3test.Server, folder string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, key := range bucket.Keys() {
		if name, below := strings.CutPrefix(key, folder+"/"); below {
			content, _ := bucket.Object(key)
			files[name] = &fstest.MapFile{Data: []byte(content)}
		}
	}
	return files
}

// calm says whether all that was read and written in this life of the engines went well.
func (w *weather) calm() bool { return w.decayed+w.stormed == 0 }
