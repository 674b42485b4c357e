// Package overlay holds the tests of config/default as others build on it, by the code of kustomize. It is a module of its own, so that the
// product's go.mod stays small.
package overlay
