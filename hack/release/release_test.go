package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// this is the test's own program, which is as good as any other.
func this(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestABillNamesTheModulesOfAProgram(t *testing.T) {
	output := filepath.Join(t.TempDir(), "bill.json")
	if err := writeBill(this(t), output, "seedloom", "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	var got bill
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	main := got.Metadata.Component
	if got.Format != "CycloneDX" || main.Name != "seedloom" || main.Version != "v1.2.3" || len(main.Hashes) != 1 ||
		main.Licenses[0].License.ID != "Apache-2.0" {
		t.Errorf("the bill is %s", text)
	}
	if !slices.ContainsFunc(got.Components, func(one component) bool { return one.Name == "std" && strings.HasPrefix(one.Version, "1.") }) {
		t.Errorf("the bill lacks the standard library: %s", text)
	}
}

func TestArchivesAreTheSameEachTimeAndMatchTheirSums(t *testing.T) {
	folder := t.TempDir()
	program, licence := filepath.Join(folder, "program"), filepath.Join(folder, "licence")
	for _, path := range []string{program, licence} {
		if err := os.WriteFile(path, []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	output := t.TempDir()
	files := []packed{{licence, "LICENSE"}, {program, "seedloom"}}
	for _, name := range []string{"one.tar.gz", "two.tar.gz"} {
		if err := packTar(filepath.Join(output, name), files); err != nil {
			t.Fatal(err)
		}
	}
	if err := packZip(filepath.Join(output, "three.zip"), files); err != nil {
		t.Fatal(err)
	}
	if err := writeChecksums(output); err != nil {
		t.Fatal(err)
	}
	check := exec.Command("sha256sum", "--check", "--strict", "checksums.txt")
	check.Dir = output
	if said, err := check.CombinedOutput(); err != nil || strings.Count(string(said), ": OK") != 3 {
		t.Errorf("sha256sum: %v: %s", err, said)
	}
	one, two := modes(t, filepath.Join(output, "one.tar.gz")), modes(t, filepath.Join(output, "two.tar.gz"))
	if one["LICENSE"] != 0o644 || one["seedloom"] != 0o755 || len(one) != 2 || len(two) != 2 {
		t.Errorf("the archives hold %v and %v", one, two)
	}
	first, _ := sumOf(filepath.Join(output, "one.tar.gz"))
	second, _ := sumOf(filepath.Join(output, "two.tar.gz"))
	if string(first) != string(second) {
		t.Error("two archives of the same files differ")
	}
}

// modes are the files of an archive, with their permissions.
func modes(t *testing.T, path string) map[string]int64 {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	reader, found := tar.NewReader(plain), map[string]int64{}
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = header.Mode
	}
}
