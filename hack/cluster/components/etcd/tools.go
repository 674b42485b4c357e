//go:build tools

// Package etcd pins the modules that the development cluster builds its etcd binaries
// from. It is never compiled itself and holds nothing but imports.
package etcd

import (
	_ "go.etcd.io/etcd/server/v3"
)
