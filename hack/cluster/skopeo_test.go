package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAnotherToolCopiesTheArchive runs the command of docs/installing.md that brings the image into a registry, with a folder in the place
// of the registry. `make image`, which stands before it there, is what the end-to-end tests make their image with.
func TestAnotherToolCopiesTheArchive(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "installing.md"))
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^skopeo copy .*$`).FindString(string(page))
	folder := t.TempDir()
	archive, copied := filepath.Join(folder, "dist", "seedloom.tar"), filepath.Join(folder, "registry")
	replaced := regexp.MustCompile(`docker://\S+`).ReplaceAllString(strings.Replace(command, "dist/seedloom.tar", archive, 1), "dir:"+copied)
	if !strings.Contains(replaced, archive) || !strings.Contains(replaced, copied) {
		t.Fatalf("docs/installing.md copies other things: %q", command)
	}
	program, err := exec.LookPath("skopeo")
	if err != nil {
		t.Skip("skopeo is not installed (Debian's package skopeo): nothing copies the archive")
	}
	for _, file := range []string{"amd64/manager", "arm64/manager"} {
		path := filepath.Join(folder, "dist", file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("of "+file), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	save := []string{
		"save-image", "--state", folder, "--name", "registry.internal/seedloom:v1", "--architectures", "amd64,arm64", "--output", archive,
		filepath.Join(folder, "dist", "{architecture}", "manager"),
	}
	if err := execute(context.Background(), save, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	arguments := append([]string{"--insecure-policy"}, strings.Fields(replaced)[1:]...)
	if output, err := exec.Command(program, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", replaced, err, output)
	}
	manifests, err := filepath.Glob(filepath.Join(copied, "*.manifest.json"))
	if err != nil || len(manifests) != 2 {
		t.Errorf("copied were the images %q, want two (%v)", manifests, err)
	}
}
