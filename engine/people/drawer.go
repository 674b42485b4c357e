package people

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"seedloom.dev/seedloom/engine/people/nationalid"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// drawer draws the persons of a file: each once, in an order that the seed fixes, before any comes again.
type drawer struct {
	*File
	order random.Permutation
}

func newDrawer(file *File, key random.Key) *drawer {
	stream := key.At(0)
	return &drawer{file, random.NewPermutation(&stream, uint64(file.size()))}
}

// draw returns the person of a record. A row that is tried again gets another person.
func (d *drawer) draw(s *Source, stream *random.Stream, record *table.Record) ([]any, error) {
	number := int(d.order.At(uint64(record.Row) % uint64(d.size())))
	if record.Attempt > 0 || record.Ordinal > 0 {
		other := stream.Sub(partIdentity)
		number = int(other.Below(uint64(d.size())))
	}
	cells, texts, err := d.row(number)
	if err != nil {
		return nil, err
	}
	values := make([]any, memberCount, int(memberCount)+len(d.added))
	for member, column := range d.columns {
		if column >= 0 {
			values[member] = standard(member, d.text(cells, texts, column))
		}
	}
	d.derive(s, values, stream, record)
	for i, column := range d.added {
		value, err := d.addedValue(i, cells[column], d.text(cells, texts, column))
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// addedValue is the value of a member that the spec adds.
func (d *drawer) addedValue(index int, cell any, text string) (any, error) {
	if cell == nil {
		return nil, nil
	}
	member := d.members[index]
	value, err := table.Parse(member.Type, text)
	if err != nil {
		return nil, fmt.Errorf("the member %s: %w", member.Name, err)
	}
	if number, isDecimal := value.(table.Decimal); isDecimal {
		if exact, fits := number.Rescaled(member.Type.Scale); fits {
			return exact, nil
		}
	}
	return value, nil
}

// standard is the value of a member that every person has, from the text of a file; null where it is none.
func standard(member int, text string) any {
	switch member {
	case memberSex:
		return sexOf(text)
	case memberAge:
		if age, isAge := ageOf(text); isAge {
			return age
		}
		return nil
	case memberBirthDate:
		if day, isDay := dayOf(text); isDay {
			return table.DateOf(day)
		}
		return nil
	}
	if text == "" {
		return nil
	}
	return text
}

func ageOf(text string) (int64, bool) {
	age, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), ".0"), 10, 64)
	return age, err == nil && age >= 0 && age <= 150
}

func dayOf(text string) (time.Time, bool) {
	moment, _, err := table.ParseTimestamp(strings.TrimSpace(text))
	return moment, err == nil
}

// derive fills in what follows from what the file has, as far as it does.
func (d *drawer) derive(s *Source, values []any, stream *random.Stream, record *table.Record) {
	world := &s.worlds[0]
	if values[memberUUID] == nil {
		identity := stream.Sub(partName)
		values[memberUUID] = identifier(&identity)
	}
	if values[memberLocale] == nil {
		values[memberLocale] = world.code
	}
	if values[memberFullName] == nil {
		values[memberFullName] = fullName(world.locale, values)
	}
	birth, known := s.birthOf(values, stream)
	if age, isAge := values[memberAge].(int64); isAge && age >= adult {
		if values[memberEmailAddress] == nil {
			first, last := asciiLetters(text(values[memberFirstName])), asciiLetters(text(values[memberLastName]))
			values[memberEmailAddress] = s.email(stream.Sub(partMail), first, last, birth, record)
		}
		if values[memberPhoneNumber] == nil {
			values[memberPhoneNumber] = world.phone(stream.Sub(partPhone), world.placeOf(values))
		}
	}
	if values[memberNationalID] == nil && known && values[memberSex] != nil {
		d.nationalID(world.locale, values, birth, stream)
	}
}

// birthOf is the day of birth, from the age where the file has no day, and fills in the one that is missing.
func (s *Source) birthOf(values []any, stream *random.Stream) (birth time.Time, known bool) {
	age, hasAge := values[memberAge].(int64)
	day, hasDay := values[memberBirthDate].(table.Date)
	switch {
	case hasDay:
		birth = time.Unix(int64(day)*86400, 0).UTC()
		if !hasAge && ageOn(birth, s.asOf) >= 0 {
			values[memberAge] = int64(ageOn(birth, s.asOf))
		}
	case hasAge:
		life := stream.Sub(partLife)
		birth = birthday(&life, s.asOf, int(age))
		values[memberBirthDate] = table.DateOf(birth)
	default:
		return time.Time{}, false
	}
	return birth, birth.Year() >= 1900
}

func fullName(of *locale, values []any) any {
	var buffer [128]byte
	return string(of.full.write(buffer[:0], func(part string) string {
		switch part {
		case "first":
			return text(values[memberFirstName])
		case "middle":
			return text(values[memberMiddleName])
		}
		return text(values[memberLastName])
	}))
}

// placeOf is the place of a person, as far as the locale knows it: by the city and the region, or by the region alone.
func (l *locale) placeOf(values []any) *place {
	city, region := text(values[memberCity]), text(values[memberRegion])
	known := &place{region: region}
	for i := range l.places {
		if l.places[i].region == region && (l.places[i].city == city || known.code == "" && len(known.areas) == 0) {
			known = &l.places[i]
		}
	}
	return known
}

func (d *drawer) nationalID(of *locale, values []any, birth time.Time, stream *random.Stream) {
	home := of.placeOf(values)
	if of.national == nil || home.code == "" && needsCode(of) {
		return
	}
	holder := nationalid.Holder{
		Birth: birth, Female: values[memberSex] == sexNames[female], Region: home.region, Code: home.code,
		Postcode: text(values[memberPostcode]), First: asciiLetters(text(values[memberFirstName])),
		Last: asciiLetters(text(values[memberLastName])),
	}
	number := stream.Sub(partNationalID)
	values[memberNationalID], values[memberNationalIDType] = of.national.Draw(&holder, &number), of.national.Name
}

// needsCode says that the numbers of a country have a code of the place in them.
func needsCode(of *locale) bool { return of.places[0].code != "" }
