// Command seedloom works with manifests of DatasetGeneration without a cluster: it checks them, shows some of their records, and generates
// whole datasets into a folder, by the same engine as the Pods. Flags, files, the terminal and messages are handled here; how rows are made
// is the engine's business, and nothing talks to a cluster.
package main

import (
	"errors"
	"os"

	"seedloom.dev/seedloom/internal/memory"
)

func main() {
	memory.Tune()
	os.Exit(execute(systemStreams(), os.Args[1:]))
}

// execute runs a command line, and returns the exit code.
func execute(streams *Streams, arguments []string) int {
	root := newRootCommand(streams)
	root.SetArgs(arguments)
	err := root.Execute()
	var ended *endedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &ended):
		return ended.code
	}
	streams.Errorf("error: %v", err)
	return exitFailed
}
