package sandbox

import (
	"errors"
	"time"

	starlarkjson "go.starlark.net/lib/json"
	starlarkmath "go.starlark.net/lib/math"
	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
)

// predeclared are the names that programs have beside Starlark's own: modules without any input or output.
func predeclared() starlark.StringDict {
	return starlark.StringDict{"json": starlarkjson.Module, "math": starlarkmath.Module, "time": starlarktime.Module}
}

// isPredeclared says whether a name is there beside Starlark's own.
func isPredeclared(name string) bool { return name == "json" || name == "math" || name == "time" }

// withoutClock takes the clock from a thread: what a program returns is a function of its rows.
func withoutClock(thread *starlark.Thread) {
	starlarktime.SetNow(thread, func() (time.Time, error) {
		return time.Time{}, errors.New("time.now is not available: what the code returns depends on its rows alone")
	})
}
