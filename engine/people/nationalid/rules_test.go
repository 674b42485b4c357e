package nationalid

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// rule says whether a number passes the check of its country. The rules are written as their publishers state them for whoever checks a
// number, apart from the code that makes numbers up.
type rule func(number string) bool

// onlyDigits are the values of a number's digits, without what groups them.
func onlyDigits(number string) []int {
	var values []int
	for _, char := range number {
		if char >= '0' && char <= '9' {
			values = append(values, int(char-'0'))
		}
	}
	return values
}

// multiple says that the weighted sum of all digits is a multiple.
func multiple(of int, weights ...int) rule {
	return func(number string) bool {
		values := onlyDigits(number)
		if len(values) != len(weights) {
			return false
		}
		total := 0
		for i, weight := range weights {
			total += weight * values[i]
		}
		return total%of == 0
	}
}

// passesLuhn is the test of ISO/IEC 7812-1 for a whole number.
func passesLuhn(number string) bool {
	values, total := onlyDigits(number), 0
	for i, value := range values {
		if (len(values)-i)%2 == 0 {
			value = value*2/10 + value*2%10
		}
		total += value
	}
	return len(values) > 0 && total%10 == 0
}

// passes7064 is the recursive test of ISO/IEC 7064, MOD 11,10 for a whole number.
func passes7064(number string) bool {
	values := onlyDigits(number)
	rest := 10
	for _, value := range values[:len(values)-1] {
		rest = (rest+value-1)%10 + 1
		rest = rest * 2 % 11
	}
	return (rest+values[len(values)-1])%10 == 1
}

// passesVerhoeff multiplies in the dihedral group D5, of which the elements 0 to 4 are turns, and 5 to 9 are turns of a mirror image.
func passesVerhoeff(number string) bool {
	multiply := func(a, b int) int {
		switch {
		case a < 5 && b < 5:
			return (a + b) % 5
		case a < 5:
			return 5 + (a+b-5)%5
		case b < 5:
			return 5 + (a-5-b+5)%5
		}
		return (a - b + 5) % 5
	}
	once := [10]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
	values, total := onlyDigits(number), 0
	for i := range values {
		value := values[len(values)-1-i]
		for range i % 8 {
			value = once[value]
		}
		total = multiply(total, value)
	}
	return len(values) > 0 && total == 0
}

func all(rules ...rule) rule {
	return func(number string) bool {
		for _, passes := range rules {
			if !passes(number) {
				return false
			}
		}
		return true
	}
}

// form says that a number has a form.
func form(expression string) rule { return regexp.MustCompile("^(?:" + expression + ")$").MatchString }

func modulo(text string, by int64) int64 {
	value, isNumber := new(big.Int).SetString(text, 10)
	if !isNumber {
		return -1
	}
	return value.Mod(value, big.NewInt(by)).Int64()
}

func joined(number string) string {
	var text strings.Builder
	for _, value := range onlyDigits(number) {
		text.WriteByte('0' + byte(value))
	}
	return text.String()
}

// checkOf says that the last digits are what a calculation gives for those before.
func checkOf(count int, calculate func(values []int) int) rule {
	return func(number string) bool {
		values := onlyDigits(number)
		if len(values) <= count {
			return false
		}
		check := 0
		for _, value := range values[len(values)-count:] {
			check = check*10 + value
		}
		return calculate(values[:len(values)-count]) == check
	}
}

func weigh(values []int, weights ...int) int {
	total := 0
	for i, weight := range weights {
		total += weight * values[i]
	}
	return total
}

// rules are those of the countries whose numbers have a check.
var rules = map[string]rule{
	"AR": all(form(`(20|27|23)-\d{8}-\d`), multiple(11, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)),
	"AT": all(form(`[1-9]\d{3} \d{6}`), func(number string) bool {
		v := onlyDigits(number)
		return weigh(v, 3, 7, 9, 0, 5, 8, 4, 2, 1, 6)%11 == v[3]
	}),
	"AU": all(form(`\d{3} \d{3} \d{3}`), multiple(11, 1, 4, 3, 7, 5, 8, 6, 9, 10)),
	"BE": all(form(`\d\d\.\d\d\.\d\d-\d{3} \d\d`), func(number string) bool {
		text := joined(number)
		before, after := modulo(text[:9], 97), modulo("2"+text[:9], 97)
		check, _ := strconv.ParseInt(text[9:], 10, 64)
		return 97-before == check || 97-after == check
	}),
	"BR": all(form(`\d{3}\.\d{3}\.\d{3}-\d\d`), func(number string) bool {
		v := onlyDigits(number)
		return weigh(v, 10, 9, 8, 7, 6, 5, 4, 3, 2)*10%11%10 == v[9] && weigh(v, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)*10%11%10 == v[10]
	}),
	"CA": all(form(`[124-7]\d\d \d{3} \d{3}`), passesLuhn),
	"CH": all(form(`756\.\d{4}\.\d{4}\.\d\d`), multiple(10, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1)),
	"CL": all(form(`\d?\d\.\d{3}\.\d{3}-[0-9K]`), func(number string) bool {
		text := strings.ReplaceAll(number, ".", "")
		body, check, _ := strings.Cut(text, "-")
		value, _ := strconv.Atoi(body)
		factor, total := 0, 1
		for ; value > 0; value /= 10 {
			total = (total + value%10*(9-factor%6)) % 11
			factor++
		}
		if total == 0 {
			return check == "K"
		}
		return check == strconv.Itoa(total-1)
	}),
	"CN": all(form(`\d{17}[0-9X]`), func(number string) bool {
		total := 0
		for i, char := range number {
			value := int(char - '0')
			if char == 'X' {
				value = 10
			}
			total = (total + value<<(17-i)) % 11
		}
		return total == 1
	}),
	"CZ": birthNumber,
	"DE": all(form(`[1-9]\d \d{3} \d{3} \d{3}`), passes7064, func(number string) bool {
		counts := [10]int{}
		for _, value := range onlyDigits(number)[:10] {
			counts[value]++
		}
		twice, never := 0, 0
		for _, count := range counts {
			switch count {
			case 0:
				never++
			case 2:
				twice++
			}
		}
		return twice == 1 && never == 1
	}),
	"DK": all(form(`\d{6}-\d{4}`), multiple(11, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)),
	"ES": all(form(`\d{8}[A-Z]`), func(number string) bool {
		return "TRWAGMYFPDXBNJZSQVHLCKE"[modulo(number[:8], 23)] == number[8]
	}),
	"FI": all(form(`\d{6}[-A]\d{3}[0-9A-Y]`), func(number string) bool {
		return "0123456789ABCDEFHJKLMNPRSTUVWXY"[modulo(number[:6]+number[7:10], 31)] == number[10]
	}),
	"FR": all(form(`[12] \d\d \d\d (\d\d|2A|2B) \d{3} \d{3} \d\d`), func(number string) bool {
		text := strings.ReplaceAll(number, " ", "")
		value := strings.Replace(strings.Replace(text[:13], "2A", "19", 1), "2B", "18", 1)
		check, _ := strconv.ParseInt(text[13:], 10, 64)
		return (modulo(value, 97)+check)%97 == 0
	}),
	"GR": all(form(`\d{11}`), passesLuhn),
	"HK": all(form(`[A-Z]\d{6}\([0-9A]\)`), func(number string) bool {
		total := 36*9 + int(number[0]-'A'+10)*8
		for i := 1; i <= 6; i++ {
			total += int(number[i]-'0') * (8 - i)
		}
		return (total+strings.IndexByte("0123456789A", number[8]))%11 == 0
	}),
	"HR": all(form(`\d{11}`), passes7064),
	"HU": all(form(`[1-4]-\d{6}-\d{4}`), func(number string) bool {
		v := onlyDigits(number)
		up, down := 0, 0
		for i, value := range v[:10] {
			up, down = up+(i+1)*value, down+(10-i)*value
		}
		isLate := v[0] >= 3 || v[1]*10+v[2] >= 97
		return !isLate && up%11 == v[10] || isLate && down%11 == v[10]
	}),
	"IE": all(form(`\d{7}[A-W]`), func(number string) bool {
		return weigh(onlyDigits(number), 8, 7, 6, 5, 4, 3, 2)%23 == strings.IndexByte("WABCDEFGHIJKLMNOPQRSTUV", number[7])
	}),
	"IL": all(form(`\d{9}`), passesLuhn),
	"IN": all(form(`[2-9]\d{3} \d{4} \d{4}`), passesVerhoeff),
	"IR": all(form(`\d{10}`), func(number string) bool {
		v := onlyDigits(number)
		rest := weigh(v, 10, 9, 8, 7, 6, 5, 4, 3, 2) % 11
		return rest < 2 && v[9] == rest || rest >= 2 && v[9] == 11-rest
	}),
	"IT": all(form(`[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]`), func(number string) bool {
		odd := map[byte]int{'0': 1, '1': 0, '2': 5, '3': 7, '4': 9, '5': 13, '6': 15, '7': 17, '8': 19, '9': 21, 'A': 1, 'B': 0, 'C': 5, 'D': 7,
			'E': 9, 'F': 13, 'G': 15, 'H': 17, 'I': 19, 'J': 21, 'K': 2, 'L': 4, 'M': 18, 'N': 20, 'O': 11, 'P': 3, 'Q': 6, 'R': 8, 'S': 12,
			'T': 14, 'U': 16, 'V': 10, 'W': 22, 'X': 25, 'Y': 24, 'Z': 23}
		total := 0
		for i := range 15 {
			switch char := number[i]; {
			case i%2 == 0:
				total += odd[char]
			case char <= '9':
				total += int(char - '0')
			default:
				total += int(char - 'A')
			}
		}
		return number[15] == 'A'+byte(total%26)
	}),
	"JP": all(form(`\d{4} \d{4} \d{4}`), checkOf(1, func(v []int) int {
		total := 0
		for n := 1; n <= 11; n++ {
			weight := n + 1
			if n > 6 {
				weight = n - 5
			}
			total += v[11-n] * weight
		}
		if total%11 <= 1 {
			return 0
		}
		return 11 - total%11
	})),
	"KR": all(form(`\d{6}-[1-4]\d{6}`), checkOf(1, func(v []int) int {
		return (11 - weigh(v, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)%11) % 10
	})),
	"LU": all(form(`\d{13}`), func(number string) bool { return passesLuhn(number[:12]) && passesVerhoeff(number[:11]+number[12:]) }),
	"LV": all(form(`\d{6}-[12]\d{4}`), checkOf(1, func(v []int) int {
		return (1101 - weigh(v, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11
	})),
	"MD": all(form(`2\d{12}`), checkOf(1, func(v []int) int { return weigh(v, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1) % 10 })),
	"MK": citizenNumber,
	"MX": all(form(`[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d`), func(number string) bool {
		total := 0
		for i, char := range number[:17] {
			total += strings.Index("0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ", string(char)) * (18 - i)
		}
		return (total+int(number[17]-'0'))%10 == 0
	}),
	"NL": all(form(`[1-9]\d{8}`), multiple(11, 9, 8, 7, 6, 5, 4, 3, 2, -1)),
	"NO": all(form(`\d{11}`), multiple(11, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), func(number string) bool {
		return weigh(onlyDigits(number), 3, 7, 6, 1, 8, 9, 4, 5, 2, 1)%11 == 0
	}),
	"NZ": all(form(`\d{3}-\d{3}-\d{3}`), func(number string) bool {
		v := onlyDigits(number)
		first, second := weigh(v, 3, 2, 7, 6, 5, 4, 3, 2)%11, weigh(v, 7, 4, 3, 2, 5, 2, 7, 6)%11
		if first == 1 {
			return (second+v[8])%11 == 0
		}
		return (first+v[8])%11 == 0
	}),
	"PL": all(form(`\d{11}`), multiple(10, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)),
	"PT": all(form(`[1-3]\d{8}`), checkOf(1, func(v []int) int {
		if rest := weigh(v, 9, 8, 7, 6, 5, 4, 3, 2) % 11; rest > 1 {
			return 11 - rest
		}
		return 0
	})),
	"RO": all(form(`[1256]\d{12}`), checkOf(1, func(v []int) int {
		if rest := weigh(v, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9) % 11; rest < 10 {
			return rest
		}
		return 1
	})),
	"RS": citizenNumber,
	"RU": all(form(`\d{3}-\d{3}-\d{3} \d\d`), checkOf(2, func(v []int) int {
		total := weigh(v, 9, 8, 7, 6, 5, 4, 3, 2, 1)
		for total > 101 {
			total -= 101
		}
		if total == 100 || total == 101 {
			return 0
		}
		return total
	})),
	"SA": all(form(`1\d{9}`), passesLuhn),
	"SE": all(form(`\d{6}[-+]\d{4}`), passesLuhn),
	"SI": citizenNumber,
	"SK": birthNumber,
	"TH": all(form(`[1-8]-\d{4}-\d{5}-\d\d-\d`), checkOf(1, func(v []int) int {
		return (11 - weigh(v, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11) % 10
	})),
	"TR": all(form(`[1-9]\d{10}`), func(number string) bool {
		v := onlyDigits(number)
		tenth := ((v[0]+v[2]+v[4]+v[6]+v[8])*7 - (v[1] + v[3] + v[5] + v[7]) + 100) % 10
		return tenth == v[9] && weigh(v, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)%10 == v[10]
	}),
	"TW": all(form(`[A-Z][12]\d{8}`), func(number string) bool {
		value := map[byte]int{'A': 10, 'B': 11, 'C': 12, 'D': 13, 'E': 14, 'F': 15, 'G': 16, 'H': 17, 'I': 34, 'J': 18, 'K': 19, 'L': 20, 'M': 21,
			'N': 22, 'O': 35, 'P': 23, 'Q': 24, 'R': 25, 'S': 26, 'T': 27, 'U': 28, 'V': 29, 'W': 32, 'X': 30, 'Y': 31, 'Z': 33}[number[0]]
		return (value/10+9*(value%10)+weigh(onlyDigits(number), 8, 7, 6, 5, 4, 3, 2, 1, 1))%10 == 0
	}),
	"UA": all(form(`\d{10}`), checkOf(1, func(v []int) int {
		return (weigh(v, -1, 5, 7, 9, 4, 6, 10, 5, 7)%11 + 11) % 11 % 10
	})),
	"ZA": all(form(`\d{10}08\d`), passesLuhn),
}

func birthNumber(number string) bool {
	text := joined(number)
	return form(`\d{6}/\d{3,4}`)(number) && (len(text) == 9 || modulo(text, 11) == 0)
}

func citizenNumber(number string) bool {
	return form(`\d{13}`)(number) && multiple(11, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)(number)
}
