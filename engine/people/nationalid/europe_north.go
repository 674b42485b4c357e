package nationalid

import "seedloom.dev/seedloom/engine/random"

// denmark: the day of birth, a serial number whose first digit tells the century, and whose last one is odd for men and passes the test of
// eleven.
func denmark(h *Holder, s *random.Stream) string {
	return drawn(func() (string, bool) {
		number := appendDate(nil, h.Birth, "020106")
		if h.Birth.Year() >= 2000 {
			number = between(number, s, 4, 9, 1)
		} else {
			number = between(number, s, 0, 3, 1)
		}
		number = digits(number, s, 2)
		check := (11 - sum(number, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
		return grouped(append(number, '0'+byte(check)), "######-####"), check < 10 && (check%2 == 0) == h.Female
	})
}

// finland: the day of birth, a sign for the century, a serial number that is odd for men, and a letter for what is left after a division by
// 31.
func finland(h *Holder, s *random.Stream) string {
	day := appendDate(nil, h.Birth, "020106")
	serial := 3 + 2*s.Below(448)
	if h.Female {
		serial--
	}
	number := decimal(day, serial, 3)
	value := 0
	for _, digit := range number {
		value = value*10 + int(digit-'0')
	}
	century := "-"
	if h.Birth.Year() >= 2000 {
		century = "A"
	}
	return string(number[:6]) + century + string(number[6:]) + "0123456789ABCDEFHJKLMNPRSTUVWXY"[value%31:value%31+1]
}

// norway: the day of birth, a serial number that tells the century and is odd for men, and two check digits.
func norway(h *Holder, s *random.Stream) string {
	return drawn(func() (string, bool) {
		number := appendDate(nil, h.Birth, "020106")
		if h.Birth.Year() >= 2000 {
			number = between(number, s, 5, 9, 1)
		} else {
			number = between(number, s, 0, 4, 1)
		}
		number = parity(number, s, 2, !h.Female)
		first := (11 - sum(number, 3, 7, 6, 1, 8, 9, 4, 5, 2)%11) % 11
		if first == 10 {
			return "", false
		}
		number = append(number, '0'+byte(first))
		second := (11 - sum(number, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
		return string(append(number, '0'+byte(second))), second < 10
	})
}

// sweden: the day of birth, a serial number that is odd for men, and a check digit by Luhn. Those who are born before 1926 have turned 100,
// and have a plus sign.
func sweden(h *Holder, s *random.Stream) string {
	number := parity(appendDate(nil, h.Birth, "060102"), s, 3, !h.Female)
	number = append(number, luhn(number))
	if h.Birth.Year() < 1926 {
		return grouped(number, "######+####")
	}
	return grouped(number, "######-####")
}

// latvia: the day of birth, a digit for the century, a serial number, and a check digit.
func latvia(h *Holder, s *random.Stream) string {
	return drawn(func() (string, bool) {
		number := appendDate(nil, h.Birth, "020106")
		if h.Birth.Year() >= 2000 {
			number = append(number, '2')
		} else {
			number = append(number, '1')
		}
		number = digits(number, s, 3)
		check := (1 + sum(number, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9)) % 11
		return grouped(append(number, '0'+byte(check)), "######-#####"), check < 10
	})
}
