// Package nationalid makes up national identification numbers whose parts and check digits are as their countries publish them. A number
// may be that of a living person, as any number of the form may; nothing else of persons is known here.
package nationalid

import (
	"slices"
	"strings"
	"time"

	"seedloom.dev/seedloom/engine/random"
)

// Holder is what a number may depend on.
type Holder struct {
	Birth  time.Time
	Female bool
	// First is the first name, and Last the first last name, in lower-case ASCII letters; Second is the second last name where there is one.
	First, Last, Second string
	// Region is the region of the place, Code the code that the country's numbers have for it, and Postcode its postcode. They may be empty.
	Region, Code, Postcode string
}

// Scheme is the numbers of a country.
type Scheme struct {
	// Country is its code in ISO 3166, and Name what the country calls the number.
	Country, Name string
	// Checked says that the number has a check digit, or a check letter.
	Checked bool
	// draw makes up a number.
	draw func(h *Holder, s *random.Stream) string
}

// Draw makes up the number of a holder.
func (s *Scheme) Draw(h *Holder, stream *random.Stream) string { return s.draw(h, stream) }

// Of returns the scheme of a country, or nil where none is known.
func Of(country string) *Scheme {
	schemes := Schemes()
	at, found := slices.BinarySearchFunc(schemes, country, func(s Scheme, code string) int { return strings.Compare(s.Country, code) })
	if !found {
		return nil
	}
	return &schemes[at]
}

// Schemes are the schemes that are known, in the order of their countries.
func Schemes() []Scheme {
	return []Scheme{
		{"AR", "CUIL", true, argentina},
		{"AT", "Sozialversicherungsnummer", true, austria},
		{"AU", "Tax File Number", true, australia},
		{"BE", "Rijksregisternummer", true, belgium},
		{"BR", "CPF", true, brazil},
		{"CA", "Social Insurance Number", true, canada},
		{"CH", "AHV-Nummer", true, switzerland},
		{"CL", "RUT", true, chile},
		{"CN", "Resident Identity Number", true, china},
		{"CZ", "Rodné číslo", true, czechoslovakia},
		{"DE", "Steueridentifikationsnummer", true, germany},
		{"DK", "CPR-nummer", true, denmark},
		{"ES", "DNI", true, spain},
		{"FI", "Henkilötunnus", true, finland},
		{"FR", "Numéro de sécurité sociale", true, france},
		{"GR", "AMKA", true, greece},
		{"HK", "Hong Kong Identity Card", true, hongKong},
		{"HR", "OIB", true, croatia},
		{"HU", "Személyi azonosító", true, hungary},
		{"IE", "PPS Number", true, ireland},
		{"IL", "Mispar Zehut", true, israel},
		{"IN", "Aadhaar", true, india},
		{"IR", "Code Melli", true, iran},
		{"IT", "Codice fiscale", true, italy},
		{"JP", "My Number", true, japan},
		{"KR", "Resident Registration Number", true, korea},
		{"LU", "Matricule", true, luxembourg},
		{"LV", "Personas kods", true, latvia},
		{"MD", "IDNP", true, moldova},
		{"MK", "EMBG", true, yugoslavia},
		{"MX", "CURP", true, mexico},
		{"NL", "Burgerservicenummer", true, netherlands},
		{"NO", "Fødselsnummer", true, norway},
		{"NZ", "IRD Number", true, newZealand},
		{"PL", "PESEL", true, poland},
		{"PT", "NIF", true, portugal},
		{"RO", "CNP", true, romania},
		{"RS", "JMBG", true, yugoslavia},
		{"RU", "SNILS", true, russia},
		{"SA", "National ID", true, saudiArabia},
		{"SE", "Personnummer", true, sweden},
		{"SI", "EMŠO", true, yugoslavia},
		{"SK", "Rodné číslo", true, czechoslovakia},
		{"TH", "National ID", true, thailand},
		{"TR", "T.C. Kimlik No", true, turkey},
		{"TW", "National ID", true, taiwan},
		{"UA", "RNOKPP", true, ukraine},
		{"US", "Social Security Number", false, unitedStates},
		{"ZA", "ID Number", true, southAfrica},
	}
}

// digits appends so many random digits to a number.
func digits(number []byte, s *random.Stream, count int) []byte {
	for range count {
		number = append(number, '0'+byte(s.Below(10)))
	}
	return number
}

// between appends a number from low to high, both included, with so many digits.
func between(number []byte, s *random.Stream, low, high uint64, width int) []byte {
	return decimal(number, low+s.Below(high-low+1), width)
}

// decimal appends a number with so many digits.
func decimal(number []byte, value uint64, width int) []byte {
	start := len(number)
	for range width {
		number = append(number, '0')
	}
	for at := len(number) - 1; at >= start; at-- {
		number[at] = '0' + byte(value%10)
		value /= 10
	}
	return number
}

// parity appends so many digits, of which the last is odd or even.
func parity(number []byte, s *random.Stream, count int, odd bool) []byte {
	number = digits(number, s, count-1)
	last := byte(2 * s.Below(5))
	if odd {
		last++
	}
	return append(number, '0'+last)
}

// sum is that of the digits of a number, each times its weight.
func sum(number []byte, weights ...int) int {
	total := 0
	for i, weight := range weights {
		total += int(number[i]-'0') * weight
	}
	return total
}

// drawn repeats a draw until it gives a number: some numbers have no check digit, and are not given to anybody.
func drawn(attempt func() (string, bool)) string {
	for {
		if number, valid := attempt(); valid {
			return number
		}
	}
}

// luhn is the check digit of a number by Luhn's formula (ISO/IEC 7812-1).
func luhn(number []byte) byte {
	total := 0
	for i := range number {
		digit := int(number[len(number)-1-i] - '0')
		if i%2 == 0 {
			if digit *= 2; digit > 9 {
				digit -= 9
			}
		}
		total += digit
	}
	return '0' + byte((10-total%10)%10)
}

// iso7064 is the check digit of a number by ISO/IEC 7064, MOD 11,10.
func iso7064(number []byte) byte {
	product := 10
	for _, digit := range number {
		rest := (int(digit-'0') + product) % 10
		if rest == 0 {
			rest = 10
		}
		product = rest * 2 % 11
	}
	return '0' + byte((11-product)%10)
}

// verhoeff is the check digit of a number by Verhoeff's algorithm, which calculates in the dihedral group of ten elements.
func verhoeff(number []byte) byte {
	const (
		product     = "0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210"
		permutation = "01234567891576283094580379614289160435279453126870428657390127938064157046913258"
		inverse     = "0432156789"
	)
	check := byte(0)
	for i := range number {
		digit := number[len(number)-1-i] - '0'
		permuted := permutation[(i+1)%8*10+int(digit)] - '0'
		check = product[int(check)*10+int(permuted)] - '0'
	}
	return inverse[check]
}

// grouped puts separators into a number: each # of the form is its next character.
func grouped(number []byte, form string) string {
	var text strings.Builder
	for _, char := range form {
		if char == '#' {
			text.WriteByte(number[0])
			number = number[1:]
			continue
		}
		text.WriteRune(char)
	}
	return text.String()
}

// appendDate appends a day in one of Go's forms of dates.
func appendDate(number []byte, day time.Time, form string) []byte {
	return day.AppendFormat(number, form)
}
