package sampler

import (
	"fmt"
	"math"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

var geoPoints = family{
	name: v1alpha1.SamplerGeoPoint, member: "geoPoint", isSet: func(s *v1alpha1.Sampler) bool { return s.GeoPoint != nil },
	validate: validateGeoPoint, kind: always(table.KindStruct),
	typeOf: func(*v1alpha1.Sampler) table.Type {
		return table.Type{Kind: table.KindStruct, Fields: []table.Field{
			{Name: "latitude", Type: table.Type{Kind: table.KindFloat}}, {Name: "longitude", Type: table.Type{Kind: table.KindFloat}},
		}}
	},
	writeDefaults: func(s *v1alpha1.Sampler) {
		if s.GeoPoint != nil {
			s.GeoPoint.DecimalPlaces = new(s.GeoPoint.EffectiveDecimalPlaces())
		}
	},
	draws: func(s *v1alpha1.Sampler, _ site) drawFunc { return points(s.GeoPoint) },
}

const (
	// earthRadius is the mean one, in kilometres.
	earthRadius = 6371.0088
	// farthest is how large circles may be: half of the way around the earth.
	farthest = 20_000
)

func validateGeoPoint(sampler *v1alpha1.Sampler) []Violation {
	spec := sampler.GeoPoint
	violations := validatePlaces("geoPoint.decimalPlaces", spec.DecimalPlaces)
	within := func(field string, value *v1alpha1.Decimal, low, high float64) bool {
		switch {
		case value == nil:
			violations = append(violations, Violation{field, "is required"})
		case !(value.Float64() >= low && value.Float64() <= high):
			violations = append(violations, Violation{field, fmt.Sprintf("must be from %g to %g, but is %s", low, high, value)})
		default:
			return true
		}
		return false
	}
	switch circle, box := spec.Circle, spec.Box; {
	case (circle == nil) == (box == nil):
		violations = append(violations, Violation{"geoPoint", "exactly one of circle and box must be set"})
	case circle != nil:
		within("geoPoint.circle.latitude", circle.Latitude, -90, 90)
		within("geoPoint.circle.longitude", circle.Longitude, -180, 180)
		if within("geoPoint.circle.radiusKilometers", circle.RadiusKilometers, 0, farthest) && circle.RadiusKilometers.Float64() == 0 {
			violations = append(violations, Violation{"geoPoint.circle.radiusKilometers", "must be above 0"})
		}
	default:
		south, north := within("geoPoint.box.south", box.South, -90, 90), within("geoPoint.box.north", box.North, -90, 90)
		if south && north && box.South.Float64() >= box.North.Float64() {
			violations = append(violations, Violation{"geoPoint.box.north",
				fmt.Sprintf("north (%s) must be above south (%s)", box.North, box.South)})
		}
		west, east := within("geoPoint.box.west", box.West, -180, 180), within("geoPoint.box.east", box.East, -180, 180)
		if west && east && box.West.Float64() == box.East.Float64() {
			violations = append(violations, Violation{"geoPoint.box.east", fmt.Sprintf("east must not be west (%s)", box.West)})
		}
	}
	return violations
}

func points(spec *v1alpha1.GeoPointSampler) drawFunc {
	draw := pointsInBox
	if spec.Circle != nil {
		draw = pointsInCircle
	}
	next, places := draw(spec), *spec.DecimalPlaces
	return func(stream *random.Stream, _ *table.Record) (any, error) {
		latitude, longitude := next(stream)
		return []any{round(latitude, places), round(longitude, places)}, nil
	}
}

// pointsInBox draws points of which each area has its share: parallels are the shorter the nearer they are to a pole.
func pointsInBox(spec *v1alpha1.GeoPointSampler) func(*random.Stream) (latitude, longitude float64) {
	low, high := math.Sin(radians(spec.Box.South.Float64())), math.Sin(radians(spec.Box.North.Float64()))
	west, width := spec.Box.West.Float64(), spec.Box.East.Float64()-spec.Box.West.Float64()
	if width < 0 {
		width += 360
	}
	return func(stream *random.Stream) (float64, float64) {
		height := low + float64((high-low)*stream.Float64())
		return degrees(math.Asin(height)), wrapped(west + float64(width*stream.Float64()))
	}
}

// pointsInCircle draws points of a cap of the sphere: their distances have the share of the area within, and all directions are alike.
func pointsInCircle(spec *v1alpha1.GeoPointSampler) func(*random.Stream) (latitude, longitude float64) {
	latitude, longitude := radians(spec.Circle.Latitude.Float64()), spec.Circle.Longitude.Float64()
	// Of a small circle, the cosine would lose digits that the sine of half the angle has.
	half := math.Sin(spec.Circle.RadiusKilometers.Float64() / earthRadius / 2)
	sine, cosine := math.Sincos(latitude)
	return func(stream *random.Stream) (float64, float64) {
		distance := 2 * math.Asin(float64(half*math.Sqrt(stream.Float64())))
		bearing := 2 * math.Pi * stream.Float64()
		across, along := math.Sincos(distance)
		height := float64(sine*along) + float64(cosine*across*math.Cos(bearing))
		turn := math.Atan2(float64(math.Sin(bearing)*across*cosine), along-float64(sine*height))
		return degrees(math.Asin(max(-1, min(1, height)))), wrapped(longitude + degrees(turn))
	}
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

func degrees(radians float64) float64 { return radians * 180 / math.Pi }

// wrapped is a longitude from -180 to 180.
func wrapped(longitude float64) float64 {
	switch {
	case longitude > 180:
		return longitude - 360
	case longitude < -180:
		return longitude + 360
	}
	return longitude
}
