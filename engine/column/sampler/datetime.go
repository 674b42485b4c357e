package sampler

import (
	"fmt"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

var dateTimes = family{
	name: v1alpha1.SamplerDateTime, member: "dateTime", isSet: func(s *v1alpha1.Sampler) bool { return s.DateTime != nil },
	validate: validateDateTime, kind: momentKind,
	writeDefaults: func(s *v1alpha1.Sampler) {
		if s.DateTime != nil && s.DateTime.Unit == "" {
			s.DateTime.Unit = v1alpha1.TimeUnitDay
		}
	},
	draws: func(s *v1alpha1.Sampler, _ site) drawFunc { return moments(s) },
}

// maxSpanSeconds bounds dates to what a duration can hold: 250 years.
const maxSpanSeconds = 250 * 366 * 24 * 3600

func validateDateTime(sampler *v1alpha1.Sampler) []Violation {
	spec := sampler.DateTime
	var violations []Violation
	zone := zoneOf(sampler)
	start, startErr := table.ParseMoment(spec.Start, zone)
	if startErr != nil {
		violations = append(violations, Violation{"dateTime.start", startErr.Error()})
	}
	end, endErr := table.ParseMoment(spec.End, zone)
	if endErr != nil {
		violations = append(violations, Violation{"dateTime.end", endErr.Error()})
	}
	if _, known := unitStarts[spec.Unit]; !known && spec.Unit != "" {
		violations = append(violations, Violation{"dateTime.unit",
			fmt.Sprintf("must be Year, Month, Day, Hour, Minute or Second, but is %q", spec.Unit)})
	}
	if startErr != nil || endErr != nil {
		return violations
	}
	switch span := end.Unix() - start.Unix(); {
	case span <= 0:
		violations = append(violations, Violation{"dateTime.end",
			fmt.Sprintf("end (%s) must be at least a second after start (%s)", spec.End, spec.Start)})
	case span > maxSpanSeconds:
		violations = append(violations, Violation{"dateTime.end", "start and end are more than 250 years apart"})
	}
	return violations
}

func moments(spec *v1alpha1.Sampler) drawFunc {
	// The validation has parsed the same.
	zone := zoneOf(spec)
	start, _ := table.ParseMoment(spec.DateTime.Start, zone)
	end, _ := table.ParseMoment(spec.DateTime.End, zone)
	start = start.In(zone)
	seconds := uint64(end.Unix() - start.Unix())
	startOfUnit, write := unitStarts[spec.DateTime.Unit], writerOf(spec)
	return func(stream *random.Stream, _ *table.Record) (any, error) {
		return write(startOfUnit(start.Add(time.Duration(stream.Below(seconds)) * time.Second))), nil
	}
}
