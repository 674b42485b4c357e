package people

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/golden"
)

func newSource(t testing.TB, spec *v1alpha1.PersonSampler) *Source {
	t.Helper()
	if spec != nil {
		if violations := Validate(spec); len(violations) > 0 {
			t.Fatalf("the spec is invalid: %v", violations)
		}
	}
	source, err := New(spec, 7, "customer", NewLibrary(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// drawn is the person of a row.
func drawn(t testing.TB, source *Source, row int64, attempt int32) []any {
	t.Helper()
	record := &table.Record{Row: table.RowIndex(row), Attempt: attempt}
	stream := random.NewKey(7, "customer").Of(record)
	person, err := source.Draw(&stream, record)
	if err != nil {
		t.Fatal(err)
	}
	return person
}

// TestPersonsAreCoherentInEveryLocale draws ten thousand persons of each locale, of all ages.
func TestPersonsAreCoherentInEveryLocale(t *testing.T) {
	if len(Locales()) < 40 {
		t.Errorf("there are %d locales", len(Locales()))
	}
	for _, code := range Locales() {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			source := newSource(t, &v1alpha1.PersonSampler{Locale: code, AgeRange: []int32{0, maxAge}})
			looked := newCoherence(t, source)
			rows := int64(10_000)
			if testing.Short() {
				rows = 200
			}
			for row := range rows {
				looked.at(drawn(t, source, row, 0))
			}
			if !testing.Short() {
				looked.variety()
			}
		})
	}
}

// coherence looks at persons of one locale.
type coherence struct {
	*testing.T
	source    *Source
	of        *locale
	first     [2]map[string]bool
	last      [2]map[string]bool
	initials  [2]map[string]string
	postcodes map[string][]*regexp.Regexp
	phones    map[string][]*regexp.Regexp
	seen      [memberCount]map[any]bool
}

func newCoherence(t *testing.T, source *Source) *coherence {
	c := &coherence{T: t, source: source, of: source.worlds[0].locale}
	c.postcodes, c.phones = map[string][]*regexp.Regexp{}, map[string][]*regexp.Regexp{}
	for sex := range 2 {
		c.first[sex], c.last[sex], c.initials[sex] = map[string]bool{}, map[string]bool{}, map[string]string{}
		for _, name := range c.of.first[sex] {
			c.first[sex][text(name.text)] = true
			if name.ascii != "" {
				c.initials[sex][text(name.text)] = name.ascii[:1]
			}
		}
		for _, name := range c.of.last[sex] {
			c.last[sex][text(name.text)] = true
		}
	}
	for i := range c.of.places {
		home := &c.of.places[i]
		at := home.city + "|" + home.region
		c.postcodes[at] = append(c.postcodes[at], expressions(home.postcodes, "")...)
		c.phones[at] = append(c.phones[at], expressions(c.of.phones, strings.Join(home.areas, "|"))...)
	}
	for member := range c.seen {
		c.seen[member] = map[any]bool{}
	}
	return c
}

// expressions are what texts of patterns match.
func expressions(patterns []pattern, given string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, pattern := range patterns {
		expression := "^"
		for _, part := range pattern {
			switch {
			case part.given:
				expression += "(" + given + ")"
			case part.oneOf != "":
				expression += "[" + part.oneOf + "]"
			default:
				expression += regexp.QuoteMeta(part.text)
			}
		}
		all = append(all, regexp.MustCompile(expression+"$"))
	}
	return all
}

func matches(all []*regexp.Regexp, text string) bool {
	return slices.ContainsFunc(all, func(one *regexp.Regexp) bool { return one.MatchString(text) })
}

func (c *coherence) at(person []any) {
	c.Helper()
	for member, value := range person {
		if len(c.seen[member]) < 1000 {
			c.seen[member][value] = true
		}
		if written, isText := value.(string); isText && (!utf8.ValidString(written) || written == "" || strings.TrimSpace(written) != written ||
			strings.ContainsAny(written, "{}\t\n|") || strings.Contains(written, "  ")) {
			c.Fatalf("%s is %q: %v", memberNames[member], written, person)
		}
	}
	if person[memberLocale] != c.of.code || person[memberCountry] != c.of.country {
		c.Fatalf("locale %v, country %v", person[memberLocale], person[memberCountry])
	}
	c.names(person)
	c.life(person)
	c.home(person)
	c.contacts(person)
	hasNumber, hasType := person[memberNationalID] != nil, person[memberNationalIDType] != nil
	if hasNumber != (c.of.national != nil) || hasNumber != hasType {
		c.Fatalf("national_id %v, national_id_type %v", person[memberNationalID], person[memberNationalIDType])
	}
}

func (c *coherence) names(person []any) {
	c.Helper()
	sex := slices.Index(sexNames[:], person[memberSex])
	if sex < 0 || !c.first[sex][text(person[memberFirstName])] {
		c.Fatalf("%v is no first name of sex %v", person[memberFirstName], person[memberSex])
	}
	last := text(person[memberLastName])
	if first, _, _ := strings.Cut(last, c.of.separator); !c.last[sex][last] && (c.of.doubled == 0 || !c.last[sex][first] && !c.anyLast(last)) {
		c.Fatalf("%v is no last name of sex %v", last, person[memberSex])
	}
	full := text(person[memberFullName])
	if !strings.Contains(full, text(person[memberFirstName])) || !strings.Contains(full, last) {
		c.Fatalf("full_name %q lacks a name of %v", full, person)
	}
	if c.of.hasPatronymics() && !strings.Contains(full, text(person[memberMiddleName])) {
		c.Fatalf("full_name %q lacks the patronymic of %v", full, person)
	}
}

// anyLast says whether a text begins with a last name: those may have a separator in them themselves.
func (c *coherence) anyLast(text string) bool {
	for name := range c.last[0] {
		if strings.HasPrefix(text, name+c.of.separator) {
			return true
		}
	}
	for name := range c.last[1] {
		if strings.HasPrefix(text, name+c.of.separator) {
			return true
		}
	}
	return false
}

func (c *coherence) life(person []any) {
	c.Helper()
	age := person[memberAge].(int64)
	birth := time.Unix(int64(person[memberBirthDate].(table.Date))*86400, 0).UTC()
	if age < 0 || age > maxAge || int64(ageOn(birth, c.source.asOf)) != age {
		c.Fatalf("age %d, born %s", age, birth.Format(time.DateOnly))
	}
	if age < 18 && person[memberMaritalStatus] != "never_married" {
		c.Fatalf("%v at the age of %d", person[memberMaritalStatus], age)
	}
	level := slices.IndexFunc(educations[:], func(e education) bool { return e.level == person[memberEducationLevel] })
	if level < 0 || age < int64(educations[level].from) || age >= 18 && level < levelSecondary {
		c.Fatalf("%v at the age of %d", person[memberEducationLevel], age)
	}
	if hasField := person[memberBachelorsField] != noDegree; hasField != (level >= levelBachelor) {
		c.Fatalf("bachelors_field %v with %v", person[memberBachelorsField], person[memberEducationLevel])
	}
	job := person[memberOccupation]
	switch {
	case age < 6 && job != nil, age >= 6 && age < workingAge && job != pupil, age >= retirement && job != retired,
		age >= 26 && job == student, age < earlyRetirement && job == retired:
		c.Fatalf("occupation %v at the age of %d", job, age)
	}
	if job != nil && job != pupil && job != student && job != retired && !slices.Contains(occupations[level], job) {
		c.Fatalf("occupation %v with %v", job, person[memberEducationLevel])
	}
}

func (c *coherence) home(person []any) {
	c.Helper()
	at := text(person[memberCity]) + "|" + text(person[memberRegion])
	postcodes, known := c.postcodes[at]
	if !known {
		c.Fatalf("there is no place %q", at)
	}
	if postcode := text(person[memberPostcode]); postcode == "" && len(postcodes) > 0 || postcode != "" && !matches(postcodes, postcode) {
		c.Fatalf("the postcode %q is not of %s", postcode, at)
	}
	address := text(person[memberAddress])
	for _, member := range []int{memberCity, memberStreetName, memberStreetNumber, memberUnit} {
		if !strings.Contains(address, text(person[member])) {
			c.Fatalf("address %q lacks %s %v", address, memberNames[member], person[member])
		}
	}
}

var addressForm = regexp.MustCompile(`^[a-z]+([._]?[a-z]+)?[0-9]*@example\.(com|net|org)$`)

func (c *coherence) contacts(person []any) {
	c.Helper()
	isAdult, hasPhone, hasEmail := person[memberAge].(int64) >= adult, person[memberPhoneNumber] != nil, person[memberEmailAddress] != nil
	if isAdult != hasPhone || isAdult != hasEmail {
		c.Fatalf("at the age of %d: telephone %v, e-mail %v", person[memberAge], person[memberPhoneNumber], person[memberEmailAddress])
	} else if !isAdult {
		return
	}
	at := text(person[memberCity]) + "|" + text(person[memberRegion])
	if !matches(c.phones[at], text(person[memberPhoneNumber])) {
		c.Fatalf("the telephone number %v is not of %s", person[memberPhoneNumber], at)
	}
	address := text(person[memberEmailAddress])
	if !addressForm.MatchString(address) {
		c.Fatalf("e-mail address %q", address)
	}
	sex := slices.Index(sexNames[:], person[memberSex])
	if initial := c.initials[sex][text(person[memberFirstName])]; !strings.Contains(address, initial) {
		c.Fatalf("e-mail address %q of %v", address, person[memberFirstName])
	}
}

// variety looks at what was seen: that nothing that varies is always the same.
func (c *coherence) variety() {
	c.Helper()
	least := map[int]int{
		memberUUID: 1000, memberFirstName: 25, memberLastName: 15, memberSex: 2, memberAge: 100, memberBirthDate: 1000,
		memberMaritalStatus: 5, memberEducationLevel: 8, memberBachelorsField: 6, memberOccupation: 130, memberEmailAddress: 900,
		memberPhoneNumber: 900, memberStreetName: 25, memberCity: 9, memberRegion: 3, memberAddress: 1000,
	}
	for member, count := range least {
		if len(c.seen[member]) < count {
			c.Errorf("%s has %d values", memberNames[member], len(c.seen[member]))
		}
	}
}

func TestDrawsDependOnTheRowAlone(t *testing.T) {
	spec := &v1alpha1.PersonSampler{Locales: []v1alpha1.WeightedValue{{Value: "de_DE"}, {Value: "ja_JP"}, {Value: "pt_BR"}}}
	one, other := newSource(t, spec), newSource(t, spec)
	var forward, backward [200][]any
	for row := range forward {
		forward[row] = drawn(t, one, int64(row), 0)
	}
	for row := len(backward) - 1; row >= 0; row-- {
		backward[row] = drawn(t, other, int64(row), 0)
	}
	for row := range forward {
		if !slices.Equal(forward[row], backward[row]) {
			t.Fatalf("row %d is %v, and %v when drawn in another order", row, forward[row], backward[row])
		}
		if again := drawn(t, one, int64(row), 1); again[memberUUID] == forward[row][memberUUID] {
			t.Fatalf("row %d has the same person in its second attempt", row)
		}
	}
}

// TestDrawsAreFrozen holds what a seed gives in each locale: users keep their datasets.
func TestDrawsAreFrozen(t *testing.T) {
	var got []byte
	for _, code := range Locales() {
		var err error
		person := drawn(t, newSource(t, &v1alpha1.PersonSampler{Locale: code}), 42, 0)
		if got, err = table.AppendRecordJSON(got, Type(nil).Fields, person); err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
	}
	golden.Check(t, "testdata/persons.jsonl", string(got), "users would get other persons for the same seed")
}

func TestUniqueEmailsAcrossRowsAndShards(t *testing.T) {
	// Each shard has a source of its own, and every third row.
	seen := map[any]int64{}
	for shard := range int64(3) {
		source := newSource(t, &v1alpha1.PersonSampler{Locale: "sv_SE", Emails: v1alpha1.EmailsUnique})
		for row := shard; row < 120_000; row += 3 {
			address := drawn(t, source, row, int32(row%2))[memberEmailAddress]
			if other, taken := seen[address]; taken {
				t.Fatalf("rows %d and %d both have %v", other, row, address)
			}
			seen[address] = row
		}
	}
	source := newSource(t, &v1alpha1.PersonSampler{Locale: "sv_SE", Emails: v1alpha1.EmailsUnique})
	for ordinal := range int32(5) {
		record := &table.Record{Row: 17, Ordinal: ordinal + 1}
		stream := random.NewKey(7, "customer").Of(record)
		person, err := source.Draw(&stream, record)
		if _, taken := seen[person[memberEmailAddress]]; taken || err != nil {
			t.Fatalf("an added row has %v, %v", person[memberEmailAddress], err)
		}
		seen[person[memberEmailAddress]] = -1
	}
}

func weight(text string) *v1alpha1.Decimal {
	value, err := v1alpha1.NewDecimal(text)
	if err != nil {
		panic(err)
	}
	return &value
}

func TestSharesOfSexesAgesRegionsAndLocales(t *testing.T) {
	low, middle, high := int32(20), int32(30), int32(40)
	source := newSource(t, &v1alpha1.PersonSampler{
		Locales: []v1alpha1.WeightedValue{{Value: "de_DE", Weight: weight("3")}, {Value: "de_AT"}},
		Sexes: []v1alpha1.PersonSexShare{
			{Value: v1alpha1.PersonMale, Weight: weight("1")}, {Value: v1alpha1.PersonFemale, Weight: weight("4")},
		},
		Ages:    []v1alpha1.AgeGroup{{Min: &low, Max: &low, Weight: weight("0.25")}, {Min: &middle, Max: &high, Weight: weight("0.75")}},
		Regions: []v1alpha1.WeightedValue{{Value: "Bayern"}, {Value: "Hessen", Weight: weight("3")}, {Value: "Tirol"}},
	})
	const count = 20_000
	counts := map[any]float64{}
	for row := range int64(count) {
		person := drawn(t, source, row, 0)
		for _, member := range []int{memberLocale, memberSex, memberRegion} {
			counts[person[member]]++
		}
		if person[memberAge] == int64(low) {
			counts["young"]++
		}
		if age := person[memberAge].(int64); age != 20 && (age < 30 || age > 40) {
			t.Fatalf("age %d", age)
		}
	}
	for value, share := range map[any]float64{
		"de_DE": 0.75, "de_AT": 0.25, "Male": 0.2, "Female": 0.8, "young": 0.25, "Bayern": 0.75 * 0.25, "Hessen": 0.75 * 0.75, "Tirol": 0.25,
	} {
		// Five standard deviations of a binomial distribution are 0.0177 at most.
		if got := counts[value] / count; got < share-0.0177 || got > share+0.0177 {
			t.Errorf("%v has a share of %.4f, not of %.4f", value, got, share)
		}
	}
}

func TestCitiesAndDomains(t *testing.T) {
	source := newSource(t, &v1alpha1.PersonSampler{
		Locale: "fr_FR", Cities: []v1alpha1.WeightedValue{{Value: "Lyon"}, {Value: "Brest", Weight: weight("0")}, {Value: "Nice"}},
		EmailDomains: []v1alpha1.WeightedValue{{Value: "mail.test"}},
	})
	counts := map[any]int{}
	for row := range int64(2000) {
		person := drawn(t, source, row, 0)
		counts[person[memberCity]]++
		if !strings.HasSuffix(text(person[memberEmailAddress]), "@mail.test") {
			t.Fatalf("e-mail address %v", person[memberEmailAddress])
		}
	}
	if len(counts) != 2 || counts["Lyon"] < 800 || counts["Nice"] < 800 {
		t.Errorf("the cities are %v", counts)
	}
}

func TestBirthdaysAtTheEndOfFebruary(t *testing.T) {
	key := random.NewKey(1, "birthdays")
	for _, day := range []string{"2024-02-28", "2024-02-29", "2024-03-01", "2023-02-28", "2023-03-01", "2026-01-01", "2026-12-31"} {
		on, _ := time.Parse(time.DateOnly, day)
		for number := range uint64(20_000) {
			stream := key.At(number)
			age := int(number % (maxAge + 1))
			if birth := birthday(&stream, on, age); ageOn(birth, on) != age {
				t.Fatalf("born on %s, somebody is %d on %s, not %d", birth.Format(time.DateOnly), ageOn(birth, on), day, age)
			}
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, code := range []string{"en_US", "de_DE", "it_IT", "ja_JP", "ru_RU"} {
		b.Run(code, func(b *testing.B) {
			source := newSource(b, &v1alpha1.PersonSampler{Locale: code, Emails: v1alpha1.EmailsUnique})
			key := random.NewKey(7, "customer")
			record := &table.Record{}
			b.ReportAllocs()
			for b.Loop() {
				record.Row++
				stream := key.Of(record)
				if _, err := source.Draw(&stream, record); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "persons/s")
		})
	}
}
