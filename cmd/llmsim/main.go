// Command llmsim runs the simulated model server of the demo and of the tests (see README.md).
// Flags, the configuration file and signals are handled here; how requests are answered is in the package internal/llmsim.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"seedloom.dev/seedloom/internal/llmsim"
)

const (
	headerTimeout = 10 * time.Second
	// shutdownTimeout is how long requests in flight may take after a signal; those that hang on purpose are cut.
	shutdownTimeout = 2 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "llmsim:", err)
		os.Exit(1)
	}
}

// run serves until the context ends.
func run(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("llmsim", flag.ContinueOnError)
	listen := flags.String("listen", ":8000", "the address to listen on")
	file := flags.String("config", "", "a YAML or JSON file with the configuration that every tenant starts with")
	var limits llmsim.Limits
	flags.IntVar(&limits.Tenants, "max-tenants", 0, "how many tenants there may be; 0 is 64")
	flags.IntVar(&limits.Records, "log-size", 0, "how many requests the log of a tenant holds; 0 is 10000")
	flags.IntVar(&limits.Prompts, "max-prompts", 0, "how many different prompts a tenant remembers; 0 is 50000")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	var config llmsim.Config
	if *file != "" {
		data, err := os.ReadFile(*file)
		if err != nil {
			return fmt.Errorf("the configuration can't be read: %w", err)
		}
		if config, err = llmsim.ParseConfig(data); err != nil {
			return fmt.Errorf("%s: %w", *file, err)
		}
	}
	server := &http.Server{Addr: *listen, Handler: llmsim.New(config, limits), ReadHeaderTimeout: headerTimeout}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	fmt.Println("llmsim: listening on", *listen)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if server.Shutdown(limited) != nil {
		_ = server.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
