package nationalid

import (
	"strings"

	"seedloom.dev/seedloom/engine/random"
)

// australia: nine digits whose weighted sum is a multiple of eleven.
func australia(_ *Holder, s *random.Stream) string {
	return drawn(func() (string, bool) {
		number := digits(between(nil, s, 1, 9, 1), s, 7)
		check := sum(number, 1, 4, 3, 7, 5, 8, 6, 9) % 11
		return grouped(append(number, '0'+byte(check)), "### ### ###"), check < 10
	})
}

// newZealand: eight or nine digits, of which the last is a check digit by the first weights that give one.
func newZealand(_ *Holder, s *random.Stream) string {
	return drawn(func() (string, bool) {
		number := between(nil, s, 1_000_000, 14_999_999, 8)
		check := (11 - sum(number, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
		if check == 10 {
			check = (11 - sum(number, 7, 4, 3, 2, 5, 2, 7, 6)%11) % 11
		}
		return grouped(append(number, '0'+byte(check)), "###-###-###"), check < 10
	})
}

// southAfrica: the day of birth, a serial number of 5000 and more for men, 0 for a citizen, 8, and a check digit by Luhn.
func southAfrica(h *Holder, s *random.Stream) string {
	number := appendDate(nil, h.Birth, "060102")
	if h.Female {
		number = between(number, s, 0, 4999, 4)
	} else {
		number = between(number, s, 5000, 9999, 4)
	}
	number = append(number, '0', '8')
	return string(append(number, luhn(number)))
}

// india: twelve digits, of which the last is a check digit by Verhoeff, and the first is neither 0 nor 1.
func india(_ *Holder, s *random.Stream) string {
	number := digits(between(nil, s, 2, 9, 1), s, 10)
	return grouped(append(number, verhoeff(number)), "#### #### ####")
}

// hongKong: a letter, six digits, and a check digit in brackets, which is A for ten.
func hongKong(_ *Holder, s *random.Stream) string {
	first := byte(s.Below(26))
	number := digits(nil, s, 6)
	total := 36*9 + (int(first)+10)*8 + sum(number, 7, 6, 5, 4, 3, 2)
	return string('A'+rune(first)) + string(number) + "(" + string("0123456789A"[(11-total%11)%11]) + ")"
}

// israel: nine digits, of which the last is a check digit by Luhn.
func israel(_ *Holder, s *random.Stream) string {
	number := digits(between(nil, s, 0, 3, 1), s, 7)
	return string(append(number, luhn(number)))
}

// iran: ten digits, of which the last is a check digit.
func iran(_ *Holder, s *random.Stream) string {
	number := digits(between(nil, s, 1, 899, 3), s, 6)
	check := sum(number, 10, 9, 8, 7, 6, 5, 4, 3, 2) % 11
	if check >= 2 {
		check = 11 - check
	}
	return string(append(number, '0'+byte(check)))
}

// saudiArabia: ten digits that begin with 1 for citizens, with a check digit by Luhn.
func saudiArabia(_ *Holder, s *random.Stream) string {
	number := digits([]byte("1"), s, 8)
	return string(append(number, luhn(number)))
}

// turkey: eleven digits, of which two check the others.
func turkey(_ *Holder, s *random.Stream) string {
	number := digits(between(nil, s, 1, 9, 1), s, 8)
	tenth := sum(number, 7, -1, 7, -1, 7, -1, 7, -1, 7) % 10
	if tenth < 0 {
		tenth += 10
	}
	number = append(number, '0'+byte(tenth))
	return string(append(number, '0'+byte(sum(number, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)%10)))
}

// thailand: thirteen digits, of which the last is a check digit, and the first is 1 to 8.
func thailand(_ *Holder, s *random.Stream) string {
	number := digits(between(nil, s, 1, 8, 1), s, 11)
	check := (11 - sum(number, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11) % 10
	return grouped(append(number, '0'+byte(check)), "#-####-#####-##-#")
}

// japan: twelve digits, of which the last is a check digit.
func japan(_ *Holder, s *random.Stream) string {
	number := digits(nil, s, 11)
	rest := sum(number, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2) % 11
	check := 0
	if rest > 1 {
		check = 11 - rest
	}
	return grouped(append(number, '0'+byte(check)), "#### #### ####")
}

// korea: the day of birth, a digit for sex and century, a serial number, and a check digit.
func korea(h *Holder, s *random.Stream) string {
	number := appendDate(nil, h.Birth, "060102")
	century := byte('1')
	if h.Birth.Year() >= 2000 {
		century = '3'
	}
	if h.Female {
		century++
	}
	number = digits(append(number, century), s, 5)
	check := (11 - sum(number, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)%11) % 10
	return grouped(append(number, '0'+byte(check)), "######-#######")
}

// china: the district, the day of birth, a serial number that is odd for men, and a check digit by ISO 7064, which is X for ten.
func china(h *Holder, s *random.Stream) string {
	number := appendDate([]byte(h.Code), h.Birth, "20060102")
	number = parity(number, s, 3, !h.Female)
	rest := sum(number, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2) % 11
	return string(append(number, "10X98765432"[rest]))
}

// taiwan: a letter for the place, 1 for men and 2 for women, seven digits, and a check digit.
func taiwan(h *Holder, s *random.Stream) string {
	place := h.Code
	value := 10 + strings.Index("ABCDEFGHJKLMNPQRSTUVXYWZIO", place)
	number := []byte("1")
	if h.Female {
		number[0] = '2'
	}
	number = digits(number, s, 7)
	total := value/10 + value%10*9 + sum(number, 8, 7, 6, 5, 4, 3, 2, 1)
	return place + string(append(number, '0'+byte((10-total%10)%10)))
}
