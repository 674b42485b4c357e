package plan_test

import (
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/plan"
)

// fromWeb is a spec whose seed has headers.
func fromWeb(t *testing.T, headers, rest string) (violations []string, hash string) {
	t.Helper()
	source := `http: {url: "https://data.test/a.csv", headers: [` + headers + "]" + rest + "}"
	text := strings.Replace(valid, "configMap: {name: s, key: a.csv}", source, 1)
	if text == valid {
		t.Fatal("the spec has no seed of a ConfigMap")
	}
	spec := parse(t, text)
	for _, violation := range plan.Validate(spec) {
		violations = append(violations, violation.Field+": "+violation.Message)
	}
	return violations, plan.ConfigHash(spec)
}

func TestHeadersOfSeeds(t *testing.T) {
	got, _ := fromWeb(t, `{name: Accept, value: text/csv}, {name: accept, value: a}, {name: Host, value: a}, {name: range, value: a},
  {name: "a b", value: c}, {name: X-A}, {name: X-B, value: a, secretKeyRef: {name: s, key: k}}, {name: X-C, value: "a\nb"},
  {name: Authorization, secretKeyRef: {name: s, key: k}}`, "")
	want := []string{
		"spec.seed.http.headers[1].name: accept comes twice; the names of headers do not differ by upper and lower case",
		"spec.seed.http.headers[2].name: Host is set by the engine",
		"spec.seed.http.headers[3].name: range is set by the engine",
		`spec.seed.http.headers[4].name: "a b" is not the name of a header`,
		"spec.seed.http.headers[5]: exactly one of value and secretKeyRef must be set",
		"spec.seed.http.headers[6]: exactly one of value and secretKeyRef must be set",
		"spec.seed.http.headers[7].value: holds a character that no header may have, such as a line break",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestHeadersOfSeedsNameNoRun(t *testing.T) {
	_, base := fromWeb(t, "{name: Accept, value: text/csv}", "")
	if _, other := fromWeb(t, "{name: Authorization, secretKeyRef: {name: s, key: k}}", ""); other != base {
		t.Error("another key is another run")
	}
	if _, other := fromWeb(t, "{name: Accept, value: text/csv}", ", sha256: "+strings.Repeat("a", 64)); other == base {
		t.Error("another checksum is the same run")
	}
}

// judgedByServer is a spec with a column that a server judges which gets headers.
func judgedByServer(t *testing.T, headers string) (violations []string, hash string) {
	t.Helper()
	spec := parse(t, strings.Replace(valid, "columns:\n", `columns:
- {name: judged, validation: {targets: [stars], remote: {endpoint: "https://checker.test/"`+headers+`}}}
`, 1))
	for _, violation := range plan.Validate(spec) {
		violations = append(violations, violation.Field+": "+violation.Message)
	}
	return violations, plan.ConfigHash(spec)
}

func TestHeadersOfValidators(t *testing.T) {
	got, _ := judgedByServer(t, `, headers: [{name: X-Rules, value: strict}, {name: content-type, value: a}, {name: Host, value: a},
  {name: X-A}, {name: Authorization, secretKeyRef: {name: s, key: k}}]`)
	want := []string{
		"spec.columns[0].validation.remote.headers[1].name: content-type is set by the engine",
		"spec.columns[0].validation.remote.headers[2].name: Host is set by the engine",
		"spec.columns[0].validation.remote.headers[3]: exactly one of value and secretKeyRef must be set",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestHeadersOfValidatorsNameNoRun(t *testing.T) {
	_, base := judgedByServer(t, "")
	if _, other := judgedByServer(t, ", headers: [{name: Authorization, secretKeyRef: {name: s, key: k}}]"); other != base {
		t.Error("a key is another run")
	}
}
