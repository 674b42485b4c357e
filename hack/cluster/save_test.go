package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/hack/cluster/internal/image"
)

// membersOf are the files of an archive.
func membersOf(t *testing.T, path string) map[string][]byte {
	t.Helper()
	archive, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	reader, members := tar.NewReader(archive), map[string][]byte{}
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return members
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := members[header.Name]; twice {
			t.Errorf("%s is there twice", header.Name)
		}
		if members[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneArchiveIsForAllArchitectures(t *testing.T) {
	folder := t.TempDir()
	output, certificates := filepath.Join(folder, "image.tar"), filepath.Join(folder, "certificates")
	for _, file := range []string{"amd64/manager", "arm64/manager", "certificates"} {
		path := filepath.Join(folder, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("of "+file), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	arguments := []string{
		"save-image", "--state", folder, "--name", "example.org/manager:1", "--architectures", "amd64,arm64", "--output", output,
		filepath.Join(folder, "{architecture}", "manager"), certificates + "=/etc/certificates",
	}
	if err := execute(context.Background(), arguments, &said, io.Discard); err != nil {
		t.Fatal(err)
	}
	members := membersOf(t, output)
	content := func(digest string) []byte { return members["blobs/"+strings.Replace(digest, ":", "/", 1)] }
	var layout, index, manifest struct {
		Manifests []struct {
			Digest   string
			Platform struct{ OS, Architecture string }
		}
		Layers []struct{ Digest string }
	}
	read := func(data []byte, into any) {
		t.Helper()
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatalf("%v in %q", err, data)
		}
	}
	read(members["index.json"], &layout)
	read(content(layout.Manifests[0].Digest), &index)
	var found []string
	for _, one := range index.Manifests {
		found = append(found, one.Platform.OS+"/"+one.Platform.Architecture)
		read(content(one.Digest), &manifest)
		if layer := content(manifest.Layers[0].Digest); !bytes.Contains(layer, []byte("of "+one.Platform.Architecture+"/manager")) ||
			!bytes.Contains(layer, []byte("of certificates")) {
			t.Errorf("the image for %s has %q", one.Platform.Architecture, layer)
		}
	}
	if !slices.Equal(found, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("the archive is for %q", found)
	}
	saved, err := image.Open(output)
	if err != nil {
		t.Fatal(err)
	}
	if want := saved.Name() + "@" + saved.Digest() + " in " + output; saved.Name() != "example.org/manager:1" ||
		saved.Digest() != layout.Manifests[0].Digest || !strings.Contains(said.String(), want) {
		t.Errorf("the archive has %s@%s, and save-image said %s", saved.Name(), saved.Digest(), said.String())
	}
	var copied bytes.Buffer
	if original, err := os.ReadFile(output); err != nil || saved.WriteArchive(&copied) != nil || !bytes.Equal(original, copied.Bytes()) {
		t.Errorf("what a node is given is not the archive (%v)", err)
	}
}

func TestArchivesThatHoldNoImageAreRefused(t *testing.T) {
	folder := t.TempDir()
	program := filepath.Join(folder, "manager")
	if err := os.WriteFile(program, []byte("static"), 0o755); err != nil {
		t.Fatal(err)
	}
	for arguments, want := range map[string]string{
		"load-archive --archive " + program:                                                         "holds no image",
		"load-archive --archive " + filepath.Join(folder, "missing"):                                "no such file",
		"save-image --architectures amd64,amd64 --name a:b --output " + program + ".tar " + program: "amd64 is there twice",
	} {
		fields := strings.Fields(arguments)
		err := execute(context.Background(), append([]string{fields[0], "--state", folder}, fields[1:]...), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", arguments, err, want)
		}
	}
}
