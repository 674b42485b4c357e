//go:build tools

// Package versitygw pins the modules that the object store of the tests is built from. It is never
// compiled itself and holds nothing but imports.
package versitygw

import (
	_ "github.com/versity/versitygw/cmd/versitygw"
)
