// Package sampler holds the generators of sampled columns: each draws its value from a distribution by the stream of its record. How
// columns are scheduled is not known here, and of a row nothing but the columns that a sampler says it reads.
package sampler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/people"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// Violation says what is wrong with a sampler.
type Violation struct {
	// Field is the path below the sampler, such as "dateTime.end".
	Field   string
	Message string
}

// Reference is a column that a sampler reads.
type Reference struct {
	// Field is the path below the sampler that names it.
	Field  string
	Column string
}

// family is all that is known of the samplers of a type.
type family struct {
	name v1alpha1.SamplerType
	// member is the name of the type's parameters in a sampler, which isSet looks for.
	member string
	isSet  func(*v1alpha1.Sampler) bool
	// optional says that the type needs no parameters; converts that its values can be converted.
	optional, converts bool
	// validate looks at the parameters, which are there unless they are optional.
	validate func(*v1alpha1.Sampler) []Violation
	// writeDefaults writes the defaults of a valid sampler into it. It may be nil.
	writeDefaults func(*v1alpha1.Sampler)
	// reads are the columns that a sampler reads. It may be nil.
	reads func(*v1alpha1.Sampler) []Reference
	// fits looks at a valid sampler beside the samplers of the columns that it reads. It may be nil.
	fits func(spec *v1alpha1.Sampler, others others) []Violation
	// kind is the kind of a valid sampler's values, and draws how they are drawn: its defaults are written.
	kind  func(*v1alpha1.Sampler) table.Kind
	draws func(spec *v1alpha1.Sampler, in site) drawFunc
	// columns are how the values of many rows are drawn at once. It may be nil, and return nil: then each is drawn by itself.
	columns func(spec *v1alpha1.Sampler) columnFunc
	// typeOf is the type of the values where the kind does not say all of it. It may be nil.
	typeOf func(*v1alpha1.Sampler) table.Type
}

// Dataset is what samplers know of the dataset that their columns are in.
type Dataset struct {
	// Seed is the seed of all that is drawn.
	Seed int64
	// Schema has the columns that samplers read.
	Schema *table.Schema
	// Records is the number of rows that were asked for.
	Records int64
	// SamplerOf returns the sampler of another column, or nil where it has none. It may be nil.
	SamplerOf func(column string) *v1alpha1.Sampler
	// People has the locales of persons, and Persons the files of those that columns draw from, by the name of the column.
	People  *people.Library
	Persons map[string]*people.File
}

func (d *Dataset) samplerOf(column string) *v1alpha1.Sampler {
	if d.SamplerOf == nil {
		return nil
	}
	return d.SamplerOf(column)
}

// site is where a sampler draws: the column of a dataset.
type site struct {
	Dataset
	column string
}

// others returns the sampler of another column with the kind of its values; nil where it has none, or none that is valid.
type others func(column string) (*v1alpha1.Sampler, table.Kind)

// drawFunc draws the value of a record by its stream. It is called from many goroutines at once.
type drawFunc func(stream *random.Stream, record *table.Record) (any, error)

// families has a row for each type, in the order of the API.
var families = []family{
	categories, subcategories, uniforms, gaussians, bernoullis, bernoulliMixtures, binomials, poissons, distributions,
	sequences, uuids, patterns, dateTimes, timeDeltas, geoPoints, persons,
}

func familyOf(kind v1alpha1.SamplerType) (family, bool) {
	at := slices.IndexFunc(families, func(f family) bool { return f.name == kind })
	if at < 0 {
		return family{}, false
	}
	return families[at], true
}

// Validate returns everything that is wrong with a sampler: also what admission refuses, since not every spec passes through it. Templates
// are not looked at.
func Validate(spec *v1alpha1.Sampler) []Violation {
	own, known := familyOf(spec.Type)
	if !known {
		var names []string
		for _, other := range families {
			names = append(names, string(other.name))
		}
		return []Violation{{"type", fmt.Sprintf("must be one of %s, but is %q", strings.Join(names, ", "), spec.Type)}}
	}
	violations := own.validateMembers(spec)
	if own.isSet(spec) || own.optional {
		violations = append(violations, own.validate(spec)...)
	}
	return append(violations, own.validateConditional(spec)...)
}

// validateMembers looks at what is set, whatever it is.
func (f family) validateMembers(spec *v1alpha1.Sampler) []Violation {
	var violations []Violation
	for _, other := range families {
		if other.name != f.name && other.isSet(spec) {
			violations = append(violations, Violation{other.member, fmt.Sprintf("is for samplers of type %s, but this one is of type %s",
				other.name, f.name)})
		}
	}
	switch spec.ConvertTo {
	case "":
	case v1alpha1.ConvertToInt, v1alpha1.ConvertToFloat, v1alpha1.ConvertToStr:
		if !f.converts {
			violations = append(violations, Violation{"convertTo", fmt.Sprintf("is not possible for samplers of type %s", f.name)})
		}
	default:
		violations = append(violations, Violation{"convertTo", fmt.Sprintf("must be int, float or str, but is %q", spec.ConvertTo)})
	}
	violations = append(violations, f.validateClock(spec)...)
	if !f.isSet(spec) && !f.optional {
		violations = append(violations, Violation{f.member, fmt.Sprintf("is required for samplers of type %s", f.name)})
	}
	return violations
}

// References are the columns that a valid sampler reads, but for those of its templates.
func References(spec *v1alpha1.Sampler) []Reference {
	own, known := familyOf(spec.Type)
	if !known || own.reads == nil {
		return nil
	}
	references := own.reads(spec)
	for i, variant := range own.variants(spec) {
		for _, read := range own.reads(variant) {
			references = append(references, Reference{Field: own.inConditional(i, read.Field), Column: read.Column})
		}
	}
	return references
}

// Misfits says what is wrong with a valid sampler beside those of other columns: samplerOf returns the sampler of a column, or nil where it
// has none.
func Misfits(spec *v1alpha1.Sampler, samplerOf func(column string) *v1alpha1.Sampler) []Violation {
	own, known := familyOf(spec.Type)
	if !known || own.fits == nil {
		return nil
	}
	valid := func(column string) (*v1alpha1.Sampler, table.Kind) {
		other := samplerOf(column)
		if other == nil || other.Category.TakesValues() || len(Validate(other)) > 0 {
			return nil, 0
		}
		of, _ := familyOf(other.Type)
		return other, of.commonKind(other)
	}
	misfits := own.fits(spec, valid)
	for i, variant := range own.variants(spec) {
		for _, misfit := range own.fits(variant, valid) {
			misfits = append(misfits, Violation{own.inConditional(i, misfit.Field), misfit.Message})
		}
	}
	return misfits
}

// WriteDefaults writes the defaults of a valid sampler into it.
func WriteDefaults(spec *v1alpha1.Sampler) {
	own, known := familyOf(spec.Type)
	if !known || own.writeDefaults == nil {
		return
	}
	own.writeDefaults(spec)
	own.writeVariants(spec)
}

// TypeOf is the type of a sampler's values, or what is wrong with the sampler.
func TypeOf(spec *v1alpha1.Sampler) (table.Type, error) {
	if violations := Validate(spec); len(violations) > 0 {
		return table.Type{}, fmt.Errorf("sampler: %s: %s", violations[0].Field, violations[0].Message)
	}
	own, _ := familyOf(spec.Type)
	if own.typeOf != nil {
		return own.typeOf(spec), nil
	}
	return table.Type{Kind: own.commonKind(spec)}, nil
}

// Sampler draws the values of one column.
type Sampler struct {
	name string
	key  random.Key
	draw drawFunc
	// choices are drawn from instead where their conditions hold; conditions draws what is random in these.
	choices    []choice
	conditions random.Key
	// column is nil where values are drawn one by one.
	column columnFunc
}

// New returns the sampler of a column.
func New(name string, spec *v1alpha1.Sampler, dataset Dataset) (*Sampler, error) {
	if violations := Validate(spec); len(violations) > 0 {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: sampler.%s: %s", name, violations[0].Field,
			violations[0].Message)
	}
	if spec.Category.TakesValues() {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: the values of the seed's column %q are not known", name,
			spec.Category.ValuesOf)
	}
	own, _ := familyOf(spec.Type)
	spec = spec.DeepCopy()
	WriteDefaults(spec)
	kind, in := own.commonKind(spec), site{dataset, name}
	choices, err := own.choices(spec, kind, in)
	if err != nil {
		return nil, err
	}
	drawn := &Sampler{
		name: name, key: random.NewKey(dataset.Seed, name), draw: own.drawsAs(spec, kind, in),
		choices: choices, conditions: random.NewKey(dataset.Seed, "conditional/"+name),
	}
	if own.columns != nil && len(choices) == 0 {
		drawn.column = own.columns(spec)
	}
	return drawn, nil
}

// Generate draws the value of a record. It never waits.
func (s *Sampler) Generate(ctx context.Context, record *table.Record) (any, error) {
	stream := s.key.Of(record)
	return s.drawFrom(ctx, &stream, record)
}

// drawFrom draws a value of a record from a stream.
func (s *Sampler) drawFrom(ctx context.Context, stream *random.Stream, record *table.Record) (any, error) {
	draw := s.draw
	if s.choices != nil {
		var err error
		if draw, err = s.choose(ctx, record); err != nil {
			return nil, err
		}
	}
	value, err := draw(stream, record)
	if known := (*failure.Error)(nil); errors.As(err, &known) {
		return nil, known
	}
	if err != nil {
		return nil, failure.New(v1alpha1.ReasonConversionFailed, failure.DropRow, "the sampler of column %q: %v", s.name, err)
	}
	return value, nil
}

// always is the kind of samplers whose values have one whatever their parameters are.
func always(kind table.Kind) func(*v1alpha1.Sampler) table.Kind {
	return func(*v1alpha1.Sampler) table.Kind { return kind }
}
