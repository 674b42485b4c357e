package main

import (
	_ "embed"
	"fmt"
	"io"
	"slices"

	"sigs.k8s.io/yaml"
)

//go:embed ranges.yaml
var rangesFile []byte

// profile is one size of the crowd, and what its figures must be.
type profile struct {
	// Waiting is how many runs wait for Pods that don't start.
	Waiting int `json:"waiting"`
	// WindowSeconds is for how long requests are counted.
	WindowSeconds int `json:"windowSeconds"`
	// Creations is how many resources are created at CreationsPerSecond while the others wait.
	Creations          int `json:"creations"`
	CreationsPerSecond int `json:"creationsPerSecond"`
	// Resting is how many resources have ended, with their Jobs, Pods and ConfigMaps.
	Resting int `json:"resting"`
	// RunSeconds is how long the one run generates whose writes are counted.
	RunSeconds int             `json:"runSeconds"`
	Ranges     map[string]most `json:"ranges"`
	// profiles is the folder for profiles of the manager; none are made when it is empty.
	profiles string
}

// most is the range of a figure.
type most struct {
	Most float64 `json:"most"`
}

func readProfile(name string) (profile, error) {
	var profiles map[string]profile
	if err := yaml.UnmarshalStrict(rangesFile, &profiles); err != nil {
		return profile{}, fmt.Errorf("reading the ranges: %w", err)
	}
	found, is := profiles[name]
	if !is {
		return profile{}, fmt.Errorf("there is no profile %q", name)
	}
	return found, nil
}

// figure is one thing that was measured.
type figure struct {
	name  string
	value float64
	// detail says what the value is made of.
	detail string
}

// check says which figures are outside of their ranges, and which ranges no figure was measured for.
func (p profile) check(figures []figure) []string {
	var missed []string
	for _, one := range figures {
		if limit, is := p.Ranges[one.name]; is && one.value > limit.Most {
			missed = append(missed, fmt.Sprintf("%s: %.4g, and at most %.4g is promised (%s)", one.name, one.value, limit.Most, one.detail))
		}
	}
	for name := range p.Ranges {
		if !slices.ContainsFunc(figures, func(one figure) bool { return one.name == name }) {
			missed = append(missed, name+": was not measured")
		}
	}
	slices.Sort(missed)
	return missed
}

// print writes the figures as a table in Markdown.
func (p profile) print(to io.Writer, figures []figure) {
	fmt.Fprintln(to, "| figure | measured | at most | |")
	fmt.Fprintln(to, "|---|---|---|---|")
	for _, one := range figures {
		limit := ""
		if known, is := p.Ranges[one.name]; is {
			limit = fmt.Sprintf("%g", known.Most)
		}
		fmt.Fprintf(to, "| %s | %.4g | %s | %s |\n", one.name, one.value, limit, one.detail)
	}
}
