// Package logtest has what tests need that read what others log meanwhile. No product code may use it.
package logtest

import (
	"bytes"
	"sync"
)

// Buffer is a log that may be read while it is written. Its methods may be called from any goroutine; the zero value is an empty log.
type Buffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

// Write appends to the log.
func (b *Buffer) Write(data []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(data)
}

// String is all that was logged so far.
func (b *Buffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}
