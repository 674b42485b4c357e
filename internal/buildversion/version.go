// Package buildversion says which version a program is. Nothing else of it is here.
package buildversion

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker when a program is built by make or the Dockerfile.
var version = "dev"

// Version is the version of the release, or the commit that was built.
func Version() string {
	if version != "dev" {
		return version
	}
	if info, known := debug.ReadBuildInfo(); known {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
				return version + "-" + setting.Value[:12]
			}
		}
	}
	return version
}

// Line is the version of a program for people: what it is called, its version, and for what it was built by which Go.
func Line(program string) string {
	return fmt.Sprintf("%s %s (%s, %s/%s)", program, Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
