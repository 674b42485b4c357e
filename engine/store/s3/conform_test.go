package s3_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/engine/store/storetest"
)

func TestMain(m *testing.M) {
	if err := os.Unsetenv("AWS_CA_BUNDLE"); err != nil { // to read it each time takes long
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const folder = "team/reviews/0123"

// at is a location in a store behind a way.
func at(t *testing.T, way http.RoundTripper) *s3.Location {
	t.Helper()
	return &s3.Location{
		Bucket: s3test.Bucket, Prefix: "sets", Endpoint: "http://store.test", Transport: way,
		CredentialsDirectory: credentials(t, s3test.AccessKey), Patience: 20 * time.Second, Timeout: 5 * time.Second,
	}
}

// credentials are the files of a Secret.
func credentials(t *testing.T, key string) string {
	t.Helper()
	directory := t.TempDir()
	for name, content := range map[string]string{s3.AccessKeyFile: key + "\n", s3.SecretKeyFile: s3test.SecretKey} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// open opens a folder.
func open(t *testing.T, location *s3.Location) *s3.Volume {
	t.Helper()
	volume, err := s3.Open(t.Context(), location, folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = volume.Close() }) // may be closed already
	return volume
}

func TestABucketConforms(t *testing.T) {
	storetest.Conform(t, func(t *testing.T) func() objects.Volume {
		location := at(t, &s3test.Way{Handler: s3test.New()})
		return func() objects.Volume { return open(t, location) }
	})
}
