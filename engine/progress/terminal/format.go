package terminal

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rivo/uniseg"
)

// The widths that the texts below never exceed.
const (
	rateWidth  = 6
	countWidth = 6
	timeWidth  = 7
)

var suffixes = []string{"k", "M", "G", "T", "P", "E"}

// formatRate writes any rate in at most rateWidth characters.
func formatRate(rate float64) string {
	switch {
	case math.IsNaN(rate) || rate < 0:
		return "-"
	case rate == 0:
		return "0"
	case rate < 0.005:
		return "<0.01"
	case rate < 10:
		return strconv.FormatFloat(rate, 'f', 2, 64)
	case rate < 100:
		return strconv.FormatFloat(rate, 'f', 1, 64)
	case rate < 10_000:
		return strconv.FormatFloat(rate, 'f', 0, 64)
	}
	return compact(rate)
}

// formatCount writes any count in at most countWidth characters.
func formatCount(count int64) string {
	if count >= 0 && count < 1_000_000 {
		return strconv.FormatInt(count, 10)
	}
	if count < 0 {
		return "-"
	}
	return compact(float64(count))
}

// compact writes a number of at least a thousand with the suffix of its magnitude.
func compact(number float64) string {
	for _, suffix := range suffixes {
		number /= 1000
		switch {
		case number < 99.95:
			return strconv.FormatFloat(number, 'f', 1, 64) + suffix
		case number < 999.5:
			return strconv.FormatFloat(number, 'f', 0, 64) + suffix
		}
	}
	return ">999" + suffixes[len(suffixes)-1]
}

// formatTime writes any time in at most timeWidth characters.
func formatTime(duration time.Duration) string {
	seconds := int64(max(0, duration).Round(time.Second) / time.Second)
	minutes, hours, days := seconds/60, seconds/3600, seconds/86400
	switch {
	case days > 99:
		return ">99d"
	case days > 0:
		return fmt.Sprintf("%dd%02dh", days, hours%24)
	case hours > 0:
		return fmt.Sprintf("%dh%02dm", hours, minutes%60)
	case minutes > 0:
		return fmt.Sprintf("%dm%02ds", minutes, seconds%60)
	}
	return fmt.Sprintf("%ds", seconds)
}

// Width is how many columns a text takes.
func Width(text string) int { return uniseg.StringWidth(text) }

// Cut shortens a text to a width; whole characters stay, and two dots say that there is more.
func Cut(text string, width int) string {
	if Width(text) <= width {
		return text
	}
	dots := ".."[:max(0, min(2, width))]
	var kept strings.Builder
	left, state := max(0, width-len(dots)), -1
	for len(text) > 0 {
		var cluster string
		var wide int
		cluster, text, wide, state = uniseg.FirstGraphemeClusterInString(text, state)
		if wide > left {
			break
		}
		left -= wide
		kept.WriteString(cluster)
	}
	return kept.String() + dots
}

func padRight(text string, width int) string {
	text = Cut(text, width)
	return text + strings.Repeat(" ", max(0, width-Width(text)))
}

func padLeft(text string, width int) string {
	text = Cut(text, width)
	return strings.Repeat(" ", max(0, width-Width(text))) + text
}

// bar draws a bar of a width of at least 3.
func bar(percent float64, width int) string {
	inner := width - 2
	full := int(percent / 100 * float64(inner))
	full = max(0, min(inner, full))
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", inner-full) + "]"
}
