package idle_test

import (
	"errors"
	"os"
	"testing"

	"seedloom.dev/seedloom/internal/idle"
)

type counted struct{ closed int }

func (c *counted) Close() { c.closed++ }

func TestWhatIsGivenBackIsUsedAgainUntilTheListIsClosed(t *testing.T) {
	var list idle.List[*counted]
	started := 0
	take := func() *counted {
		t.Helper()
		one, err := list.Take(func() (*counted, error) { started++; return &counted{}, nil })
		if err != nil {
			t.Fatal(err)
		}
		return one
	}
	first, second := take(), take()
	if first == second || started != 2 {
		t.Fatalf("two that are in use at once: %d were started", started)
	}
	list.GiveBack(first)
	if again := take(); again != first || started != 2 {
		t.Errorf("one that waits is not used again: %d were started", started)
	}
	list.GiveBack(first)
	list.Close()
	if first.closed != 1 || second.closed != 0 {
		t.Errorf("the one that waits is closed %d times, the one in use %d times", first.closed, second.closed)
	}
	list.GiveBack(second)
	if second.closed != 1 {
		t.Errorf("one that comes back later is closed %d times", second.closed)
	}
	if _, err := list.Take(func() (*counted, error) { return &counted{}, nil }); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed list: %v", err)
	}
}

func TestOneThatCantBeStartedIsReported(t *testing.T) {
	var list idle.List[*counted]
	broken := errors.New("broken")
	if _, err := list.Take(func() (*counted, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
