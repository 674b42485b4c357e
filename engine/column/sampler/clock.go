package sampler

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // so that every machine knows all zones

	"github.com/itchyny/timefmt-go"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// isoFormat is the name of the format of RFC 3339, and isoLayout how it is written.
const (
	isoFormat = "ISO"
	isoLayout = time.RFC3339
)

// directives are the forms that a directive of a format may have; anyPercent finds what is left of others.
var (
	directives = regexp.MustCompile(`%[-_^#0]?[0-9]{0,2}(?:[YyCGgmBbhAawuVUWedjkHIlPpMSsfZzcvrFDxTXR]|:z)|%[nt%]`)
	anyPercent = regexp.MustCompile(`%.?`)
)

// validateClock looks at how moments are written.
func (f family) validateClock(spec *v1alpha1.Sampler) []Violation {
	var violations []Violation
	if f.name != v1alpha1.SamplerDateTime && f.name != v1alpha1.SamplerTimeDelta {
		if spec.Format != "" {
			violations = append(violations, Violation{"format", fmt.Sprintf("is not possible for samplers of type %s", f.name)})
		}
		if spec.TimeZone != "" {
			violations = append(violations, Violation{"timeZone", fmt.Sprintf("is not possible for samplers of type %s", f.name)})
		}
		return violations
	}
	if problem := formatProblem(spec.Format); problem != "" {
		violations = append(violations, Violation{"format", problem})
	}
	if _, err := time.LoadLocation(spec.TimeZone); err != nil || spec.TimeZone == "Local" {
		violations = append(violations, Violation{"timeZone", fmt.Sprintf("%q is not a time zone, such as Europe/Berlin or UTC", spec.TimeZone)})
	}
	return violations
}

func formatProblem(format string) string {
	if format == "" || format == isoFormat {
		return ""
	}
	if !directives.MatchString(format) {
		return fmt.Sprintf("%q writes nothing of a moment: write ISO, or directives as in %%Y-%%m-%%d", format)
	}
	if wrong := anyPercent.FindString(directives.ReplaceAllString(format, "")); wrong != "" {
		return fmt.Sprintf("%q is not a directive of strftime; a percent sign is written as %%%%", wrong)
	}
	return ""
}

// zoneOf is the time zone of a valid sampler's moments.
func zoneOf(spec *v1alpha1.Sampler) *time.Location {
	zone, err := time.LoadLocation(spec.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// momentKind is the kind of moments as they are written.
func momentKind(spec *v1alpha1.Sampler) table.Kind {
	if spec.Format != "" {
		return table.KindString
	}
	return table.KindTimestamp
}

// writerOf writes moments as a sampler says.
func writerOf(spec *v1alpha1.Sampler) func(at time.Time) any {
	zone, format := zoneOf(spec), spec.Format
	switch format {
	case "":
		return func(at time.Time) any { return at.UTC() }
	case isoFormat:
		return func(at time.Time) any { return at.In(zone).Format(isoLayout) }
	}
	return func(at time.Time) any { return timefmt.Format(at.In(zone), format) }
}

// momentsOf reads moments from the cells of a column: from one with a sampler as it writes them, and else from timestamps, dates and texts,
// of which those without a zone are in the given one.
func momentsOf(spec *v1alpha1.Sampler, zone *time.Location) func(cell any) (time.Time, error) {
	format := ""
	if spec != nil && isMoment(spec) && spec.Format != "" {
		zone, format = zoneOf(spec), spec.Format
	}
	return func(cell any) (time.Time, error) {
		switch value := cell.(type) {
		case time.Time:
			return value, nil
		case string:
			if format != "" && format != isoFormat {
				at, err := timefmt.ParseInLocation(value, format, zone)
				return at.UTC(), err
			}
		}
		return table.ParseMoment(fmt.Sprint(cell), zone)
	}
}

// isMoment says whether a sampler draws moments.
func isMoment(spec *v1alpha1.Sampler) bool { return spec.DateTime != nil || spec.TimeDelta != nil }

// unreadable says why the moments of a valid sampler can't be read back from what it writes; nothing where they can.
func unreadable(spec *v1alpha1.Sampler) string {
	if spec == nil || spec.Format == "" || !isMoment(spec) {
		return ""
	}
	write, read := writerOf(spec), momentsOf(spec, time.UTC)
	for _, at := range examplesOf(spec) {
		text := write(at)
		if again, err := read(text); err != nil || !again.Equal(at) {
			return fmt.Sprintf("is written as %q, as in %q, from which the moment can't be read back: write all of it, or leave out format",
				spec.Format, text)
		}
	}
	return ""
}

// examplesOf are some moments as fine as those that a sampler draws.
func examplesOf(spec *v1alpha1.Sampler) []time.Time {
	cut := unitStarts[v1alpha1.TimeUnitSecond]
	switch {
	case spec.DateTime != nil && spec.DateTime.Unit != "":
		cut = unitStarts[spec.DateTime.Unit]
	case spec.DateTime != nil || strings.HasSuffix(string(spec.TimeDelta.Unit), "Day") || spec.TimeDelta.Unit == "":
		cut = unitStarts[v1alpha1.TimeUnitDay]
	}
	zone := zoneOf(spec)
	var examples []time.Time
	for _, at := range []time.Time{time.Date(1987, 6, 5, 4, 3, 2, 0, zone), time.Date(2026, 11, 27, 21, 45, 58, 0, zone)} {
		examples = append(examples, cut(at))
	}
	return examples
}

// unitStarts cut a moment down to a unit in its time zone.
var unitStarts = map[v1alpha1.TimeUnit]func(time.Time) time.Time{
	v1alpha1.TimeUnitYear:  func(at time.Time) time.Time { return time.Date(at.Year(), 1, 1, 0, 0, 0, 0, at.Location()) },
	v1alpha1.TimeUnitMonth: func(at time.Time) time.Time { return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, at.Location()) },
	v1alpha1.TimeUnitDay: func(at time.Time) time.Time {
		return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())
	},
	// Within an hour that clocks show twice, and in zones whose offset is no whole number of hours.
	v1alpha1.TimeUnitHour: func(at time.Time) time.Time {
		return at.Add(-time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond()))
	},
	v1alpha1.TimeUnitMinute: func(at time.Time) time.Time {
		return at.Add(-time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond()))
	},
	v1alpha1.TimeUnitSecond: func(at time.Time) time.Time { return at.Truncate(time.Second) },
}
