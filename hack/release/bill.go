package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// bill is a bill of materials in the form of CycloneDX 1.6, as far as a Go program tells of itself.
type bill struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    metadata    `json:"metadata"`
	Components  []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type     string     `json:"type"`
	Ref      string     `json:"bom-ref"`
	Name     string     `json:"name"`
	Version  string     `json:"version"`
	PURL     string     `json:"purl,omitempty"`
	Hashes   []hash     `json:"hashes,omitempty"`
	Licenses []licences `json:"licenses,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type licences struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

// writeBill writes the bill of a program that is linked already: the modules in it, and the standard library.
func writeBill(program, output, name, version string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	sum, err := sumOf(program)
	if err != nil {
		return err
	}
	main := component{
		Type: "application", Ref: name, Name: name, Version: version, PURL: "pkg:golang/" + info.Path + "@" + version,
		Hashes: []hash{{"SHA-256", hex.EncodeToString(sum)}}, Licenses: make([]licences, 1),
	}
	main.Licenses[0].License.ID = "Apache-2.0"
	made := bill{Format: "CycloneDX", SpecVersion: "1.6", Version: 1, Metadata: metadata{main}}
	standard := strings.TrimPrefix(info.GoVersion, "go")
	made.Components = append(made.Components, component{
		Type: "library", Ref: "std", Name: "std", Version: standard, PURL: "pkg:golang/std@" + standard,
	})
	for _, module := range info.Deps {
		entry, err := componentOf(module)
		if err != nil {
			return err
		}
		made.Components = append(made.Components, entry)
	}
	text, err := json.MarshalIndent(made, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(output, append(text, '\n'), 0o644)
}

// componentOf is a module, or what stands in its place.
func componentOf(module *debug.Module) (component, error) {
	if module.Replace != nil {
		module = module.Replace
	}
	reference := "pkg:golang/" + module.Path + "@" + module.Version
	made := component{Type: "library", Ref: reference, Name: module.Path, Version: module.Version, PURL: reference}
	if encoded, is := strings.CutPrefix(module.Sum, "h1:"); is {
		sum, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return component{}, fmt.Errorf("the sum of %s: %w", module.Path, err)
		}
		made.Hashes = []hash{{"SHA-256", hex.EncodeToString(sum)}}
	}
	return made, nil
}
