package image_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/hack/cluster/internal/image"
)

func program(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func build(t *testing.T, spec image.Spec) *image.Image {
	t.Helper()
	built, err := image.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

func archive(t *testing.T, built *image.Image) map[string][]byte {
	t.Helper()
	var output bytes.Buffer
	if err := built.WriteArchive(&output); err != nil {
		t.Fatal(err)
	}
	return members(t, &output)
}

func members(t *testing.T, input io.Reader) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	reader := tar.NewReader(input)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if found[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}

func TestArchiveIsAnImageLayoutWithTheFilesInOneLayer(t *testing.T) {
	manager, engine := program(t, "manager"), program(t, "engine")
	built := build(t, image.Spec{
		Name: "seedloom.dev/seedloom:dev", User: "65532", Entrypoint: []string{"/manager"},
		Files: []image.File{{Source: manager, Target: "/manager"}, {Source: engine, Target: "/bin/engine"}},
	})
	content := archive(t, built)
	for name, blob := range content {
		if want, ok := strings.CutPrefix(name, "blobs/sha256/"); ok {
			if digest := sha256.Sum256(blob); hex.EncodeToString(digest[:]) != want {
				t.Errorf("blob %s has digest %x", name, digest)
			}
		}
	}
	var docker []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal(content["manifest.json"], &docker); err != nil {
		t.Fatal(err)
	}
	var config struct {
		Config struct {
			User       string
			Entrypoint []string
		} `json:"config"`
	}
	if err := json.Unmarshal(content[docker[0].Config], &config); err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532" || len(config.Config.Entrypoint) != 1 || config.Config.Entrypoint[0] != "/manager" {
		t.Errorf("configuration is %+v, want user 65532 and entrypoint /manager", config.Config)
	}
	layer := members(t, bytes.NewReader(content[docker[0].Layers[0]]))
	if string(layer["manager"]) != "manager" || string(layer["bin/engine"]) != "engine" {
		t.Errorf("the layer holds %q", layer)
	}
	if !bytes.Contains(content["index.json"], []byte(built.Digest())) {
		t.Errorf("index.json does not name %s", built.Digest())
	}
}

func TestDigestDependsOnContentOnly(t *testing.T) {
	path := program(t, "one")
	other := program(t, "other")
	spec := image.Spec{Name: "a/b:c", Files: []image.File{{Source: path, Target: "/p"}, {Source: other, Target: "/o"}}}
	first := build(t, spec).Digest()
	if err := os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	spec.Files[0], spec.Files[1] = spec.Files[1], spec.Files[0]
	if second := build(t, spec).Digest(); second != first {
		t.Errorf("digest changed with the order and time of the files: %s and %s", first, second)
	}
	if err := os.WriteFile(path, []byte("two"), 0o755); err != nil {
		t.Fatal(err)
	}
	if third := build(t, spec).Digest(); third == first {
		t.Error("digest did not change with a file's content")
	}
}

func TestNewRefusesWhatCannotBeAnImage(t *testing.T) {
	path := program(t, "x")
	for name, spec := range map[string]image.Spec{
		"no tag":           {Name: "localhost:5000/seedloom", Files: []image.File{{Source: path, Target: "/x"}}},
		"no file":          {Name: "a:b"},
		"two of one name":  {Name: "a:b", Files: []image.File{{Source: path, Target: "/x"}, {Source: path, Target: "/x"}}},
		"a missing file":   {Name: "a:b", Files: []image.File{{Source: path + "-missing", Target: "/x"}}},
		"a folder as file": {Name: "a:b", Files: []image.File{{Source: filepath.Dir(path), Target: "/x"}}},
	} {
		if _, err := image.New(spec); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParseFile(t *testing.T) {
	for argument, target := range map[string]string{"/a/b": "/b", "b": "/b", "/a/b=/c/d": "/c/d", "b=c": "", "b=/": "", "b=/../c": ""} {
		file, err := image.ParseFile(argument)
		if file.Target != target || (err == nil) != (target != "") {
			t.Errorf("ParseFile(%q) = %+v, %v; want target %q", argument, file, err, target)
		}
	}
}

func TestDigestInListing(t *testing.T) {
	listing := []byte("REF TYPE DIGEST SIZE\na/b:dev2 t sha256:2 1\na/b:dev application/x sha256:1 2.0 MiB linux/amd64 -\n")
	if digest, ok := image.DigestInListing(listing, "a/b:dev"); !ok || digest != "sha256:1" {
		t.Errorf("got %q, %t", digest, ok)
	}
	if _, ok := image.DigestInListing(listing, "a/b:de"); ok {
		t.Error("found an image that is not listed")
	}
}

func TestTheArchitectureIsThatOfThePrograms(t *testing.T) {
	spec := image.Spec{Name: "example.org/x:1", Architecture: "riscv64", Files: []image.File{{Source: program(t, "x"), Target: "/x"}}}
	found := archive(t, build(t, spec))
	for name, content := range found {
		if strings.HasPrefix(name, "blobs/") && bytes.Contains(content, []byte(`"architecture":"riscv64"`)) {
			return
		}
	}
	t.Errorf("no blob names the architecture; the archive has %d members", len(found))
}
