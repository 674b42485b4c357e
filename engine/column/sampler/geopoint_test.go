package sampler_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/column/sampler"
)

// pointsOf draws points, and returns their parts.
func pointsOf(t *testing.T, text string) (latitudes, longitudes []float64) {
	t.Helper()
	_, values := draws(t, "{type: GeoPoint, geoPoint: "+text+"}", 20_000)
	for _, value := range values {
		point := value.([]any)
		latitudes, longitudes = append(latitudes, point[0].(float64)), append(longitudes, point[1].(float64))
	}
	return latitudes, longitudes
}

func sine(degrees float64) float64 { return math.Sin(degrees * math.Pi / 180) }

func cosine(degrees float64) float64 { return math.Cos(degrees * math.Pi / 180) }

// Points are equally likely anywhere in their area: of the sphere, not of a map.
func TestPointsAreEquallyLikelyEverywhere(t *testing.T) {
	latitudes, longitudes := pointsOf(t, `{box: {south: -10, north: 80, west: 170, east: -150}, decimalPlaces: 12}`)
	checkDistribution(t, "latitudes", latitudes, func(x float64) float64 { return (sine(x) - sine(-10)) / (sine(80) - sine(-10)) })
	for i, longitude := range longitudes {
		if longitude < -180 || longitude > 180 || longitude > -150 && longitude < 170 {
			t.Fatalf("%g is outside of the box", longitude)
		}
		if longitude < 0 {
			longitudes[i] += 360
		}
	}
	checkDistribution(t, "longitudes", longitudes, func(x float64) float64 { return (x - 170) / 40 })

	for _, circle := range []struct{ latitude, longitude, radius float64 }{{48.1372, 11.5755, 25}, {-17.5, 179.9, 3000}, {90, 0, 500}} {
		text := strings.NewReplacer("LAT", number(circle.latitude), "LON", number(circle.longitude), "R", number(circle.radius)).
			Replace(`{circle: {latitude: LAT, longitude: LON, radiusKilometers: R}, decimalPlaces: 12}`)
		latitudes, longitudes := pointsOf(t, text)
		shares, half := make([]float64, len(latitudes)), math.Sin(circle.radius/6371.0088/2)
		for i := range latitudes {
			// The square of half the chord, by the haversine.
			up, over := sine((latitudes[i]-circle.latitude)/2), sine((longitudes[i]-circle.longitude)/2)
			shares[i] = (up*up + cosine(latitudes[i])*cosine(circle.latitude)*over*over) / (half * half)
			if longitudes[i] < -180 || longitudes[i] > 180 {
				t.Fatalf("a longitude of %g", longitudes[i])
			}
		}
		checkDistribution(t, text, shares, func(x float64) float64 { return x })
	}
}

func TestPointsAreRounded(t *testing.T) {
	latitudes, _ := pointsOf(t, `{circle: {latitude: 48.1372, longitude: 11.5755, radiusKilometers: 25}}`)
	for _, latitude := range latitudes[:100] {
		if scaled := latitude * 1e6; math.Abs(scaled-math.Round(scaled)) > 1e-6 {
			t.Fatalf("%v has more than six places", latitude)
		}
	}
}

func TestAreasThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "geoPoint",
		`{circle: {latitude: 1, longitude: 2, radiusKilometers: 3}, box: {south: 1, north: 2, west: 3, east: 4}}`: "geoPoint",
		`{circle: {latitude: 91, longitude: -181, radiusKilometers: 0}}`:                                          "geoPoint.circle.latitude geoPoint.circle.longitude geoPoint.circle.radiusKilometers",
		`{circle: {}}`: "geoPoint.circle.latitude geoPoint.circle.longitude geoPoint.circle.radiusKilometers",
		`{box: {south: 2, north: 1, west: 3, east: 3}, decimalPlaces: 99}`: "geoPoint.decimalPlaces geoPoint.box.north geoPoint.box.east",
		`{box: {south: 1, north: 2, west: 170, east: -170}}`:               "",
	} {
		var fields []string
		for _, violation := range sampler.Validate(parse(t, "{type: GeoPoint, geoPoint: "+text+"}")) {
			fields = append(fields, violation.Field)
		}
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s: violations of %q, want %q", text, got, want)
		}
	}
}

func number(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }
