package sampler

import (
	"fmt"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

var timeDeltas = family{
	name: v1alpha1.SamplerTimeDelta, member: "timeDelta", isSet: func(s *v1alpha1.Sampler) bool { return s.TimeDelta != nil },
	validate: validateTimeDelta, kind: momentKind,
	writeDefaults: func(s *v1alpha1.Sampler) {
		if s.TimeDelta != nil && s.TimeDelta.Unit == "" {
			s.TimeDelta.Unit = v1alpha1.TimeDeltaUnitDay
		}
	},
	reads: func(s *v1alpha1.Sampler) []Reference {
		return []Reference{{Field: "timeDelta.from", Column: s.TimeDelta.From}}
	},
	fits:  timeDeltaFits,
	draws: distances,
}

// maxDelta bounds distances, so that no moment leaves what a timestamp can hold: 300 000 years of hours at most.
const maxDelta = 1_000_000_000

// shifts move a moment by a number of units.
var shifts = map[v1alpha1.TimeDeltaUnit]func(at time.Time, units int64) time.Time{
	v1alpha1.TimeDeltaUnitDay:         func(at time.Time, units int64) time.Time { return at.AddDate(0, 0, int(units)) },
	v1alpha1.TimeDeltaUnitBusinessDay: addBusinessDays,
	v1alpha1.TimeDeltaUnitHour:        func(at time.Time, units int64) time.Time { return at.Add(time.Duration(units) * time.Hour) },
	v1alpha1.TimeDeltaUnitMinute:      func(at time.Time, units int64) time.Time { return at.Add(time.Duration(units) * time.Minute) },
	v1alpha1.TimeDeltaUnitSecond:      func(at time.Time, units int64) time.Time { return at.Add(time.Duration(units) * time.Second) },
}

// longest are the units that two hundred years have, which is about what a duration can hold.
var longest = map[v1alpha1.TimeDeltaUnit]int64{
	v1alpha1.TimeDeltaUnitDay: 200 * 365, v1alpha1.TimeDeltaUnitBusinessDay: 200 * 260, v1alpha1.TimeDeltaUnitHour: 200 * 365 * 24,
	v1alpha1.TimeDeltaUnitMinute: maxDelta, v1alpha1.TimeDeltaUnitSecond: maxDelta,
}

func validateTimeDelta(sampler *v1alpha1.Sampler) []Violation {
	spec := sampler.TimeDelta
	var violations []Violation
	if spec.From == "" {
		violations = append(violations, Violation{"timeDelta.from", "the name of another column is required"})
	}
	unit := spec.Unit
	if unit == "" {
		unit = v1alpha1.TimeDeltaUnitDay
	}
	most, known := longest[unit]
	if !known {
		return append(violations, Violation{"timeDelta.unit",
			fmt.Sprintf("must be Day, BusinessDay, Hour, Minute or Second, but is %q", spec.Unit)})
	}
	if spec.Min == nil || spec.Max == nil {
		return append(violations, Violation{"timeDelta", "min and max are required"})
	}
	for _, bound := range []struct {
		field string
		value int64
	}{{"timeDelta.min", *spec.Min}, {"timeDelta.max", *spec.Max}} {
		if bound.value < -most || bound.value > most {
			violations = append(violations, Violation{bound.field,
				fmt.Sprintf("must be from -%d to %d for the unit %s, but is %d", most, most, unit, bound.value)})
		}
	}
	if *spec.Min >= *spec.Max {
		violations = append(violations, Violation{"timeDelta", fmt.Sprintf("max (%d) must be above min (%d)", *spec.Max, *spec.Min)})
	}
	return violations
}

// timeDeltaFits looks at whether the other column is one of numbers, which no moment can be read from.
func timeDeltaFits(spec *v1alpha1.Sampler, others others) []Violation {
	other, kind := others(spec.TimeDelta.From)
	if problem := unreadable(other); problem != "" {
		return []Violation{{"timeDelta.from", fmt.Sprintf("column %q %s", spec.TimeDelta.From, problem)}}
	}
	if other != nil && kind != table.KindTimestamp && kind != table.KindString {
		return []Violation{{"timeDelta.from",
			fmt.Sprintf("column %q has no moments: its sampler is of type %s", spec.TimeDelta.From, other.Type)}}
	}
	return nil
}

func distances(spec *v1alpha1.Sampler, in site) drawFunc {
	reference, least := spec.TimeDelta.From, *spec.TimeDelta.Min
	width := uint64(*spec.TimeDelta.Max - least)
	shift, write, zone := shifts[spec.TimeDelta.Unit], writerOf(spec), zoneOf(spec)
	read := momentsOf(in.samplerOf(reference), zone)
	other, known := in.Schema.Index(reference)
	return func(stream *random.Stream, record *table.Record) (any, error) {
		if !known {
			return nil, fmt.Errorf("there is no column %q", reference)
		}
		units := least + int64(stream.Below(width))
		if record.Cells[other] == nil {
			return nil, nil //nolint:nilnil // a null is a value
		}
		at, err := read(record.Cells[other])
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", reference, err)
		}
		return write(shift(at.In(zone), units)), nil
	}
}

// addBusinessDays counts days from Monday to Friday. A moment on a weekend first becomes the Monday after it, or the Friday before it where
// it is counted back.
func addBusinessDays(at time.Time, days int64) time.Time {
	step := 1
	if days < 0 {
		step = -1
	}
	for at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		at = at.AddDate(0, 0, step)
	}
	at = at.AddDate(0, 0, int(days/5)*7)
	for left := days % 5; left != 0; left -= int64(step) {
		at = at.AddDate(0, 0, step)
		for at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
			at = at.AddDate(0, 0, step)
		}
	}
	return at
}
