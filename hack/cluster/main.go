// Command cluster brings up a real Kubernetes for development and tests on one Linux machine: with
// kind where Docker answers, else as plain processes from downloaded or locally built programs. It
// installs nothing of Seedloom in it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// usageHead and usageTail stand around the commands in the usage text.
const (
	usageHead = `Bring up a Kubernetes cluster for development and tests on this machine.

Usage: go -C hack/cluster run . COMMAND [FLAGS]

Commands:
`
	usageTail = `
Flags of every command:
  --provider      auto, kind, download or build (SEEDLOOM_CLUSTER_PROVIDER)
  --state         folder for everything the cluster writes (SEEDLOOM_CLUSTER_STATE,
                  default /var/lib/seedloom-cluster)

FILE arguments are relative to hack/cluster when run with "go -C"; give absolute paths.
Environment: SEEDLOOM_CACHE (programs; default ~/.cache/seedloom).
`
)

// usage is the help text.
func usage() string {
	var text strings.Builder
	text.WriteString(usageHead)
	for _, entry := range commands() {
		name := entry.name
		for _, line := range entry.help {
			fmt.Fprintf(&text, "  %-15s %s\n", name, line)
			name = ""
		}
	}
	text.WriteString(usageTail)
	return text.String()
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	cancel()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

// options are the flags of all commands; each command reads those it names.
type options struct {
	provider, state             string
	name, user, namespace, size string
	entrypoint, architectures   string
	// archive is that of an image, to be written or read.
	archive   string
	arguments []string
}

// execute runs one command line. Results go to output, progress to progress.
func execute(ctx context.Context, arguments []string, output, progress io.Writer) error {
	if len(arguments) == 0 || arguments[0] == "help" || arguments[0] == "--help" || arguments[0] == "-h" {
		fmt.Fprint(progress, usage())
		return flag.ErrHelp
	}
	all := commands()
	index := slices.IndexFunc(all, func(entry command) bool { return entry.name == arguments[0] })
	if index < 0 {
		fmt.Fprint(progress, usage())
		return fmt.Errorf("unknown command %q", arguments[0])
	}
	parsed, err := parse(&all[index], arguments[1:], progress)
	if err != nil {
		return err
	}
	environment, err := newEnvironment(parsed, output, progress)
	if err != nil {
		return err
	}
	return all[index].run(ctx, environment)
}

// parse reads a command's flags; each command accepts only its own.
func parse(of *command, arguments []string, problems io.Writer) (options, error) {
	var parsed options
	flags := flag.NewFlagSet(of.name, flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.StringVar(&parsed.provider, "provider", first(os.Getenv("SEEDLOOM_CLUSTER_PROVIDER"), providerAuto), "auto, kind, download or build")
	flags.StringVar(&parsed.state, "state", first(os.Getenv("SEEDLOOM_CLUSTER_STATE"), "/var/lib/seedloom-cluster"), "state folder")
	if of.flags != nil {
		of.flags(flags, &parsed)
	}
	if err := flags.Parse(arguments); err != nil {
		return options{}, err
	}
	parsed.arguments = flags.Args()
	if !of.arguments && len(parsed.arguments) > 0 {
		return options{}, fmt.Errorf("%s takes no arguments, got %q", of.name, parsed.arguments)
	}
	var missing []string
	for _, name := range of.required {
		if flags.Lookup(name).Value.String() == "" {
			missing = append(missing, "--"+name)
		}
	}
	if len(missing) > 0 {
		return options{}, fmt.Errorf("%s needs %s", of.name, strings.Join(missing, " and "))
	}
	return parsed, nil
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
