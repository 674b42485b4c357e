//go:build !unix

package terminal

import "os"

// TTY is a terminal that a display has. On systems without a lock on terminals there is none, and the progress is logged.
type TTY struct{}

// OpenTTY returns ErrNoTerminal.
func OpenTTY(*os.File) (*TTY, error) { return nil, ErrNoTerminal }

// Write writes nothing.
func (*TTY) Write([]byte) (int, error) { return 0, ErrNoTerminal }

// Size knows no size.
func (*TTY) Size() (width, height int, err error) { return 0, 0, ErrNoTerminal }

// Resizes delivers nothing.
func (*TTY) Resizes() (<-chan os.Signal, func()) { return nil, func() {} }

// Close has nothing to close.
func (*TTY) Close() error { return nil }
