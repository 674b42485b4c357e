// Command bridge runs in the sidecar of a tool server: it makes a program that speaks over its input and output reachable through a socket.
// It is copied into the sidecar from the engine's image; what it does is in the package internal/bridge.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"seedloom.dev/seedloom/internal/bridge"
)

const usage = `usage: bridge install DIRECTORY
       bridge serve SOCKET COMMAND [ARGUMENT...]`

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(arguments []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	var err error
	switch {
	case len(arguments) == 2 && arguments[0] == "install":
		err = bridge.Install(arguments[1])
	case len(arguments) >= 3 && arguments[0] == "serve":
		err = bridge.Serve(ctx, arguments[1], arguments[2:], os.Stderr)
	default:
		fmt.Fprintln(os.Stderr, usage)
		return 64
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bridge:", err)
		return 1
	}
	return 0
}
