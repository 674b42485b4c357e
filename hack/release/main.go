// Command release makes what a release consists of, into dist/release: the programs for each system, packed with the licence, checksums of
// them all, and a bill of materials for each program, from what the linker has written into it. It publishes nothing. `make release` runs
// it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// target is a system that programs are made for.
type target struct{ system, architecture string }

// targets are all systems of a release.
func targets() []target {
	return []target{
		{"darwin", "amd64"}, {"darwin", "arm64"}, {"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"},
	}
}

// programs are those of a target: the command line everywhere, and what runs in containers for Linux.
func (t target) programs() []string {
	if t.system == "linux" {
		return []string{"seedloom", "manager", "engine", "bridge", "llmsim"}
	}
	return []string{"seedloom", "llmsim"}
}

func (t target) fileName(program string) string {
	if t.system == "windows" {
		return program + ".exe"
	}
	return program
}

// release is what one run of the command makes.
type release struct {
	version, output string
	targets         []target
}

func main() {
	var r release
	only := ""
	flag.StringVar(&r.version, "version", "dev", "the version")
	flag.StringVar(&r.output, "output", "dist/release", "the folder for the results")
	flag.StringVar(&only, "only", "", "one SYSTEM/ARCHITECTURE, to try it")
	flag.Parse()
	r.targets = slices.DeleteFunc(targets(), func(t target) bool { return only != "" && only != t.system+"/"+t.architecture })
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := r.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func (r *release) run(ctx context.Context) error {
	if len(r.targets) == 0 {
		return fmt.Errorf("--only names none of %v", targets())
	}
	if err := os.RemoveAll(r.output); err != nil {
		return err
	}
	if err := os.MkdirAll(r.output, 0o755); err != nil {
		return err
	}
	for _, t := range r.targets {
		if err := r.make(ctx, t); err != nil {
			return fmt.Errorf("%s/%s: %w", t.system, t.architecture, err)
		}
	}
	return writeChecksums(r.output)
}

// make builds the programs of a target, packs them, and writes their bills of materials.
func (r *release) make(ctx context.Context, t target) (err error) {
	folder, err := os.MkdirTemp("", "seedloom-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	arguments := []string{
		"build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -X seedloom.dev/seedloom/internal/buildversion.version=" + r.version, "-o", folder,
	}
	for _, program := range t.programs() {
		arguments = append(arguments, "./cmd/"+program)
	}
	build := exec.CommandContext(ctx, "go", arguments...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.system, "GOARCH="+t.architecture)
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(arguments, " "), err)
	}
	name := fmt.Sprintf("seedloom_%s_%s_%s", r.version, t.system, t.architecture)
	files := []packed{{"LICENSE", "LICENSE"}, {"engine/people/data/names/LICENSE", "LICENSE.faker-js"}, {"README.md", "README.md"}}
	for _, program := range t.programs() {
		path := filepath.Join(folder, t.fileName(program))
		files = append(files, packed{path, t.fileName(program)})
		bill := filepath.Join(r.output, fmt.Sprintf("%s_%s_%s_%s.cdx.json", program, r.version, t.system, t.architecture))
		if err := writeBill(path, bill, program, r.version); err != nil {
			return fmt.Errorf("the bill of materials of %s: %w", program, err)
		}
	}
	if t.system == "windows" {
		return packZip(filepath.Join(r.output, name+".zip"), files)
	}
	return packTar(filepath.Join(r.output, name+".tar.gz"), files)
}
