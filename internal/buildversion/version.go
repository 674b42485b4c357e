// Package buildversion says which version a program is. Nothing else of it is here.
package buildversion

import "runtime/debug"

// version is set when a release is built.
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
