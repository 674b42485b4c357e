package claim_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/hack/cluster/internal/claim"
)

func TestBytes(t *testing.T) {
	for quantity, want := range map[string]int64{
		"8Mi": 8 << 20, "1Gi": 1 << 30, "512Ki": 512 << 10, "5M": 5e6, "100": 100,
		"": 0, "0": 0, "-1Mi": 0, "1.5Gi": 0, "8MB": 0, "99999999999Gi": 0,
	} {
		got, err := claim.Bytes(quantity)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("Bytes(%q) = %d, %v; want %d", quantity, got, err, want)
		}
	}
}

func TestNamesThatWouldLeaveTheFolderAreRefused(t *testing.T) {
	for _, name := range []string{"", "..", "a/b", "A", "-a"} {
		c := claim.Claim{Namespace: "demo", Name: name, Root: t.TempDir()}
		if err := c.Create(context.Background(), nil); err == nil {
			t.Errorf("name %q was accepted", name)
		}
		if err := c.Remove(context.Background(), nil); err == nil {
			t.Errorf("removing name %q was accepted", name)
		}
	}
}

func TestCreateThenRemove(t *testing.T) {
	c := claim.Claim{Namespace: "demo", Name: "output", Root: t.TempDir()}
	var calls []string
	kubectl := func(_ context.Context, input []byte, arguments ...string) ([]byte, error) {
		calls = append(calls, strings.Join(arguments, " ")+string(input))
		return nil, nil
	}
	if err := c.Create(context.Background(), kubectl); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(c.Folder())
	if err != nil || info.Mode().Perm() != 0o777 {
		t.Errorf("folder %s: %v, %v; want mode 777 so that every user can write", c.Folder(), info, err)
	}
	if len(calls) != 2 || !strings.Contains(calls[0], "path: "+c.Folder()) || !strings.HasPrefix(calls[1], "wait ") {
		t.Errorf("kubectl calls: %q", calls)
	}
	if err := os.WriteFile(filepath.Join(c.Folder(), "rows"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Remove(context.Background(), kubectl); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.Folder()); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestManifestIsAcceptedText(t *testing.T) {
	c := claim.Claim{Namespace: "demo", Name: "output", Root: t.TempDir()}
	var manifest string
	kubectl := func(_ context.Context, input []byte, _ ...string) ([]byte, error) {
		manifest += string(input)
		return nil, nil
	}
	if err := c.Create(context.Background(), kubectl); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"volumeName: seedloom-demo-output", "claimRef: {namespace: demo, name: output}", `storageClassName: ""`} {
		if !strings.Contains(manifest, want) {
			t.Errorf("the manifest lacks %q:\n%s", want, manifest)
		}
	}
}
