package nationalid

import (
	"strconv"
	"strings"

	"seedloom.dev/seedloom/engine/random"
)

// austria: a serial number, a check digit, and the day of birth.
func austria(h *Holder, s *random.Stream) string {
	return drawn(func() (string, bool) {
		number := appendDate(between(nil, s, 100, 999, 3), h.Birth, "020106")
		check := sum(number, 3, 7, 9, 5, 8, 4, 2, 1, 6) % 11
		if check == 10 {
			return "", false
		}
		return string(number[:3]) + strconv.Itoa(check) + " " + string(number[3:]), true
	})
}

// belgium: the day of birth, an odd serial number for men, and what is missing to a multiple of 97. Those born since 2000 have a 2 before
// what is divided.
func belgium(h *Holder, s *random.Stream) string {
	number := appendDate(nil, h.Birth, "060102")
	serial := 1 + 2*s.Below(499)
	if h.Female {
		serial++
	}
	number = decimal(number, serial, 3)
	value, _ := strconv.Atoi(string(number))
	if h.Birth.Year() >= 2000 {
		value += 2_000_000_000
	}
	return grouped(decimal(number, uint64(97-value%97), 2), "##.##.##-### ##")
}

// switzerland: 756, and a check digit as that of EAN-13.
func switzerland(_ *Holder, s *random.Stream) string {
	number := digits([]byte("756"), s, 9)
	check := (10 - sum(number, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3)%10) % 10
	return grouped(append(number, '0'+byte(check)), "###.####.####.##")
}

// germany: ten digits of which one occurs twice, one not at all, and a check digit by ISO 7064.
func germany(_ *Holder, s *random.Stream) string {
	twice, without := byte('0'+s.Below(10)), byte('0'+s.Below(9))
	if without >= twice {
		without++
	}
	number := []byte{twice}
	for digit := byte('0'); digit <= '9'; digit++ {
		if digit != without {
			number = append(number, digit)
		}
	}
	for i := len(number) - 1; i > 0; i-- {
		j := int(s.Below(uint64(i + 1)))
		number[i], number[j] = number[j], number[i]
	}
	for at := 1; number[0] == '0'; at++ {
		number[0], number[at] = number[at], number[0]
	}
	return grouped(append(number, iso7064(number)), "## ### ### ###")
}

// spain: eight digits, and a letter for what is left after a division by 23.
func spain(_ *Holder, s *random.Stream) string {
	value := s.Below(100_000_000)
	return string(append(decimal(nil, value, 8), "TRWAGMYFPDXBNJZSQVHLCKE"[value%23]))
}

// france: sex, year and month of birth, department, commune, order, and what is missing to a multiple of 97. The two departments of Corsica
// count as 19 and 18.
func france(h *Holder, s *random.Stream) string {
	number := []byte("1")
	if h.Female {
		number[0] = '2'
	}
	number = appendDate(number, h.Birth, "0601")
	department := "75"
	if len(h.Postcode) >= 2 {
		department = h.Postcode[:2]
	}
	number = append(number, department...)
	number = between(between(number, s, 1, 589, 3), s, 1, 999, 3)
	value, _ := strconv.ParseInt(string(number), 10, 64)
	if department == "20" {
		number[6] = "AB"[s.Below(2)]
		value, _ = strconv.ParseInt(strings.NewReplacer("2A", "19", "2B", "18").Replace(string(number)), 10, 64)
	}
	return grouped(decimal(number, uint64(97-value%97), 2), "# ## ## ## ### ### ##")
}

// ireland: seven digits, and a letter for what is left after a division by 23.
func ireland(_ *Holder, s *random.Stream) string {
	number := digits(nil, s, 7)
	return string(append(number, "WABCDEFGHIJKLMNOPQRSTUV"[sum(number, 8, 7, 6, 5, 4, 3, 2)%23]))
}

// luxembourg: the day of birth, a serial number, and check digits by Luhn and by Verhoeff.
func luxembourg(h *Holder, s *random.Stream) string {
	number := digits(appendDate(nil, h.Birth, "20060102"), s, 3)
	first, second := luhn(number), verhoeff(number)
	return string(append(number, first, second))
}

// netherlands: nine digits that pass the test of eleven.
func netherlands(_ *Holder, s *random.Stream) string {
	return drawn(func() (string, bool) {
		number := digits(between(nil, s, 1, 9, 1), s, 7)
		check := sum(number, 9, 8, 7, 6, 5, 4, 3, 2) % 11
		return string(append(number, '0'+byte(check))), check < 10
	})
}

// portugal: nine digits, of which the first is 1 to 3 for persons.
func portugal(_ *Holder, s *random.Stream) string {
	number := digits(between(nil, s, 1, 3, 1), s, 7)
	check := 11 - sum(number, 9, 8, 7, 6, 5, 4, 3, 2)%11
	if check > 9 {
		check = 0
	}
	return string(append(number, '0'+byte(check)))
}

// italy: consonants of the names, the day of birth, to which women add 40, the place, and a check letter.
func italy(h *Holder, _ *random.Stream) string {
	number := []byte(italianLetters(h.Last, false) + italianLetters(h.First, true))
	number = appendDate(number, h.Birth, "06")
	number = append(number, "ABCDEHLMPRST"[h.Birth.Month()-1])
	day := uint64(h.Birth.Day())
	if h.Female {
		day += 40
	}
	number = append(decimal(number, day, 2), h.Code...)
	odd := [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	total := 0
	for i, char := range number {
		value := int(char - 'A')
		if char <= '9' {
			value = int(char - '0')
		}
		if i%2 == 0 {
			value = odd[value]
		}
		total += value
	}
	return string(append(number, 'A'+byte(total%26)))
}

// italianLetters are three letters of a name: its consonants, then its vowels, then X. Of a first name with more than three consonants, the
// second is left out.
func italianLetters(name string, first bool) string {
	var consonants, vowels []byte
	for _, char := range []byte(strings.ToUpper(name)) {
		switch {
		case char < 'A' || char > 'Z':
		case strings.IndexByte("AEIOU", char) >= 0:
			vowels = append(vowels, char)
		default:
			consonants = append(consonants, char)
		}
	}
	if first && len(consonants) > 3 {
		consonants = append(consonants[:1:1], consonants[2:]...)
	}
	return string(append(append(consonants, vowels...), "XXX"...)[:3])
}
