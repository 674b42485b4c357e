package model

import (
	"context"
	"slices"
	"sync"
)

const (
	// answersBytes is how much memory the answers under way may have together, beside what each has for itself. Servers may send as much as
	// they like, and as many at once as there are requests.
	answersBytes = 128 << 20
	// ownBytes is what each answer may have for itself: as good as all answers fit.
	ownBytes = 64 << 10
)

// answers is the memory for the raw bytes of all answers under way. The goroutines of requests share it; whoever wants more than is there
// waits, but for the oldest of those that have some: so there is always one that comes to its end.
type answers struct {
	limit int64

	mutex sync.Mutex
	used  int64
	// holders have more than their own, the oldest first.
	holders []*lease
	// changed is closed, and replaced, when something was given back.
	changed chan struct{}
}

func newAnswers(limit int64) *answers { return &answers{limit: limit, changed: make(chan struct{})} }

// lease is what one answer has. It belongs to the goroutine of its request.
type lease struct {
	from *answers
	held int64
}

func (a *answers) open() *lease { return &lease{from: a} }

// grow asks for so much in all, and waits until it is there. The error is that of the context.
func (l *lease) grow(ctx context.Context, bytes int64) error {
	beyond := bytes - ownBytes
	if beyond <= l.held {
		return nil
	}
	for {
		changed, granted := l.from.grant(l, beyond)
		if granted {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *answers) grant(l *lease, beyond int64) (changed <-chan struct{}, granted bool) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	isOldest := len(a.holders) == 0 || a.holders[0] == l
	if a.used+beyond-l.held > a.limit && !isOldest {
		return a.changed, false
	}
	if l.held == 0 {
		a.holders = append(a.holders, l)
	}
	a.used += beyond - l.held
	l.held = beyond
	return nil, true
}

// shrink gives back what is not needed beyond so much in all.
func (l *lease) shrink(bytes int64) {
	beyond := max(0, bytes-ownBytes)
	if beyond >= l.held {
		return
	}
	a := l.from
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.used -= l.held - beyond
	l.held = beyond
	if beyond == 0 {
		a.holders = slices.DeleteFunc(a.holders, func(holder *lease) bool { return holder == l })
	}
	close(a.changed)
	a.changed = make(chan struct{})
}

// release gives back all.
func (l *lease) release() { l.shrink(0) }
