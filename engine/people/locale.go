package people

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"

	"seedloom.dev/seedloom/engine/people/nationalid"
)

// data has the names and streets of faker-js (see data/names/LICENSE), and places that fit together.
//
//go:embed data/places/*.txt data/names/*.txt data/names/LICENSE
var data embed.FS

// Locales are the names of all locales, in their order.
func Locales() []string {
	entries, _ := fs.ReadDir(data, "data/places") // is embedded
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".txt")
	}
	return names
}

// Library has the locales that were asked for, each decoded once. Any goroutine may use it.
type Library struct {
	mutex   sync.Mutex
	locales map[string]*locale
}

// NewLibrary returns a library that has decoded nothing yet.
func NewLibrary() *Library { return &Library{locales: map[string]*locale{}} }

// locale returns a locale with its names.
func (l *Library) locale(name string) (*locale, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if known := l.locales[name]; known != nil {
		return known, nil
	}
	decoded, err := decodePlaces(name)
	if err != nil {
		return nil, err
	}
	if err := decoded.decodeNames(); err != nil {
		return nil, err
	}
	l.locales[name] = decoded
	return decoded, nil
}

// place is a city with what the addresses in it share.
type place struct {
	city, region string
	postcodes    []pattern
	weight       float64
	// areas are area codes of telephone numbers; code is what national numbers have for the region.
	areas []string
	code  string
}

// name is a part of a name: as it is written, and in lower-case ASCII letters.
type name struct {
	text  any // a string, boxed once
	ascii string
}

// locale is what persons of a language and a country are made of. It is not changed once it is decoded.
type locale struct {
	code, countryCode string
	country           any
	// names and streets are the locales whose files have these.
	nameSource, streetSource string
	letters                  string
	full, address            form
	numbers, units, phones   []pattern
	places                   []place
	national                 *nationalid.Scheme

	// first, last and middle are by sex: women's, and men's.
	first, last, middle [2][]name
	streets             []string
	// doubled is how many of a hundred have two last names, with separator between them.
	doubled   uint64
	separator string
}

// alphabet are the letters that ? of a pattern stands for, where a locale does not say others.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// decodePlaces reads what a locale is but for its names.
func decodePlaces(name string) (*locale, error) {
	content, err := data.ReadFile("data/places/" + name + ".txt")
	if err != nil {
		return nil, fmt.Errorf("no locale is called %q", name)
	}
	_, country, _ := strings.Cut(name, "_")
	decoded := &locale{
		code: name, countryCode: country, nameSource: name, letters: alphabet, national: nationalid.Of(country),
	}
	for line := range strings.SplitSeq(strings.TrimRight(string(content), "\n"), "\n") {
		key, value, isHeader := strings.Cut(line, ": ")
		fields := strings.Split(line, "|")
		switch {
		case isHeader && !strings.Contains(key, "|"):
			if err := decoded.header(key, value); err != nil {
				return nil, fmt.Errorf("locale %s: %w", name, err)
			}
		case len(fields) == placeFields:
			decoded.places = append(decoded.places, decoded.decodePlace(fields))
		default:
			return nil, fmt.Errorf("locale %s: the line %q is no place", name, line)
		}
	}
	if decoded.streetSource == "" {
		decoded.streetSource = decoded.nameSource
	}
	return decoded, nil
}

func (l *locale) header(key, value string) error {
	switch key {
	case "names":
		l.nameSource = value
	case "streets":
		l.streetSource = value
	case "letters":
		l.letters = value
	case "country":
		l.country = value
	case "full":
		l.full = parseForm(value)
	case "address":
		l.address = parseForm(value)
	case "number":
		l.numbers = parsePatterns(strings.Split(value, "|"), l.letters)
	case "unit":
		l.units = parsePatterns(strings.Split(value, "|"), l.letters)
	case "phone":
		l.phones = parsePatterns(strings.Split(value, "|"), l.letters)
	default:
		return fmt.Errorf("the line %q is not known", key)
	}
	return nil
}

// placeFields are those of a place: city, region, postcodes, size in units of ten thousand people, and codes.
const placeFields = 5

func (l *locale) decodePlace(fields []string) place {
	code, areas, _ := strings.Cut(fields[4], ";")
	decoded := place{city: fields[0], region: fields[1], code: code}
	decoded.weight, _ = strconv.ParseFloat(fields[3], 64)
	if fields[2] != "" {
		decoded.postcodes = parsePatterns(strings.Split(fields[2], ","), l.letters)
	}
	if areas != "" {
		decoded.areas = strings.Split(areas, ",")
	}
	return decoded
}

// decodeNames reads the names and the streets.
func (l *locale) decodeNames() error {
	sections, header, err := readSections(l.nameSource)
	if err != nil {
		return err
	}
	if header != "" {
		share, separator, _ := strings.Cut(header, " ")
		if l.doubled, err = strconv.ParseUint(share, 10, 64); err != nil {
			return fmt.Errorf("locale %s: %w", l.code, err)
		}
		if l.separator, err = strconv.Unquote(separator); err != nil {
			return fmt.Errorf("locale %s: %w", l.code, err)
		}
	}
	for sex, section := range [...]string{"female", "male"} {
		l.first[sex] = names(sections[section])
		l.middle[sex] = names(sections["middle."+section])
		if l.last[sex] = names(sections["last."+section]); len(l.last[sex]) == 0 {
			l.last[sex] = names(sections["last"])
		}
	}
	if l.streetSource != l.nameSource {
		if sections, _, err = readSections(l.streetSource); err != nil {
			return err
		}
	}
	l.streets = sections["streets"]
	if len(l.first[0]) == 0 || len(l.first[1]) == 0 || len(l.last[0]) == 0 || len(l.streets) == 0 || len(l.places) == 0 {
		return fmt.Errorf("locale %s: its data lack names, streets or places", l.code)
	}
	return nil
}

// readSections reads a file of names: its sections, and what it says of two last names.
func readSections(name string) (sections map[string][]string, doubled string, err error) {
	content, err := data.ReadFile("data/names/" + name + ".txt")
	if err != nil {
		return nil, "", fmt.Errorf("there are no names of the locale %q", name)
	}
	sections = map[string][]string{}
	section := ""
	for line := range strings.SplitSeq(strings.TrimRight(string(content), "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			section = line[1 : len(line)-1]
		case section == "":
			doubled = strings.TrimPrefix(line, "doubled: ")
		default:
			sections[section] = append(sections[section], line)
		}
	}
	return sections, doubled, nil
}

func names(lines []string) []name {
	parsed := make([]name, len(lines))
	for i, line := range lines {
		text, ascii, found := strings.Cut(line, "\t")
		if !found {
			ascii = text
		}
		parsed[i] = name{text: text, ascii: asciiLetters(ascii)}
	}
	return parsed
}

// asciiLetters are the letters a to z of a text, in lower case.
func asciiLetters(text string) string {
	var letters strings.Builder
	for _, char := range strings.ToLower(text) {
		if char >= 'a' && char <= 'z' {
			letters.WriteRune(char)
		}
	}
	return letters.String()
}
