package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
)

// newChecker is a server that judges rows for those who have the key, which it repeats.
func newChecker(t *testing.T) *httptest.Server {
	t.Helper()
	checker := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Authorization") != "Bearer right-key" {
			writer.WriteHeader(http.StatusUnauthorized)
			return
		}
		var asked struct{ Data []any }
		_ = json.NewDecoder(request.Body).Decode(&asked)
		verdict := map[string]any{"is_valid": false, "error_messages": "for right-key"}
		_ = json.NewEncoder(writer).Encode(map[string]any{"data": slices.Repeat([]any{verdict}, len(asked.Data))})
	}))
	t.Cleanup(checker.Close)
	return checker
}

func TestHeadersOfValidatorsComeFromTheEnvironment(t *testing.T) {
	checker := newChecker(t)
	w := newWorld(t, `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: reviews}
spec:
  numRecords: 2
  columns:
  - {name: a, sampler: {type: Category, category: {values: [x, z]}}}
  - name: check
    validation:
      targets: [a]
      remote: {endpoint: "`+checker.URL+`", headers: [{name: Authorization, secretKeyRef: {name: checker, key: bearer}}]}
  output: {persistentVolumeClaim: {claimName: c}}
`, llmsim.Config{})
	t.Setenv("RIGHT", "Bearer right-key\n")
	t.Setenv("WRONG", "Bearer wrong-key")
	for _, test := range []struct {
		flags     []string
		want, has string
	}{
		{nil, "as in --validator-header check:Authorization=MY_VARIABLE", ""},
		{[]string{"--validator-header", "check:Authorization=NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE", ""},
		{[]string{"--validator-header", "check:Authorization=RIGHT", "--validator-header", "a:Authorization=RIGHT"}, `"a:Authorization"`, ""},
		{[]string{"--validator-header", "check:Authorization=WRONG"}, "", "status 401; see validation.remote.headers of the column"},
		{[]string{"--validator-header", "check:Authorization=RIGHT", "--log-level", "debug"}, "", "for [hidden]"},
	} {
		code, out, log := w.run(append([]string{"preview", "-f", "reviews.yaml", "-o", "json"}, test.flags...)...)
		if (code == exitOK) != (test.want == "") || !strings.Contains(log, test.want) || !strings.Contains(out, test.has) ||
			strings.Contains(out+log, "right-key") || strings.Contains(out+log, "wrong-key") {
			t.Errorf("%q: got %d, %s, %s", test.flags, code, out, log)
		}
	}
	code, out, log := w.run("run", "-f", "reviews.yaml", "--output", "out", "--validator-header", "check:Authorization=RIGHT")
	if code != exitOK {
		t.Fatalf("got %d, %s, %s", code, out, log)
	}
	files := 0
	err := filepath.WalkDir(w.path("out"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte("right-key")) {
			t.Errorf("%s has the key", path)
		}
		files++
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("looked at %d files, %v", files, err)
	}
}
