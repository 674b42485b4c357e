package visibility

import (
	"slices"
	"strings"
)

const (
	black       = "#000000"
	white       = "#ffffff"
	transparent = "transparent"
)

// plain is one way to write a value: in lower case, and without blanks.
func plain(value string) string { return strings.Join(strings.Fields(strings.ToLower(value)), "") }

func isZero(value string) bool {
	return strings.HasPrefix(value, "0") && slices.Contains([]string{"", "px", "pt", "em", "rem", "%"}, strings.TrimLeft(value, "0."))
}

// isFarOff says whether a length leads off the page: hundreds of units to the left or above.
func isFarOff(value string) bool {
	digits, negative := strings.CutPrefix(value, "-")
	digits = digits[:len(digits)-len(strings.TrimLeft(digits, "0123456789"))]
	return negative && len(digits) >= 3
}

// plainColor is one way to write a color.
func plainColor(color string) string {
	switch color {
	case "white", "#fff", "rgb(255,255,255)", "rgba(255,255,255,1)", "rgb(255255255)":
		return white
	case "black", "#000", "rgb(0,0,0)", "rgba(0,0,0,1)", "rgb(000)":
		return black
	}
	arguments, is := strings.CutPrefix(color, "rgba(")
	if !is {
		arguments, is = strings.CutPrefix(color, "hsla(")
	}
	if is && (strings.HasSuffix(arguments, ",0)") || strings.HasSuffix(arguments, ",0.0)")) {
		return transparent
	}
	if len(color) == len("#abc") && color[0] == '#' {
		return "#" + strings.Repeat(color[1:2], 2) + strings.Repeat(color[2:3], 2) + strings.Repeat(color[3:4], 2)
	}
	return color
}
