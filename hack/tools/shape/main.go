// Command shape measures how readable the code is, by figures that a program can count, and fails where a goal is missed.
// What is counted stands in ../README.md, the goals in goals.yaml. It changes nothing.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/tools/go/packages"
)

func main() {
	root := flag.String("root", ".", "the folder of the repository")
	goalsFile := flag.String("goals", "", "the file with the goals; hack/tools/shape/goals.yaml of the repository by default")
	all := flag.Bool("all", false, "list what was found where a goal is met too")
	flag.Parse()
	if *goalsFile == "" {
		*goalsFile = filepath.Join(*root, "hack", "tools", "shape", "goals.yaml")
	}
	missed, err := run(os.Stdout, *root, *goalsFile, *all)
	if err != nil {
		fmt.Fprintln(os.Stderr, "shape:", err)
		os.Exit(2)
	}
	if missed > 0 {
		fmt.Fprintf(os.Stderr, "shape: goals missed: %d\n", missed)
		os.Exit(1)
	}
}

// finding is one thing that is counted.
type finding struct {
	// place is file:line.
	place string
	name  string
	// value is how long or how complex it is; 0 where it only is there.
	value int
}

// figure is a row of the table.
type figure struct {
	name     string
	count    int
	goal     int
	findings []finding
	// aside is what was told apart, for people.
	aside string
}

func (f *figure) missed() bool { return f.count > f.goal }

// run prints the table, and returns how many goals are missed.
func run(output io.Writer, root, goalsFile string, all bool) (missed int, err error) {
	goals, err := readGoals(goalsFile)
	if err != nil {
		return 0, err
	}
	figures, err := measure(root, goals)
	if err != nil {
		return 0, err
	}
	table := tabwriter.NewWriter(output, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "FIGURE\tFOUND\tGOAL\t\t")
	for _, f := range figures {
		verdict := ""
		if f.missed() {
			verdict = "missed"
			missed++
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\n", f.name, f.count, f.goal, verdict, f.aside)
	}
	if err := table.Flush(); err != nil {
		return 0, err
	}
	for _, f := range figures {
		if len(f.findings) == 0 || !all && !f.missed() {
			continue
		}
		fmt.Fprintf(output, "\n%s:\n", f.name)
		for _, found := range f.findings {
			fmt.Fprintln(output, "  "+found.String())
		}
	}
	return missed, nil
}

// String is the finding as a line.
func (f finding) String() string {
	text := f.place
	if f.name != "" {
		text += " " + f.name
	}
	if f.value != 0 {
		text += fmt.Sprintf(" %d", f.value)
	}
	return text
}

// measure counts all figures.
func measure(root string, goals *goals) ([]figure, error) {
	files, err := sources(root)
	if err != nil {
		return nil, err
	}
	long, flatLong := longFunctions(files, goals.FunctionLines.Limit)
	complicated, flatComplex := complexFunctions(files, goals.Complexity.Limit)
	lines, inTables := longLines(files, goals.LineLength.Limit)
	figures := []figure{
		goals.FunctionLines.figure(fmt.Sprintf("functions over %d lines", goals.FunctionLines.Limit), long, aside(flatLong, "flat switch")),
		goals.Complexity.figure(
			fmt.Sprintf("functions over a cognitive complexity of %d", goals.Complexity.Limit), complicated, aside(flatComplex, "flat switch")),
		goals.LineLength.figure(
			fmt.Sprintf("lines over %d characters", goals.LineLength.Limit), lines, fmt.Sprintf("and %d in tables of tests", inTables)),
	}
	var loaded []*packages.Package
	for _, module := range goals.Modules {
		of, err := load(filepath.Join(root, filepath.FromSlash(module)))
		if err != nil {
			return nil, err
		}
		loaded = append(loaded, of...)
	}
	figures = append(figures, goals.TestOnly.figure("exported names that only tests use", onlyTested(loaded, goals.PublicPackages), ""))
	return append(figures, upward(loaded, goals)...), nil
}

func aside(flat []finding, what string) string {
	if len(flat) == 0 {
		return ""
	}
	names := make([]string, len(flat))
	for i, one := range flat {
		names[i] = fmt.Sprintf("%s %d", one.name, one.value)
	}
	return fmt.Sprintf("and %d that are a %s: %s", len(flat), what, strings.Join(names, ", "))
}

// upward has a figure for each package with a goal of its own, and one for the worst of all others.
func upward(loaded []*packages.Package, goals *goals) (figures []figure) {
	worst := figure{name: "references up between files of any other package", goal: goals.Upward.Default}
	for _, one := range loaded {
		if isVariant(one) {
			continue
		}
		files, arrows := arrowsOf(one)
		up := upwardOf(files, arrows)
		aside := fmt.Sprintf("of %d", len(arrows))
		goal, own := goals.Upward.Packages[one.PkgPath]
		if own {
			name := "references up between files of " + short(one.PkgPath)
			figures = append(figures, figure{name: name, count: len(up), goal: goal, findings: up, aside: aside})
		} else if len(up) > worst.count {
			worst.count, worst.findings, worst.aside = len(up), up, aside+" in "+short(one.PkgPath)
		}
	}
	slices.SortFunc(figures, func(a, b figure) int { return strings.Compare(a.name, b.name) })
	return append(figures, worst)
}

func short(path string) string { return strings.TrimPrefix(path, "seedloom.dev/seedloom/") }
