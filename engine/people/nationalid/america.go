package nationalid

import (
	"strings"
	"time"

	"seedloom.dev/seedloom/engine/random"
)

// argentina: 20 for men and 27 for women, the number of the identity card, and a check digit. Where that would be ten, it is 9 or 4 after
// 23.
func argentina(h *Holder, s *random.Stream) string {
	number, instead := []byte("20"), byte('9')
	if h.Female {
		number, instead = []byte("27"), '4'
	}
	number = between(number, s, 5_000_000, 59_999_999, 8)
	check := '0' + byte((11-sum(number, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11)%11)
	if check > '9' {
		copy(number, "23")
		check = instead
	}
	return grouped(append(number, check), "##-########-#")
}

// brazil: nine digits and two check digits.
func brazil(_ *Holder, s *random.Stream) string {
	number := digits(nil, s, 9)
	for _, weights := range [][]int{{10, 9, 8, 7, 6, 5, 4, 3, 2}, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2}} {
		check := 11 - sum(number, weights...)%11
		if check > 9 {
			check = 0
		}
		number = append(number, '0'+byte(check))
	}
	return grouped(number, "###.###.###-##")
}

// canada: nine digits, of which the last is a check digit by Luhn, and the first is 1 to 7, but 3.
func canada(_ *Holder, s *random.Stream) string {
	number := digits([]byte{"124567"[s.Below(6)]}, s, 7)
	return grouped(append(number, luhn(number)), "### ### ###")
}

// chile: up to eight digits, and a check digit, which is K for ten.
func chile(_ *Holder, s *random.Stream) string {
	number := between(nil, s, 5_000_000, 27_999_999, 8)
	check := "0123456789K0"[11-sum(number, 3, 2, 7, 6, 5, 4, 3, 2)%11]
	text := grouped(append(number, check), "##.###.###-#")
	return strings.TrimPrefix(text, "0")
}

// unitedStates: an area, a group and a serial number. Areas belonged to states until 2011-06-25. There is no check digit.
func unitedStates(h *Holder, s *random.Stream) string {
	low, high := uint64(1), uint64(899)
	if h.Birth.Before(time.Date(2011, 6, 25, 0, 0, 0, 0, time.UTC)) {
		low, high = stateAreas(h.Region)
	}
	area := low + s.Below(high-low+1)
	if area == 666 {
		area++
	}
	number := decimal(nil, area, 3)
	return grouped(between(between(number, s, 1, 99, 2), s, 1, 9999, 4), "###-##-####")
}

// areasOfStates has the first and the last area of each state. It is only read.
var areasOfStates = map[string][2]uint64{
	"New Hampshire": {1, 3}, "Maine": {4, 7}, "Vermont": {8, 9}, "Massachusetts": {10, 34}, "Rhode Island": {35, 39},
	"Connecticut": {40, 49}, "New York": {50, 134}, "New Jersey": {135, 158}, "Pennsylvania": {159, 211}, "Maryland": {212, 220},
	"Delaware": {221, 222}, "Virginia": {223, 231}, "West Virginia": {232, 236}, "North Carolina": {237, 246},
	"South Carolina": {247, 251}, "Georgia": {252, 260}, "Florida": {261, 267}, "Ohio": {268, 302}, "Indiana": {303, 317},
	"Illinois": {318, 361}, "Michigan": {362, 386}, "Wisconsin": {387, 399}, "Kentucky": {400, 407}, "Tennessee": {408, 415},
	"Alabama": {416, 424}, "Mississippi": {425, 428}, "Arkansas": {429, 432}, "Louisiana": {433, 439}, "Oklahoma": {440, 448},
	"Texas": {449, 467}, "Minnesota": {468, 477}, "Iowa": {478, 485}, "Missouri": {486, 500}, "North Dakota": {501, 502},
	"South Dakota": {503, 504}, "Nebraska": {505, 508}, "Kansas": {509, 515}, "Montana": {516, 517}, "Idaho": {518, 519},
	"Wyoming": {520, 520}, "Colorado": {521, 524}, "New Mexico": {525, 525}, "Arizona": {526, 527}, "Utah": {528, 529},
	"Nevada": {530, 530}, "Washington": {531, 539}, "Oregon": {540, 544}, "California": {545, 573}, "Alaska": {574, 574},
	"Hawaii": {575, 576}, "District of Columbia": {577, 579},
}

// stateAreas are the first and the last area of a state's Social Security Numbers.
func stateAreas(state string) (low, high uint64) {
	if area, known := areasOfStates[state]; known {
		return area[0], area[1]
	}
	return 1, 576
}

// mexico: letters of the names, the day of birth, sex, state, more letters of the names, a character that tells the century, and a check
// digit.
func mexico(h *Holder, s *random.Stream) string {
	last, second, first := strings.ToUpper(h.Last), strings.ToUpper(h.Second), strings.ToUpper(h.First)
	number := []byte{letter(last, 0, ""), letter(last, 1, mexicanVowels), letter(second, 0, ""), letter(first, 0, "")}
	if inconvenient(string(number)) {
		number[1] = 'X'
	}
	number = appendDate(number, h.Birth, "060102")
	if h.Female {
		number = append(number, 'M')
	} else {
		number = append(number, 'H')
	}
	number = append(number, h.Code...)
	const consonants = "BCDFGHJKLMNPQRSTVWXYZ"
	number = append(number, letter(last, 1, consonants), letter(second, 1, consonants), letter(first, 1, consonants))
	if h.Birth.Year() < 2000 {
		number = digits(number, s, 1)
	} else {
		number = append(number, 'A'+byte(s.Below(26)))
	}
	// Ñ has a place among the letters, though it is written as X.
	total := 0
	for i, char := range number {
		value := int(char - '0')
		if char >= 'A' {
			if value = int(char-'A') + 10; char > 'N' {
				value++
			}
		}
		total += value * (18 - i)
	}
	return string(append(number, '0'+byte((10-total%10)%10)))
}

const mexicanVowels = "AEIOU"

// letter is the first letter of a name from a position on that is one of some; X where there is none.
func letter(name string, from int, of string) byte {
	for i := from; i < len(name); i++ {
		if of == "" || strings.IndexByte(of, name[i]) >= 0 {
			return name[i]
		}
	}
	return 'X'
}

// inconvenient says whether four letters are a word that the registry does not let a number begin with.
func inconvenient(letters string) bool {
	const words = "BACA BAKA BUEI BUEY " +
		"CACA CACO CAGA CAGO CAKA CAKO COGE COGI COJA COJE COJI COJO COLA CULO FALO FETO GETA GUEI GUEY JETA JOTO " +
		"KACA KACO KAGA KAGO KAKA KAKO KOGE KOGI KOJA KOJE KOJI KOJO KOLA KULO LILO LOCA LOCO LOKA LOKO MAME MAMO MEAR MEAS MEON MIAR MION " +
		"MOCO MOKO MULA MULO NACA NACO PEDA PEDO PENE PIPI PITO POPO PUTA PUTO QULO RATA ROBA ROBE ROBO RUIN SENO TETA VACA VAGA VAGO VAKA " +
		"VUEI VUEY WUEI WUEY"
	return strings.Contains(words, letters)
}
