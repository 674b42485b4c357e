package nationalid

import (
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/random"
)

// TestRulesKnowPublishedNumbers tries the rules on examples that authorities and standards publish, and on the same with another digit.
func TestRulesKnowPublishedNumbers(t *testing.T) {
	for country, number := range map[string]string{
		"AT": "1237 010180", "AU": "123 456 782", "BE": "85.07.30-033 28", "BR": "111.444.777-35", "CA": "130 692 544",
		"CH": "756.9217.0769.85", "CL": "12.345.678-5", "CN": "11010519491231002X", "CZ": "736028/5163", "DE": "86 095 742 719",
		"DK": "070761-4285", "ES": "12345678Z", "FI": "131052-308T", "FR": "2 55 08 14 168 025 38", "HK": "A123456(3)", "HR": "33392005961",
		"IE": "1234567T", "IN": "2341 2341 2346", "IR": "0499370899", "IT": "RSSMRA85T10A562S", "JP": "1234 5678 9018", "LV": "161175-19997",
		"NL": "111222333", "NZ": "049-091-850", "PL": "44051401359", "PT": "123456789", "RU": "112-233-445 95", "SE": "811218-9876",
		"SI": "0101006500006", "TR": "10000000146", "TW": "A123456789", "ZA": "8001015009087",
	} {
		passes := rules[country]
		if !passes(number) {
			t.Errorf("%s: the published number %s is refused", country, number)
		}
		for i, char := range number {
			if char < '0' || char > '9' {
				continue
			}
			other := number[:i] + string('0'+(char-'0'+1)%10) + number[i+1:]
			if passes(other) {
				t.Errorf("%s: %s passes, which differs from %s in one digit", country, other, number)
			}
		}
	}
}

// TestNumbersPassTheirRules draws numbers of many holders in each country.
func TestNumbersPassTheirRules(t *testing.T) {
	codes := map[string]string{"IT": "H501", "MX": "JC", "RO": "40", "RS": "71", "MK": "45", "CN": "110105", "TW": "F"}
	for _, scheme := range Schemes() {
		passes := rules[scheme.Country]
		if (passes != nil) != scheme.Checked {
			t.Errorf("%s: Checked is %v, and there is a rule: %v", scheme.Country, scheme.Checked, passes != nil)
		}
		stream := random.NewKey(1, scheme.Country).At(0)
		seen := map[string]bool{}
		const count = 2000
		for range count {
			day := time.Date(1905, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(stream.Below(120*365)))
			holder := &Holder{
				Birth: day, Female: stream.Below(2) == 0, First: "maria", Last: "rossi", Second: "lopez", Region: "Texas",
				Code: codes[scheme.Country], Postcode: "20100",
			}
			number := scheme.Draw(holder, &stream)
			seen[number] = true
			if passes != nil && !passes(number) {
				t.Fatalf("%s: %s, of somebody born %s, does not pass", scheme.Country, number, day.Format(time.DateOnly))
			}
			agrees(t, scheme.Country, number, holder)
		}
		if len(seen) < count/3 {
			t.Errorf("%s: only %d of %d numbers differ", scheme.Country, len(seen), count)
		}
	}
}

// agrees looks at the parts of a number that tell the birth and the sex of its holder.
func agrees(t *testing.T, country, number string, holder *Holder) {
	t.Helper()
	day := map[string]string{
		"AT": "020106", "BE": "060102", "CN": "20060102", "DK": "020106", "FI": "020106", "GR": "020106", "HU": "060102", "KR": "060102",
		"LU": "20060102", "LV": "020106", "MX": "060102", "NO": "020106", "RO": "060102", "SE": "060102", "ZA": "060102",
	}[country]
	plain := strings.NewReplacer(".", "", "-", "", " ", "").Replace(number)
	if day != "" && !strings.Contains(plain, holder.Birth.Format(day)) {
		t.Fatalf("%s: %s does not hold the birth on %s", country, number, holder.Birth.Format(time.DateOnly))
	}
	// The digit that is odd for men, by its place in the number without separators.
	if at, known := map[string]int{"BE": 8, "CN": 16, "DK": 9, "GR": 9, "NO": 8, "PL": 9, "SE": len(plain) - 2, "UA": 8}[country]; known {
		if isOdd := (plain[at]-'0')%2 == 1; isOdd == holder.Female {
			t.Fatalf("%s: %s tells another sex than that of its holder (female: %v)", country, number, holder.Female)
		}
	}
}

func TestUnknownCountryHasNoScheme(t *testing.T) {
	for _, country := range []string{"", "XX", "GB", "ZZ", "\xff"} {
		if scheme := Of(country); scheme != nil {
			t.Errorf("%q has the scheme %q", country, scheme.Name)
		}
	}
	for _, scheme := range Schemes() {
		if found := Of(scheme.Country); found == nil || found.Name != scheme.Name {
			t.Errorf("the scheme of %s is not found", scheme.Country)
		}
	}
}
