//go:build tools

// Package containerd pins the modules that the development cluster builds its containerd binaries
// from. It is never compiled itself and holds nothing but imports.
package containerd

import (
	_ "github.com/containerd/containerd/v2/cmd/containerd"
	_ "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"
	_ "github.com/containerd/containerd/v2/cmd/ctr"
)
