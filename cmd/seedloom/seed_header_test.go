package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
)

func TestHeadersOfTheSeedComeFromTheEnvironment(t *testing.T) {
	seeds := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Authorization") != "Bearer right-key" {
			writer.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(writer, "a\n1\n2\n")
	}))
	defer seeds.Close()
	w := newWorld(t, `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: reviews}
spec:
  numRecords: 2
  seed: {http: {url: "`+seeds.URL+`/a.csv", headers: [{name: Authorization, secretKeyRef: {name: data, key: bearer}}]}}
  columns: [{name: b, expression: {expr: "{{ a }}!"}}]
  output: {persistentVolumeClaim: {claimName: c}}
`, llmsim.Config{})
	t.Setenv("RIGHT", "Bearer right-key\n")
	t.Setenv("WRONG", "Bearer wrong-key")
	for _, test := range []struct {
		flags []string
		want  string
	}{
		{nil, "as in --seed-header Authorization=MY_VARIABLE"},
		{[]string{"--seed-header", "Authorization=NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE"},
		{[]string{"--seed-header", "Authorization=RIGHT", "--seed-header", "Cookie=RIGHT"}, `"Cookie"`},
		{[]string{"--seed-header", "Authorization=WRONG"}, "HTTP 401"},
		{[]string{"--seed-header", "Authorization=RIGHT", "--log-level", "debug"}, ""},
	} {
		code, out, log := w.run(append([]string{"run", "-f", "reviews.yaml", "--output", "out"}, test.flags...)...)
		if (code == exitOK) != (test.want == "") || !strings.Contains(log, test.want) || strings.Contains(out+log, "right-key") ||
			strings.Contains(out+log, "wrong-key") {
			t.Errorf("%q: got %d, %s, %s", test.flags, code, out, log)
		}
	}
}
