package main

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestAnImageIsSavedWithoutACluster(t *testing.T) {
	folder := t.TempDir()
	program, output := filepath.Join(folder, "manager"), filepath.Join(folder, "image.tar")
	if err := os.WriteFile(program, []byte("static"), 0o755); err != nil {
		t.Fatal(err)
	}
	arguments := []string{"save-image", "--state", folder, "--name", "example.org/manager:1", "--output", output, program}
	if err := execute(context.Background(), arguments, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	archive, err := os.Open(output)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	reader, members := tar.NewReader(archive), map[string]bool{}
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		members[header.Name] = true
	}
	for _, name := range []string{"oci-layout", "index.json", "manifest.json"} {
		if !members[name] {
			t.Errorf("the archive lacks %s, and has %v", name, members)
		}
	}
}
