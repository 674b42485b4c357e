//go:build tools

// Package coredns pins the modules that the development cluster builds its CoreDNS binaries
// from. It is never compiled itself and holds nothing but imports.
package coredns

import (
	_ "github.com/coredns/coredns"
)
