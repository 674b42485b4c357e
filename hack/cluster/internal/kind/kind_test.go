package kind_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/hack/cluster/internal/image"
	"seedloom.dev/seedloom/hack/cluster/internal/kind"
)

// standIns puts a recording docker and kind first on the PATH. Their answers come from files in the
// returned folder; every call is a line of the file "calls".
func standIns(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	script := "#!/bin/sh\necho \"$(basename $0) $*\" >> " + folder + "/calls\n" +
		"case \"$*\" in *'--config -') cat >> " + folder + "/configuration;; 'get clusters') cat " + folder + "/clusters;; " +
		"*'images list') cat " + folder + "/images;; version*) cat " + folder + "/version;; esac\n"
	for _, name := range []string{"docker", "kind"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"clusters", "images", "version", "calls", "configuration"} {
		write(t, filepath.Join(folder, name), "")
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	return folder
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestAvailableAsksTheDaemon(t *testing.T) {
	folder := standIns(t)
	if kind.Available(context.Background()) {
		t.Error("available although the daemon names no version")
	}
	write(t, filepath.Join(folder, "version"), "29.0\n")
	if !kind.Available(context.Background()) {
		t.Error("not available although the daemon answers")
	}
}

func TestUpCreatesOnce(t *testing.T) {
	folder := standIns(t)
	cluster := &kind.Cluster{State: t.TempDir(), Binary: filepath.Join(folder, "kind"), Progress: io.Discard}
	if err := cluster.Up(context.Background()); err != nil {
		t.Fatal(err)
	}
	if configuration := read(t, filepath.Join(folder, "configuration")); !strings.Contains(configuration, cluster.VolumeFolder()) {
		t.Errorf("the node does not get the volumes' folder:\n%s", configuration)
	}
	write(t, filepath.Join(folder, "clusters"), "other\nseedloom\n")
	if err := cluster.Up(context.Background()); err != nil {
		t.Fatal(err)
	}
	if calls := read(t, filepath.Join(folder, "calls")); strings.Count(calls, "kind create cluster --name seedloom") != 1 {
		t.Errorf("calls, want one creation:\n%s", calls)
	}
}

func TestLoadSkipsAnImageThatIsThere(t *testing.T) {
	folder := standIns(t)
	cluster := &kind.Cluster{State: t.TempDir(), Binary: filepath.Join(folder, "kind"), Progress: io.Discard}
	built, err := image.New(image.Spec{Name: "a/b:dev", Files: []image.File{{Source: filepath.Join(folder, "kind"), Target: "/x"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		listing string
		want    bool
	}{{"a/b:dev type sha256:old 1\n", true}, {"a/b:dev type " + built.Digest() + " 1\n", false}} {
		write(t, filepath.Join(folder, "images"), test.listing)
		loaded, err := cluster.Load(context.Background(), built)
		if err != nil || loaded != test.want {
			t.Errorf("Load with %q = %t, %v; want %t", test.listing, loaded, err, test.want)
		}
	}
	if calls := read(t, filepath.Join(folder, "calls")); strings.Count(calls, "kind load image-archive --name seedloom") != 1 {
		t.Errorf("calls, want one load:\n%s", calls)
	}
}
