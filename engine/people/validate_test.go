package people

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
)

func TestWhatIsWrongIsReported(t *testing.T) {
	for _, test := range []struct{ spec, field, message string }{
		{"locale: de_DD", "locale", `no locale is called "de_DD"; did you mean "de_DE"? The locales are af_ZA, ar_EG, `},
		{"locale: de-DE", "locale", `did you mean "de_DE"?`},
		{"locale: Klingon-of-the-north", "locale", `"Klingon-of-the-north". The locales are`},
		{`locale: "\0../../etc/passwd"`, "locale", "no locale is called"},
		{"locale: en_US\nlocales: [{value: de_DE}]", "locale", "can't be set beside locales"},
		{"locales: [{value: de_DE}, {value: de_DE}]", "locales[1].value", "is there twice"},
		{"locales: [{value: de_DE, weight: 0}]", "locales", "at least one weight must be above 0"},
		{"locales: [{value: de_DE, weight: -1}, {value: de_AT, weight: 2}]", "locales[0].weight", "must not be negative"},
		{"locales: [{value: xx_XX}]", "locales[0].value", "no locale is called"},
		{"sexes: [{value: Other}]", "sexes[0].value", "must be Female or Male"},
		{"sexes: [{value: Male}, {value: Male}]", "sexes[1].value", "is there twice"},
		{"sexes: [{value: Male, weight: 0}]", "sexes", "at least one weight"},
		{"ageRange: [30, 20]", "ageRange", "the lowest age 30 is above the highest, which is 20"},
		{"ageRange: [18]", "ageRange", "has 1 numbers"},
		{"ageRange: [-1, 20]", "ageRange", "from 0 to 114, but these are from -1 to 20"},
		{"ageRange: [18, 115]", "ageRange", "from 0 to 114"},
		{"ageRange: [18, 20]\nages: [{min: 1, max: 2}]", "ageRange", "can't be set beside ages"},
		{"ages: [{min: 5}]", "ages[0]", "min and max are required"},
		{"ages: [{min: 5, max: 4}]", "ages[0]", "above the highest"},
		{"ages: [{min: 5, max: 6, weight: 0}]", "ages", "at least one weight"},
		{"asOf: yesterday", "asOf", "must be a day from 2015-01-01 to 2035-12-31"},
		{"asOf: 2026-02-30", "asOf", "must be a day"},
		{"asOf: 1980-01-01", "asOf", "must be a day"},
		{"regions: [{value: Baiern}]\nlocale: de_DE", "regions[0].value", `the locale has no region called "Baiern"; did you mean "Bayern"?`},
		{"regions: [{value: Texas, weight: 0}]", "regions", "at least one weight"},
		{"cities: [{value: Münster}]", "cities[0].value", "the locale has no city called"},
		{"regions: [{value: Texas}]\ncities: [{value: Chicago}]", "cities", "none of them is in one of the regions, in the locale en_US"},
		{"locales: [{value: de_DE}, {value: fr_FR}]\nregions: [{value: Bayern}]", "regions", "none of them is in the locale fr_FR"},
		{"emails: Sometimes", "emails", "must be Any or Unique"},
		{"emailDomains: [{value: me@mail.test}]", "emailDomains[0].value", "is no domain"},
		{"emailDomains: [{value: localhost}]", "emailDomains[0].value", "is no domain"},
		{`emailDomains: [{value: "a\nb.test"}]`, "emailDomains[0].value", "is no domain"},
		{"dataset: {}", "dataset", "exactly one of configMap, persistentVolumeClaim, http must be set, but 0 are"},
		{"dataset: {configMap: {name: a, key: b}, http: {url: x}}", "dataset", "but 2 are"},
		{"dataset: {configMap: {name: a, key: b}}\nages: [{min: 1, max: 2}]", "ages", "filter with ageRange"},
		{"dataset: {configMap: {name: a, key: b}}\nlocales: [{value: de_DE}]", "locales", "have no effect on persons of a dataset"},
		{"dataset: {configMap: {name: a, key: b}}\nsexes: [{value: Male, weight: 2}]", "sexes[0].weight", "has no effect"},
		{"dataset: {configMap: {name: a, key: b}}\nregions: [{value: X, weight: 2}]", "regions[0].weight", "has no effect"},
		{"dataset: {configMap: {name: a, key: b}, members: [{name: age}]}", "dataset.members[0].name", "every person has the member age"},
		{"dataset: {configMap: {name: a, key: b}, members: [{name: a-b}]}", "dataset.members[0].name", "can't be used in templates"},
		{"dataset: {configMap: {name: a, key: b}, members: [{name: p}, {name: p}]}", "dataset.members[1].name", "is there twice"},
		{"dataset: {configMap: {name: a, key: b}, where: [{column: sex, values: [Male]}]}\nsexes: [{value: Male}]", "dataset.where[0].column",
			"is filtered by sexes already"},
		{"dataset: {configMap: {name: a, key: b}, where: [{column: state, values: [TX]}]}\nregions: [{value: Ohio}]", "dataset.where[0].column",
			"is filtered by regions already"},
		{"dataset: {configMap: {name: a, key: b}, where: [{column: p, values: []}]}", "dataset.where[0].values", "at least one value"},
		{"dataset: {configMap: {name: a, key: b}, where: [{column: '', values: [a]}]}", "dataset.where[0].column", "must not be empty"},
	} {
		spec := &v1alpha1.PersonSampler{}
		if err := yaml.UnmarshalStrict([]byte(test.spec), spec); err != nil {
			t.Fatalf("%s: %v", test.spec, err)
		}
		violations := Validate(spec)
		found := false
		for _, violation := range violations {
			found = found || violation.Field == test.field && strings.Contains(violation.Message, test.message)
		}
		if !found {
			t.Errorf("%s\nis reported as %q, not as %s: %s", test.spec, violations, test.field, test.message)
		}
	}
}

func TestAllThatIsWrongIsReportedAtOnce(t *testing.T) {
	spec := &v1alpha1.PersonSampler{Locale: "xx", AgeRange: []int32{9, 1}, AsOf: "never", Emails: "Often"}
	if violations := Validate(spec); len(violations) != 4 {
		t.Errorf("these are reported: %q", violations)
	}
}

func TestWrittenDefaultsAreTheSameSpec(t *testing.T) {
	spec := &v1alpha1.PersonSampler{}
	WriteDefaults(spec)
	if violations := Validate(spec); len(violations) > 0 {
		t.Fatalf("the defaults are invalid: %v", violations)
	}
	written, empty := newSource(t, spec), newSource(t, &v1alpha1.PersonSampler{})
	for row := range int64(100) {
		one, other := drawn(t, written, row, 0), drawn(t, empty, row, 0)
		for member := range one {
			if one[member] != other[member] {
				t.Fatalf("row %d: %s is %v, and %v by the defaults that are written out", row, memberNames[member], other[member], one[member])
			}
		}
	}
}
