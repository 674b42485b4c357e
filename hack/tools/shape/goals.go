package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"go.yaml.in/yaml/v3"
)

// goals are the limits and goals of goals.yaml.
type goals struct {
	// Modules are the folders of the modules whose packages are read with their types.
	Modules []string `yaml:"modules"`
	// PublicPackages are those whose exported names others use.
	PublicPackages []string `yaml:"publicPackages"`
	FunctionLines  goal     `yaml:"functionLines"`
	Complexity     goal     `yaml:"complexity"`
	LineLength     goal     `yaml:"lineLength"`
	TestOnly       goal     `yaml:"testOnly"`
	Upward         struct {
		Default  int            `yaml:"default"`
		Packages map[string]int `yaml:"packages"`
	} `yaml:"upward"`
}

// goal says from where on something counts, and how many there may be.
type goal struct {
	Limit int `yaml:"limit"`
	Goal  int `yaml:"goal"`
	// Except are names that do not count.
	Except []exception `yaml:"except"`
}

type exception struct {
	Name   string `yaml:"name"`
	Reason string `yaml:"reason"`
}

func readGoals(name string) (*goals, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var read goals
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&read); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, of := range []goal{read.FunctionLines, read.Complexity, read.LineLength, read.TestOnly} {
		for _, except := range of.Except {
			if except.Name == "" || except.Reason == "" {
				return nil, fmt.Errorf("%s: an exception needs a name and a reason, but there is %+v", name, except)
			}
		}
	}
	return &read, nil
}

// figure is the row of what was found, without what is excepted.
func (g *goal) figure(name string, found []finding, aside string) figure {
	found = slices.DeleteFunc(slices.Clone(found), func(one finding) bool {
		return slices.ContainsFunc(g.Except, func(except exception) bool { return except.Name == one.name })
	})
	return figure{name: name, count: len(found), goal: g.Goal, findings: found, aside: aside}
}
