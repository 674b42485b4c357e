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
	"strings"
	"syscall"
)

const usage = `Bring up a Kubernetes cluster for development and tests on this machine.

Usage: go -C hack/cluster run . COMMAND [FLAGS]

Commands:
  up              bring the cluster up (again after a crash); print the kubeconfig's path
  down            take everything down, also after a failed "up"
  status          say which provider is used and what runs
  assets          print a folder with etcd, kube-apiserver and kubectl (KUBEBUILDER_ASSETS)
  load-image      --name NAME:TAG [--user 65532] [--entrypoint /manager] FILE[=/PATH]...
                  put static binaries into a one-layer image and give it to the node
  volume          --namespace NS --name CLAIM [--size 64Mi]
                  make a claim bound to a folder of this machine; print the folder
  volume-remove   --namespace NS --name CLAIM
  kubeconfig      print the kubeconfig's path
  kubectl         -- ARGUMENTS...

Flags of every command:
  --provider      auto, kind, download or build (SEEDLOOM_CLUSTER_PROVIDER)
  --state         folder for everything the cluster writes (SEEDLOOM_CLUSTER_STATE,
                  default /var/lib/seedloom-cluster)

FILE arguments are relative to hack/cluster when run with "go -C"; give absolute paths.
Environment: SEEDLOOM_CACHE (programs; default ~/.cache/seedloom).
`

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
	entrypoint                  string
	arguments                   []string
}

// execute runs one command line. Results go to output, progress to progress.
func execute(ctx context.Context, arguments []string, output, progress io.Writer) error {
	if len(arguments) == 0 || arguments[0] == "help" || arguments[0] == "--help" || arguments[0] == "-h" {
		fmt.Fprint(progress, usage)
		return flag.ErrHelp
	}
	command, known := commands[arguments[0]]
	if !known {
		fmt.Fprint(progress, usage)
		return fmt.Errorf("unknown command %q", arguments[0])
	}
	parsed, err := parse(arguments[0], arguments[1:], progress)
	if err != nil {
		return err
	}
	environment, err := newEnvironment(ctx, parsed, output, progress)
	if err != nil {
		return err
	}
	return command(ctx, environment)
}

// parse reads a command's flags; each command accepts only its own.
func parse(command string, arguments []string, problems io.Writer) (options, error) {
	var parsed options
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.StringVar(&parsed.provider, "provider", first(os.Getenv("SEEDLOOM_CLUSTER_PROVIDER"), providerAuto), "auto, kind, download or build")
	flags.StringVar(&parsed.state, "state", first(os.Getenv("SEEDLOOM_CLUSTER_STATE"), "/var/lib/seedloom-cluster"), "state folder")
	var required []string
	switch command {
	case "load-image":
		flags.StringVar(&parsed.name, "name", "", "the image's name and tag")
		flags.StringVar(&parsed.user, "user", "65532", "the user the image runs as")
		flags.StringVar(&parsed.entrypoint, "entrypoint", "", "the program to run; the first FILE by default")
		required = []string{"name"}
	case "volume", "volume-remove":
		flags.StringVar(&parsed.namespace, "namespace", "", "the claim's namespace")
		flags.StringVar(&parsed.name, "name", "", "the claim's name")
		required = []string{"namespace", "name"}
		if command == "volume" {
			flags.StringVar(&parsed.size, "size", "", "give the claim a file system of this size")
		}
	}
	if err := flags.Parse(arguments); err != nil {
		return options{}, err
	}
	parsed.arguments = flags.Args()
	if command != "load-image" && command != "kubectl" && len(parsed.arguments) > 0 {
		return options{}, fmt.Errorf("%s takes no arguments, got %q", command, parsed.arguments)
	}
	var missing []string
	for _, name := range required {
		if flags.Lookup(name).Value.String() == "" {
			missing = append(missing, "--"+name)
		}
	}
	if len(missing) > 0 {
		return options{}, fmt.Errorf("%s needs %s", command, strings.Join(missing, " and "))
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
