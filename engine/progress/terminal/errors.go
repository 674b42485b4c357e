package terminal

import "errors"

// ErrTaken says that another display has the terminal.
var ErrTaken = errors.New("another progress display has the terminal")

// ErrNoTerminal says that a file is no terminal, or none that a display can be shown on.
var ErrNoTerminal = errors.New("it is not a terminal")
