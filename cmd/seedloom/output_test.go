package main

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/internal/llmsim"
)

// bucketWorld is a world with an object store, and the credentials for it in the environment.
func bucketWorld(t *testing.T, server *s3test.Server) (w *world, endpoint string) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", s3test.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3test.SecretKey)
	t.Setenv("AWS_CONFIG_FILE", "/nowhere")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
	store := httptest.NewServer(server)
	t.Cleanup(store.Close)
	return newWorld(t, reviews, llmsim.Config{}), store.URL
}

// TestARunWritesToABucketAndGoesOnThere runs twice, and then with more records.
func TestARunWritesToABucketAndGoesOnThere(t *testing.T) {
	server := s3test.New()
	w, endpoint := bucketWorld(t, server)
	to := []string{"run", "-f", "reviews.yaml", "--output", "s3://bucket/team/", "--output-endpoint", endpoint}
	code, out, log := w.run(to...)
	if code != 0 || !strings.Contains(out, "complete: 24 records in s3://bucket/team/") || strings.Contains(out+log, s3test.SecretKey) {
		t.Fatalf("got %d, %s, %s", code, out, log)
	}
	found := strings.Join(server.Keys(), "\n")
	contains(t, found, "/parquet-files/batch_00000.parquet", "/_SUCCESS", "/metadata.json", "/latest")
	if strings.Contains(found, "journal") || strings.Contains(found, "fences") || !strings.HasPrefix(found, "team/") {
		t.Errorf("there are:\n%s", found)
	}
	asked := w.requests()
	if code, _, log := w.run(to...); code != 0 || w.requests() != asked {
		t.Errorf("the second run: %d, with %d requests more, %s", code, w.requests()-asked, log)
	}
	if code, out, log := w.run(append(to, "--num-records", "30")...); code != 0 || w.requests() != asked*30/24 {
		t.Errorf("with 30 records: %d, %s, %d requests instead of %d, %s", code, out, w.requests(), asked*30/24, log)
	}
}

// TestAKillPaysLittleAgain kills a run that writes to a bucket without notice, and goes on: what was synced is not paid for again.
func TestAKillPaysLittleAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long with the race detector: it runs without")
	}
	server := s3test.New()
	t.Setenv("AWS_ACCESS_KEY_ID", s3test.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3test.SecretKey)
	store := httptest.NewServer(server)
	defer store.Close()
	const records = 1200
	w := newWorld(t, reviews, slow)
	arguments := []string{
		"run", "-f", "reviews.yaml", "--num-records", strconv.Itoa(records), "--output", "s3://bucket", "--output-endpoint", store.URL,
	}
	command := w.command(arguments...)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	await(t, "a journal in the bucket", func() bool {
		for _, key := range server.Keys() {
			if content, _ := server.Object(key); strings.Contains(key, "/journal/") && len(content) > 0 {
				return true
			}
		}
		return false
	})
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // was killed
	paid, took := w.requests(), time.Since(begin)
	if code, out, log := w.run(arguments...); code != 0 {
		t.Fatalf("got %d, %s, %s", code, out, log)
	}
	again := w.requests() - 2*records
	t.Logf("%d requests in %v until the kill, of which %d were paid for again", paid, took, again)
	if again > paid*3/4 {
		t.Errorf("%d of %d requests were paid for again", again, paid)
	}
}

func TestWhatIsWrongWithABucketIsSaid(t *testing.T) {
	unfit := s3test.New()
	unfit.Unfit = s3test.Unfit{Puts: true, Completions: true}
	for name, test := range map[string]struct {
		server *s3test.Server
		output []string
		key    string
		says   []string
	}{
		"a store that ignores conditions": {unfit, []string{"s3://bucket/team"}, s3test.AccessKey,
			[]string{"ObjectStoreUnfit", `"s3test"`, "If-None-Match"}},
		"another tenant's prefix": {&s3test.Server{Allowed: "theirs/"}, []string{"s3://bucket/team"}, s3test.AccessKey,
			[]string{"StorageFailed", "AccessDenied"}},
		"no such bucket":  {s3test.New(), []string{"s3://another"}, s3test.AccessKey, []string{"NoSuchBucket", "create the bucket"}},
		"a wrong key":     {s3test.New(), []string{"s3://bucket"}, "stranger", []string{"InvalidAccessKeyId", "correct the credentials"}},
		"another scheme":  {s3test.New(), []string{"gs://bucket"}, s3test.AccessKey, []string{"can't be written to gs://"}},
		"a wrong URL":     {s3test.New(), []string{"s3://Bucket/../x"}, s3test.AccessKey, []string{"--output must be s3://BUCKET"}},
		"a wrong bundle":  {s3test.New(), []string{"s3://bucket", "--output-ca", "reviews.yaml"}, s3test.AccessKey, []string{"no certificate in PEM"}},
		"a wrong setting": {s3test.New(), []string{"s3://bucket", "--output-addressing", "x"}, s3test.AccessKey, []string{"--output-addressing must be"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.server.Now == nil {
				allowed := test.server.Allowed
				test.server = s3test.New()
				test.server.Allowed = allowed
			}
			w, endpoint := bucketWorld(t, test.server)
			t.Setenv("AWS_ACCESS_KEY_ID", test.key)
			code, out, log := w.run(append([]string{"run", "-f", "reviews.yaml", "--output-endpoint", endpoint, "--output"}, test.output...)...)
			if code != exitFailed {
				t.Errorf("got %d", code)
			}
			contains(t, out+log, test.says...)
			if w.requests() > 0 || len(test.server.Keys()) > 0 || strings.Contains(out+log, s3test.SecretKey) {
				t.Errorf("%d requests were sent to models, %q are left: %s", w.requests(), test.server.Keys(), log)
			}
		})
	}
	w := newWorld(t, reviews, llmsim.Config{})
	if code, _, log := w.run("run", "-f", "reviews.yaml", "--output", "out", "--output-region", "x"); code != exitFailed ||
		!strings.Contains(log, "are for an --output in a bucket") {
		t.Errorf("got %d, %s", code, log)
	}
}
