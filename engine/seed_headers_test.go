package engine_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestASeedThatChangesOnItsServerIsNamed(t *testing.T) {
	t.Parallel()
	const secret = "Bearer hush-hush"
	var version atomic.Value
	version.Store("one")
	seeds := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Authorization") != secret {
			writer.WriteHeader(http.StatusUnauthorized)
			return
		}
		title := version.Load().(string)
		writer.Header().Set("ETag", strconv.Quote(title))
		writer.Header().Set("Last-Modified", secret)
		fmt.Fprintf(writer, "title,year\n%s,1979\n", title)
	}))
	t.Cleanup(seeds.Close)
	w := newWorld(t, strings.Replace(basicSpec, "configMap: {name: s, key: seed.csv}", `http: {url: "`+seeds.URL+
		`/seed.csv", headers: [{name: Authorization, secretKeyRef: {name: s, key: k}}]}`, 1), newEndpoint(t, echo).URL)
	var log bytes.Buffer
	generate := func() engine.Ending {
		config := w.config(0)
		config.SeedHeader = func(int) string { return secret }
		config.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		return engine.Generate(t.Context(), config)
	}
	checkEnding(t, generate(), runreport.OutcomeComplete, "", runreport.ExitOK, 25, 0)
	version.Store("other")
	w.spec.NumRecords = 30
	ending := generate()
	checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonSeedChanged, runreport.ExitInvalid, 25, 0)
	want := `(then it was 20 bytes, ETag "one", modified [hidden], now it is 22 bytes, ETag "other", modified [hidden])`
	if !strings.Contains(ending.Result.Message, want) {
		t.Errorf("%q does not say %s", ending.Result.Message, want)
	}
	if strings.Contains(log.String()+ending.Result.Message, "hush-hush") {
		t.Error("the log or the message has the header")
	}
	err := filepath.WalkDir(w.output, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte("hush-hush")) {
			t.Errorf("%s has the header", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
