package sampler_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/internal/golden"
)

// The picture has a panel for each sampler whose values have a distribution, and for each distribution of SciPy.
const (
	panelColumns = 5
	panelWidth   = 150
	panelHeight  = 92
	barsHeight   = 52
	mostBars     = 50
	pictured     = 20_000
)

// picturedSamplers are those that are no distribution of SciPy by name, each with its title.
var picturedSamplers = [][2]string{
	{"Category", `{type: Category, category: {values: [1, 2, 3, 4], weights: [4, 1, 3, 2]}}`},
	{"Uniform", `{type: Uniform, uniform: {low: 0, high: 10}}`},
	{"Gaussian", `{type: Gaussian, gaussian: {mean: 24, stddev: 4}}`},
	{"Bernoulli 0.2", `{type: Bernoulli, bernoulli: {probability: 0.2}}`},
	{"BernoulliMixture", `{type: BernoulliMixture, bernoulliMixture: {probability: 0.6, distribution: {name: gamma, parameters: {a: 6}}}}`},
	{"Binomial 30, 0.15", `{type: Binomial, binomial: {trials: 30, probability: 0.15}}`},
	{"Poisson 2.5", `{type: Poisson, poisson: {mean: 2.5}}`},
	{"Sequence, gaps 3", `{type: Sequence, sequence: {gaps: 3}}`},
	{"DateTime, by month", `{type: DateTime, dateTime: {start: "2026-01-01", end: "2027-01-01", unit: Month}}`},
}

var (
	distributionName       = regexp.MustCompile(`name: (\w+)`)
	distributionParameters = regexp.MustCompile(`parameters: \{(.*?)\}`)
)

// TestThePictureShowsEveryDistribution draws docs/samplers.svg anew, so that it always shows what is drawn.
func TestThePictureShowsEveryDistribution(t *testing.T) {
	data, err := os.ReadFile("testdata/scipy.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []scipyValues
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	panels := slices.Clone(picturedSamplers)
	seen := map[string]bool{}
	for _, one := range all {
		name := distributionName.FindStringSubmatch(one.Sampler)
		if len(name) < 2 || seen[name[1]] {
			continue
		}
		seen[name[1]] = true
		title := name[1]
		if parameters := distributionParameters.FindStringSubmatch(one.Sampler); len(parameters) == 2 && parameters[1] != "" {
			title += " " + strings.NewReplacer(`"`, "", ": ", " ").Replace(parameters[1])
		}
		panels = append(panels, [2]string{title, one.Sampler})
	}
	golden.Check(t, "../../../docs/samplers.svg", picture(t, panels), "the picture of the samplers is not of what they draw")
}

func picture(t *testing.T, panels [][2]string) string {
	var svg strings.Builder
	rows := (len(panels) + panelColumns - 1) / panelColumns
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" `+
		`aria-label="histograms of what samplers draw">`+"\n",
		panelColumns*panelWidth, rows*panelHeight)
	svg.WriteString("<style>text{font:11px sans-serif;fill:#333}.n{font-size:9px;fill:#777}path{fill:#4477aa}line{stroke:#999}" +
		"@media(prefers-color-scheme:dark){text{fill:#ddd}.n{fill:#999}path{fill:#77aadd}}</style>\n")
	for i, panel := range panels {
		x, y := i%panelColumns*panelWidth+6, i/panelColumns*panelHeight+14
		_, values := draws(t, panel[1], pictured)
		bars, low, high := histogram(values)
		fmt.Fprintf(&svg, `<g transform="translate(%d,%d)"><text>%s</text>`, x, y, panel[0])
		fmt.Fprintf(&svg, `<path d="%s"/><line x2="%d" y1="%d" y2="%d"/>`, outline(bars), panelWidth-12, barsHeight+6, barsHeight+6)
		fmt.Fprintf(&svg, `<text class="n" y="%d">%s</text><text class="n" x="%d" y="%d" text-anchor="end">%s</text></g>`+"\n",
			barsHeight+16, low, panelWidth-12, barsHeight+16, high)
	}
	svg.WriteString("</svg>\n")
	return svg.String()
}

// histogram counts the middle 99 % of values, and says where these begin and end.
func histogram(values []any) (bars []int, from, to string) {
	numbers, whole := make([]float64, len(values)), true
	write := func(number float64) string { return fmt.Sprintf("%.3g", number) }
	for i, value := range values {
		switch typed := value.(type) {
		case int64:
			numbers[i] = float64(typed)
		case float64:
			numbers[i], whole = typed, false
		case time.Time:
			numbers[i] = float64(typed.Month())
			write = func(number float64) string { return time.Month(number).String()[:3] }
		}
	}
	slices.Sort(numbers)
	low, high := numbers[len(numbers)/200], numbers[len(numbers)-1-len(numbers)/200]
	count, width := mostBars, (high-low)/mostBars
	if whole && high-low < mostBars {
		count, width = int(high-low)+1, 1
	}
	bars = make([]int, count)
	for _, number := range numbers {
		if number >= low && number <= high {
			bars[min(int((number-low)/width), count-1)]++
		}
	}
	return bars, write(low), write(high)
}

// outline is the way around bars.
func outline(bars []int) string {
	var path strings.Builder
	width := float64(panelWidth-12) / float64(len(bars))
	highest := slices.Max(bars)
	for i, bar := range bars {
		height := math.Round(float64(bar) / float64(highest) * barsHeight)
		if height > 0 {
			fmt.Fprintf(&path, "M%.1f %dv-%.0fh%.1fv%.0fz", float64(i)*width, barsHeight+6, height, math.Max(width-0.6, 0.5), height)
		}
	}
	return path.String()
}
