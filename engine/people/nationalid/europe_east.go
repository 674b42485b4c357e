package nationalid

import (
	"time"

	"seedloom.dev/seedloom/engine/random"
)

// czechoslovakia: the day of birth, to whose month women add 50, and a serial number. Since 1954 the whole is a multiple of eleven.
func czechoslovakia(h *Holder, s *random.Stream) string {
	return drawn(func() (string, bool) {
		month := uint64(h.Birth.Month())
		if h.Female {
			month += 50
		}
		number := decimal(appendDate(nil, h.Birth, "06"), month, 2)
		number = digits(appendDate(number, h.Birth, "02"), s, 3)
		if h.Birth.Year() < 1954 {
			return grouped(number, "######/###"), true
		}
		rest := 0
		for _, digit := range number {
			rest = (rest*10 + int(digit-'0')) % 11
		}
		return grouped(append(number, '0'+byte(rest)), "######/####"), rest < 10
	})
}

// greece: the day of birth, a serial number that is odd for men, and a check digit by Luhn.
func greece(h *Holder, s *random.Stream) string {
	number := parity(appendDate(nil, h.Birth, "020106"), s, 4, !h.Female)
	return string(append(number, luhn(number)))
}

// croatia: ten digits, and a check digit by ISO 7064.
func croatia(_ *Holder, s *random.Stream) string {
	number := digits(nil, s, 10)
	return string(append(number, iso7064(number)))
}

// hungary: a digit for sex and century, the day of birth, a serial number, and a check digit, whose weights run the other way for those
// born since 1997.
func hungary(h *Holder, s *random.Stream) string {
	return drawn(func() (string, bool) {
		first := byte('1')
		if h.Birth.Year() >= 2000 {
			first = '3'
		}
		if h.Female {
			first++
		}
		number := digits(appendDate([]byte{first}, h.Birth, "060102"), s, 3)
		weights := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
		if h.Birth.Year() >= 1997 {
			weights = []int{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}
		}
		check := sum(number, weights...) % 11
		return grouped(append(number, '0'+byte(check)), "#-######-####"), check < 10
	})
}

// moldova: thirteen digits that begin with 2, and a check digit with the weights 7, 3 and 1.
func moldova(_ *Holder, s *random.Stream) string {
	number := digits([]byte("2"), s, 11)
	return string(append(number, '0'+byte(sum(number, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1)%10)))
}

// poland: the day of birth, to whose month 20 is added since 2000, a serial number that is odd for men, and a check digit.
func poland(h *Holder, s *random.Stream) string {
	month := uint64(h.Birth.Month())
	if h.Birth.Year() >= 2000 {
		month += 20
	}
	number := decimal(appendDate(nil, h.Birth, "06"), month, 2)
	number = parity(appendDate(number, h.Birth, "02"), s, 4, !h.Female)
	check := (10 - sum(number, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3)%10) % 10
	return string(append(number, '0'+byte(check)))
}

// romania: a digit for sex and century, the day of birth, the county, a serial number, and a check digit.
func romania(h *Holder, s *random.Stream) string {
	first := byte('1')
	if h.Birth.Year() >= 2000 {
		first = '5'
	}
	if h.Female {
		first++
	}
	number := append(appendDate([]byte{first}, h.Birth, "060102"), h.Code...)
	number = between(number, s, 1, 999, 3)
	check := sum(number, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9) % 11
	if check == 10 {
		check = 1
	}
	return string(append(number, '0'+byte(check)))
}

// yugoslavia: the day of birth with the last three digits of the year, the region, a serial number that tells the sex, and a check digit.
func yugoslavia(h *Holder, s *random.Stream) string {
	region := h.Code
	if region == "" {
		region = "50" // all of Slovenia
	}
	return drawn(func() (string, bool) {
		number := decimal(appendDate(nil, h.Birth, "0201"), uint64(h.Birth.Year()%1000), 3)
		number = append(number, region...)
		if h.Female {
			number = between(number, s, 500, 999, 3)
		} else {
			number = between(number, s, 0, 499, 3)
		}
		check := (11 - sum(number, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
		return string(append(number, '0'+byte(check))), check < 10
	})
}

// russia: nine digits, and the rest of a division by 101.
func russia(_ *Holder, s *random.Stream) string {
	number := between(nil, s, 1_001_999, 199_999_999, 9)
	check := sum(number, 9, 8, 7, 6, 5, 4, 3, 2, 1) % 101 % 100
	return grouped(decimal(number, uint64(check), 2), "###-###-### ##")
}

// ukraine: the days since the end of 1899, a serial number that is odd for men, and a check digit.
func ukraine(h *Holder, s *random.Stream) string {
	days := h.Birth.Sub(time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour)
	number := parity(decimal(nil, uint64(days), 5), s, 4, !h.Female)
	check := sum(number, -1, 5, 7, 9, 4, 6, 10, 5, 7) % 11
	if check < 0 {
		check += 11
	}
	return string(append(number, '0'+byte(check%10)))
}
