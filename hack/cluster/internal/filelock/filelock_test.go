package filelock

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

func TestTakeWaitsForTheOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "lock")
	release, err := Take(t.Context(), path, func() { t.Error("waited for nobody") })
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan struct{})
	taken := make(chan error, 1)
	go func() {
		second, err := Take(t.Context(), path, func() { close(waiting) })
		if err == nil {
			second()
		}
		taken <- err
	}()
	<-waiting
	select {
	case err := <-taken:
		t.Fatalf("the lock was taken twice: %v", err)
	default:
	}
	release()
	if err := <-taken; err != nil {
		t.Error(err)
	}
}

func TestTakeEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := Take(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Take(ctx, path, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
