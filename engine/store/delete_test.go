package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"seedloom.dev/seedloom/engine/store"
)

func TestDeleteLeavesWhatIsOfOthers(t *testing.T) {
	root := t.TempDir()
	write := func(name string) string {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	outside := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	there := func(path string) bool {
		_, err := os.Lstat(path)
		return err == nil
	}
	write("team/reviews/0123/data/part-0.parquet")
	write("team/reviews/4567/.seedloom/row-groups/0.json")
	other, elsewhere := write("team/reviews-2/0123/_SUCCESS"), write("lost+found/x")
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(root, "team", "reviews", "link")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := store.Delete(root, "team", "reviews"); err != nil {
			t.Fatal(err)
		}
	}
	if there(filepath.Join(root, "team", "reviews")) || !there(other) || !there(elsewhere) || !there(outside) {
		t.Error("other things were deleted than the datasets of the resource")
	}
	if err := store.Delete(root, "team", "reviews-2"); err != nil || there(filepath.Join(root, "team")) || !there(elsewhere) {
		t.Errorf("the empty folder of the namespace is still there, or more is gone: %v", err)
	}
	for _, name := range []string{"", ".", "..", "../team", "a/b"} {
		if store.Delete(root, "lost+found", name) == nil || store.Delete(root, name, "x") == nil || !there(elsewhere) {
			t.Errorf("%q was taken as a name", name)
		}
	}
}
