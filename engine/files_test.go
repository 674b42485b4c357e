package engine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNothingOutsideOfAVolumeIsRead(t *testing.T) {
	root := t.TempDir()
	volume := filepath.Join(root, "volume")
	for _, path := range []string{volume, filepath.Join(volume, "folder.mp3")} {
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, data := range map[string]string{"secret": "secret", "volume/sound.mp3": "sound"} {
		if err := os.WriteFile(filepath.Join(root, path), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret", filepath.Join(volume, "link.mp3")); err != nil {
		t.Fatal(err)
	}
	files := mediaFiles{seedDirectory: root, volumeDirectory: func(name string) string { return filepath.Join(root, name) }}
	if data, err := files.ReadFile("volume", "sound.mp3", 3); err != nil || string(data) != "sou" {
		t.Errorf("got %q, %v", data, err)
	}
	if data, err := files.ReadFile("", "volume/sound.mp3", 3); err != nil || string(data) != "sou" {
		t.Errorf("got %q, %v", data, err)
	}
	for _, path := range []string{"link.mp3", "../secret", filepath.Join(root, "secret"), "folder.mp3", "missing"} {
		if data, err := files.ReadFile("volume", path, 100); err == nil {
			t.Errorf("%s: read %q", path, data)
		}
	}
}
