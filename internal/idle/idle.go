// Package idle keeps what is dear to start between one use and the next. What it is, how it starts and how many there may be is not known
// here.
package idle

import (
	"os"
	"sync"
)

// List has what waits for its next use. The zero List is empty. Many goroutines may use it; Close ends what is in it.
type List[T interface{ Close() }] struct {
	mutex  sync.Mutex
	idle   []T
	closed bool
}

// Take returns what waits, or starts another one; it is the caller's until it is given back or closed. The error is that of start, or
// os.ErrClosed.
func (l *List[T]) Take(start func() (T, error)) (T, error) {
	one, known, err := l.last()
	if known || err != nil {
		return one, err
	}
	return start()
}

func (l *List[T]) last() (one T, known bool, err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.closed {
		return one, false, os.ErrClosed
	}
	last := len(l.idle) - 1
	if last < 0 {
		return one, false, nil
	}
	one = l.idle[last]
	l.idle = l.idle[:last]
	return one, true, nil
}

// GiveBack keeps one for its next use, or closes it where the list was closed meanwhile.
func (l *List[T]) GiveBack(one T) {
	l.mutex.Lock()
	closed := l.closed
	if !closed {
		l.idle = append(l.idle, one)
	}
	l.mutex.Unlock()
	if closed {
		one.Close()
	}
}

// Close closes what waits. Nothing may be taken any more.
func (l *List[T]) Close() {
	l.mutex.Lock()
	idle := l.idle
	l.idle, l.closed = nil, true
	l.mutex.Unlock()
	for _, one := range idle {
		one.Close()
	}
}
