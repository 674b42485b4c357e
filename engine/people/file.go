package people

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/suggest"
)

// File is a file of persons: where its members are, and which of its rows the filters let in. Any goroutine may use it, and who has opened
// it closes the dataset.
type File struct {
	dataset *seed.Dataset
	// rows are the positions of the rows that are let in; nil where all are.
	rows []int
	// columns are those of the members that all persons have, or -1; added those of the members that the spec adds.
	columns [memberCount]int
	added   []int
	types   []table.Type
	members []table.Field
}

// scanned is how many rows are looked at together.
const scanned = 1024

// OpenFile finds the members in a file, and the rows that the filters of a valid spec let in. Its errors are failure.Error.
func OpenFile(spec *v1alpha1.PersonSampler, field string, dataset *seed.Dataset) (*File, error) {
	file := &File{dataset: dataset}
	var names []string
	for _, column := range dataset.Schema().Fields() {
		names, file.types = append(names, column.Name), append(file.types, column.Type)
	}
	for member := range file.columns {
		file.columns[member] = columnOf(names, member)
	}
	for _, needed := range []int{memberFirstName, memberLastName} {
		if file.columns[needed] < 0 {
			return nil, refused(field, "it has no column %s%s", memberNames[needed], suggest.Name(memberNames[needed], names))
		}
	}
	for i, member := range spec.Dataset.Members {
		at := slices.Index(names, member.Source())
		if at < 0 {
			return nil, refused(fmt.Sprintf("%s.members[%d]", field, i), "it has no column %q%s", member.Source(),
				suggest.Name(member.Source(), names))
		}
		file.added = append(file.added, at)
		file.members = append(file.members, table.Field{Name: member.Name, Type: addedType(member.Type)})
	}
	filters, err := file.filters(spec, field, names)
	if err != nil || len(filters) == 0 {
		return file, err
	}
	return file, file.filter(filters, field)
}

// refused is the failure of a file that can't be used.
func refused(field, message string, arguments ...any) error {
	return failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun, "the people of %s can't be used: %s", field,
		fmt.Sprintf(message, arguments...))
}

// columnOf is the place of the column that has a member, or -1: that of the member's own name before any other.
func columnOf(names []string, member int) int {
	for _, name := range append([]string{memberNames[member]}, fileNames[member]...) {
		if at := slices.Index(names, name); at >= 0 {
			return at
		}
	}
	return -1
}

// filter is a condition that the text of a cell meets.
type filter struct {
	column int
	admits func(text string) bool
}

// filterSet collects the filters of a spec.
type filterSet struct {
	file    *File
	field   string
	names   []string
	filters []filter
	err     error
}

// add adds what a member must be, by the field of the spec that says it. Of several columns that a file lacks, the first is reported.
func (f *filterSet) add(member int, what string, admits func(text string) bool) {
	if f.file.columns[member] < 0 {
		if f.err == nil {
			f.err = refused(f.field, "%s filters by %s, and it has no such column%s", what, memberNames[member],
				suggest.Name(memberNames[member], f.names))
		}
		return
	}
	f.filters = append(f.filters, filter{f.file.columns[member], admits})
}

// ages filters by the age, or by the birth where the file has no age.
func (f *filterSet) ages(low, high int, day time.Time) {
	if f.file.columns[memberAge] < 0 && f.file.columns[memberBirthDate] >= 0 {
		f.add(memberBirthDate, "ageRange", func(text string) bool {
			birth, isDay := dayOf(text)
			return isDay && ageOn(birth, day) >= low && ageOn(birth, day) <= high
		})
		return
	}
	f.add(memberAge, "ageRange", func(text string) bool {
		age, isAge := ageOf(text)
		return isAge && age >= int64(low) && age <= int64(high)
	})
}

// filters are those of a spec, of which each must be met.
func (f *File) filters(spec *v1alpha1.PersonSampler, field string, names []string) ([]filter, error) {
	set := &filterSet{file: f, field: field, names: names}
	if spec.Sexes != nil {
		wanted := map[any]bool{}
		for _, sex := range spec.Sexes {
			wanted[string(sex.Value)] = true
		}
		set.add(memberSex, "sexes", func(text string) bool { return wanted[sexOf(text)] })
	}
	if spec.AgeRange != nil {
		set.ages(int(spec.AgeRange[0]), int(spec.AgeRange[1]), asOf(spec))
	}
	if spec.Regions != nil {
		set.add(memberRegion, "regions", isOneOf(spec.Regions))
	}
	if spec.Cities != nil {
		set.add(memberCity, "cities", isOneOf(spec.Cities))
	}
	for i, where := range spec.Dataset.Where {
		at := slices.Index(names, where.Column)
		if at < 0 {
			return nil, refused(fmt.Sprintf("%s.where[%d]", field, i), "it has no column %q%s", where.Column, suggest.Name(where.Column, names))
		}
		set.filters = append(set.filters, filter{at, func(text string) bool { return slices.Contains(where.Values, text) }})
	}
	return set.filters, set.err
}

func isOneOf(values []v1alpha1.WeightedValue) func(string) bool {
	share := shareOf(values)
	return func(text string) bool { return share(text) > 0 }
}

// filter notes the rows that meet all filters.
func (f *File) filter(filters []filter, field string) error {
	f.rows = []int{}
	cells := make([]any, len(f.types))
	for start := 0; start < f.dataset.Len(); {
		var positions []int
		for position := start; position < min(start+scanned, f.dataset.Len()); position++ {
			positions = append(positions, position)
		}
		rows, err := f.dataset.Fetch(positions)
		if err != nil {
			return err
		}
		for number := range rows.Len() {
			texts, err := rows.Row(number, cells)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(filters, func(one filter) bool { return !one.admits(f.text(cells, texts, one.column)) }) {
				f.rows = append(f.rows, start+number)
			}
		}
		start += rows.Len()
	}
	if len(f.rows) == 0 {
		return refused(field, "none of its %d rows meets the filters: widen sexes, ageRange, regions, cities or where", f.dataset.Len())
	}
	return nil
}

// size is how many persons there are to draw.
func (f *File) size() int {
	if f.rows != nil {
		return len(f.rows)
	}
	return f.dataset.Len()
}

// row reads the cells of a person by its number.
func (f *File) row(number int) (cells []any, texts []string, err error) {
	if f.rows != nil {
		number = f.rows[number]
	}
	rows, err := f.dataset.Fetch([]int{number})
	if err != nil {
		return nil, nil, err
	}
	cells = make([]any, len(f.types))
	texts, err = rows.Row(0, cells)
	return cells, texts, err
}

// text is a cell as its file has it; empty where it is null.
func (f *File) text(cells []any, texts []string, column int) string {
	if column < len(texts) && texts[column] != "" {
		return texts[column]
	}
	switch typed := cells[column].(type) {
	case nil:
		return ""
	case string:
		return typed
	case float64:
		return strconv.FormatFloat(typed, 'g', -1, 64)
	}
	data, err := table.AppendJSON(nil, f.types[column], cells[column])
	if err != nil {
		return ""
	}
	if text, err := strconv.Unquote(string(data)); err == nil {
		return text
	}
	return string(data)
}

// sexOf is the name of a sex that a file has as Male, m or 男性; nil where it is no such.
func sexOf(text string) any {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "female", "f", "w", "woman", "女", "女性", "여", "여자", "feminino", "femme", "महिला":
		return sexNames[female]
	case "male", "m", "man", "男", "男性", "남", "남자", "masculino", "homme", "पुरुष":
		return sexNames[male]
	}
	return nil
}
