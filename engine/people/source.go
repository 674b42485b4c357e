// Package people draws persons whose parts fit each other: names by sex and language, addresses whose city, region and postcode belong
// together, numbers in the form of their country. It knows neither columns nor schedules, and keeps nothing between two draws.
package people

import (
	"fmt"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/people/nationalid"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// Source draws the persons of a column. Any goroutine may use it.
type Source struct {
	asOf    time.Time
	sexes   random.Weights
	sexOf   []int
	ages    ages
	locales random.Weights
	// worlds are the locales with the places that are drawn there.
	worlds  []world
	domains []string
	domain  random.Weights
	// unique gives addresses their numbers; nil where any may occur twice.
	unique *rowNumbers
	// file has the persons; nil where they are made up.
	file *drawer
}

// world is a locale, with the places of it that are drawn.
type world struct {
	*locale
	indexes []int
	places  random.Weights
}

// Women and men, by their index.
const (
	female = 0
	male   = 1
)

var sexNames = [...]any{string(v1alpha1.PersonFemale), string(v1alpha1.PersonMale)}

// The parts of a person have streams of their own, so that none changes another one.
const (
	partIdentity uint64 = iota + 1
	partName
	partLife
	partPlace
	partMail
	partPhone
	partNationalID
)

// New returns a source of the persons of a column by a valid spec. seed and column are what all that is drawn depends on. file are the
// persons of the spec's dataset; nil where it has none.
func New(spec *v1alpha1.PersonSampler, seed int64, column string, library *Library, file *File) (*Source, error) {
	if spec == nil {
		spec = &v1alpha1.PersonSampler{}
	}
	source := &Source{asOf: asOf(spec), ages: agesOf(spec)}
	source.sexes, source.sexOf = sexesOf(spec)
	for _, wanted := range localesOf(spec) {
		decoded, err := library.locale(wanted.Value)
		if err != nil {
			return nil, err
		}
		indexes, places := placesOf(spec, decoded)
		source.worlds = append(source.worlds, world{decoded, indexes, places})
	}
	source.locales = random.NewWeights(weightsOf(localesOf(spec))...)
	source.domains, source.domain = domainsOf(spec)
	if spec.Emails == v1alpha1.EmailsUnique {
		numbers := newRowNumbers(random.NewKey(seed, "email/"+column))
		source.unique = &numbers
	}
	if spec.Dataset != nil {
		if file == nil {
			return nil, fmt.Errorf("column %q: the people of its dataset were not read", column)
		}
		source.file = newDrawer(file, random.NewKey(seed, "people/"+column))
	}
	return source, nil
}

// Draw returns the person of a record: the values of the members, in their order.
func (s *Source) Draw(stream *random.Stream, record *table.Record) ([]any, error) {
	if s.file != nil {
		return s.file.draw(s, stream, record)
	}
	values := make([]any, memberCount)
	identity := stream.Sub(partIdentity)
	drawn := &s.worlds[s.locales.Draw(&identity)]
	sex := s.sexOf[s.sexes.Draw(&identity)]
	age := s.ages.draw(&identity)
	birth := birthday(&identity, s.asOf, age)
	values[memberUUID] = identifier(&identity)
	values[memberLocale], values[memberCountry] = drawn.code, drawn.country
	values[memberSex], values[memberAge], values[memberBirthDate] = sexNames[sex], int64(age), table.DateOf(birth)
	holder := nationalid.Holder{Birth: birth, Female: sex == female}
	names := stream.Sub(partName)
	drawn.name(values, &names, sex, &holder)
	life := stream.Sub(partLife)
	values[memberMaritalStatus] = maritalStatus(&life, age)
	level := educationLevel(&life, age)
	values[memberEducationLevel], values[memberBachelorsField] = educations[level].level, studied(&life, level)
	values[memberOccupation] = occupation(&life, age, level)
	where := stream.Sub(partPlace)
	home := drawn.home(values, &where)
	holder.Region, holder.Code, holder.Postcode = home.region, home.code, text(values[memberPostcode])
	if age >= adult {
		values[memberEmailAddress] = s.email(stream.Sub(partMail), holder.First, holder.Last, birth, record)
		values[memberPhoneNumber] = drawn.phone(stream.Sub(partPhone), home)
	}
	if drawn.national != nil {
		number := stream.Sub(partNationalID)
		values[memberNationalID], values[memberNationalIDType] = drawn.national.Draw(&holder, &number), drawn.national.Name
	}
	return values, nil
}

// identifier is a random UUID (RFC 9562, version 4).
func identifier(stream *random.Stream) string {
	high, low := stream.Uint64()&^0xf000|0x4000, stream.Uint64()&^(3<<62)|2<<62
	const digits = "0123456789abcdef"
	text := make([]byte, 0, 36)
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			text = append(text, '-')
		}
		word := high
		if i >= 16 {
			word = low
		}
		text = append(text, digits[word>>(60-4*(i%16))&15])
	}
	return string(text)
}

// name draws the names, and notes them for the numbers that depend on them.
func (l *locale) name(values []any, stream *random.Stream, sex int, holder *nationalid.Holder) {
	pick := func(names []name) name { return names[stream.Below(uint64(len(names)))] }
	first, last, second := pick(l.first[sex]), pick(l.last[sex]), pick(l.last[sex])
	holder.First, holder.Last = first.ascii, last.ascii
	values[memberFirstName], values[memberLastName] = first.text, last.text
	if stream.Below(100) < l.doubled && second.text != last.text {
		values[memberLastName] = text(last.text) + l.separator + text(second.text)
		holder.Second = second.ascii
	}
	if middle := l.middle[sex]; len(middle) > 0 {
		// A patronymic is part of the name; of other middle names, some have none.
		if chosen := pick(middle); l.hasPatronymics() || stream.Below(100) < 60 {
			values[memberMiddleName] = chosen.text
		}
	}
	values[memberFullName] = fullName(l, values)
}

// hasPatronymics says that the form of a whole name has the middle name.
func (l *locale) hasPatronymics() bool { return len(l.full.names) > 2 }

// unitShare is how many of a hundred addresses have a unit, such as a flat.
const unitShare = 30

// home draws an address.
func (w *world) home(values []any, stream *random.Stream) *place {
	home := &w.locale.places[w.indexes[w.places.Draw(stream)]]
	var buffer [256]byte
	values[memberCity], values[memberRegion] = home.city, home.region
	values[memberStreetName] = w.streets[stream.Below(uint64(len(w.streets)))]
	values[memberStreetNumber] = string(drawOne(w.numbers, buffer[:0], stream, ""))
	if len(home.postcodes) > 0 {
		values[memberPostcode] = string(drawOne(home.postcodes, buffer[:0], stream, ""))
	}
	if len(w.units) > 0 && stream.Below(100) < unitShare {
		values[memberUnit] = string(drawOne(w.units, buffer[:0], stream, ""))
	}
	values[memberAddress] = string(w.address.write(buffer[:0], func(part string) string {
		switch part {
		case "street":
			return text(values[memberStreetName])
		case "number":
			return text(values[memberStreetNumber])
		case "unit":
			return text(values[memberUnit])
		case "postcode":
			return text(values[memberPostcode])
		case "region":
			return home.region
		}
		return home.city
	}))
	return home
}

// phone draws a telephone number in the form of the country: with an area code of the place, or of any where that of a file is not known.
func (l *locale) phone(stream random.Stream, home *place) any {
	area := ""
	if len(home.areas) == 0 && len(l.places[0].areas) > 0 {
		home = &l.places[stream.Below(uint64(len(l.places)))]
	}
	if len(home.areas) > 0 {
		area = home.areas[stream.Below(uint64(len(home.areas)))]
	}
	var buffer [32]byte
	return string(drawOne(l.phones, buffer[:0], &stream, area))
}

// email makes an address of a name.
func (s *Source) email(stream random.Stream, first, last string, birth time.Time, record *table.Record) any {
	var buffer [128]byte
	address := mailbox(buffer[:0], &stream, first, last)
	if s.unique != nil {
		address = s.unique.appendNumber(address, record)
	} else {
		address = mailNumber(address, &stream, birth)
	}
	address = append(address, '@')
	return string(append(address, s.domains[s.domain.Draw(&stream)]...))
}

// text is a value that may be null as a text.
func text(value any) string {
	text, _ := value.(string)
	return text
}
