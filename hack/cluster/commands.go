package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"seedloom.dev/seedloom/hack/cluster/internal/claim"
	"seedloom.dev/seedloom/hack/cluster/internal/component"
	"seedloom.dev/seedloom/hack/cluster/internal/image"
)

// command is a command of the command line: all that is known of it.
type command struct {
	name string
	// help are the lines of the usage text.
	help []string
	run  func(context.Context, *environment) error
	// flags defines those that only this command has; nil when there are none.
	flags func(*flag.FlagSet, *options)
	// required are the flags that must be given.
	required []string
	// arguments says whether there may be any beside the flags.
	arguments bool
}

// commands are all commands, in the order of the usage text.
func commands() []command {
	claimFlags := func(flags *flag.FlagSet, parsed *options) {
		flags.StringVar(&parsed.namespace, "namespace", "", "the claim's namespace")
		flags.StringVar(&parsed.name, "name", "", "the claim's name")
	}
	volumeFlags := func(flags *flag.FlagSet, parsed *options) {
		claimFlags(flags, parsed)
		flags.StringVar(&parsed.size, "size", "", "give the claim a file system of this size")
	}
	imageFlags := func(flags *flag.FlagSet, parsed *options) {
		flags.StringVar(&parsed.name, "name", "", "the image's name and tag")
		flags.StringVar(&parsed.user, "user", "65532", "the user the image runs as")
		flags.StringVar(&parsed.entrypoint, "entrypoint", "", "the program to run; the first FILE by default")
	}
	archiveFlags := func(flags *flag.FlagSet, parsed *options) {
		imageFlags(flags, parsed)
		flags.StringVar(&parsed.architectures, "architectures", runtime.GOARCH,
			"the architectures of the programs, as Go names them, with commas; "+architecturePlace+" in a FILE stands for each")
		flags.StringVar(&parsed.archive, "output", "", "the archive to write")
	}
	savedFlags := func(flags *flag.FlagSet, parsed *options) {
		flags.StringVar(&parsed.archive, "archive", "", "the archive, as save-image writes it")
	}
	return []command{
		{name: "up", run: up, help: []string{`bring the cluster up (again after a crash); print the kubeconfig's path`}},
		{name: "down", run: down, help: []string{`take everything down, also after a failed "up"`}},
		{name: "status", run: status, help: []string{"say which provider is used and what runs"}},
		{name: "assets", run: assets, help: []string{"print a folder with etcd, kube-apiserver and kubectl (KUBEBUILDER_ASSETS)"}},
		{name: "object-store", run: objectStore, arguments: true, help: []string{
			"[NAME]", "print the path of an object store for tests: versitygw, or rclone",
		}},
		{name: "load-image", run: loadImage, flags: imageFlags, required: []string{"name"}, arguments: true, help: []string{
			"--name NAME:TAG [--user 65532] [--entrypoint /manager] FILE[=/PATH]...",
			"put static binaries into a one-layer image and give it to the node",
		}},
		{name: "save-image", run: saveImage, flags: archiveFlags, required: []string{"name", "output"}, arguments: true, help: []string{
			"--name NAME:TAG --output FILE.tar [--architectures amd64,arm64] FILE[=/PATH]...",
			"put static binaries into an image for one architecture or several, as an OCI archive; needs no cluster",
		}},
		{name: "load-archive", run: loadArchive, flags: savedFlags, required: []string{"archive"}, help: []string{
			"--archive FILE.tar", "give the node an image that save-image has written",
		}},
		{name: "volume", run: volume, flags: volumeFlags, required: []string{"namespace", "name"}, help: []string{
			"--namespace NS --name CLAIM [--size 64Mi]",
			"make a claim bound to a folder of this machine; print the folder",
		}},
		{name: "volume-remove", run: volumeRemove, flags: claimFlags, required: []string{"namespace", "name"},
			help: []string{"--namespace NS --name CLAIM"}},
		{name: "kubeconfig", run: kubeconfig, help: []string{"print the kubeconfig's path"}},
		{name: "kubectl", run: kubectl, arguments: true, help: []string{"-- ARGUMENTS..."}},
	}
}

func up(ctx context.Context, e *environment) error {
	release, err := e.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	provider, err := e.provider(ctx, true)
	if err != nil {
		return err
	}
	if err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring the cluster up: %w\nRun \"down\" to remove what was started, or \"up\" again to go on", err)
	}
	fmt.Fprintln(e.output, provider.Kubeconfig())
	return nil
}

func down(ctx context.Context, e *environment) error {
	release, err := e.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	provider, err := e.provider(ctx, false)
	if err != nil {
		return err
	}
	if err := provider.Down(ctx); err != nil {
		return err
	}
	if err := os.Remove(e.providerFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func status(ctx context.Context, e *environment) error {
	provider, err := e.provider(ctx, false)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.output, "provider: %s\nstate: %s\n", e.providerName(ctx), e.options.state)
	if reporter, ok := provider.(interface{ Report() (string, error) }); ok {
		report, err := reporter.Report()
		if err != nil {
			return err
		}
		fmt.Fprint(e.output, report)
	}
	if _, err := os.Stat(provider.Kubeconfig()); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(e.output, "the cluster is down")
		return nil
	}
	nodes, err := e.runKubectl(ctx, nil, "get", "nodes,pods", "--all-namespaces", "--request-timeout=5s")
	if err != nil {
		fmt.Fprintf(e.output, "the API server does not answer: %v\n", err)
		return nil
	}
	_, err = e.output.Write(nodes)
	return err
}

func assets(ctx context.Context, e *environment) error {
	paths, err := e.store.Ensure(ctx, component.ForTests())
	if err != nil {
		return err
	}
	folder, err := e.store.Link(paths, "assets")
	if err != nil {
		return err
	}
	fmt.Fprintln(e.output, folder)
	return nil
}

// objectStore obtains an object store of the tests. It is always built: its releases are of no use
// to a machine that can build, and one that can't runs no tests.
func objectStore(ctx context.Context, e *environment) error {
	program := component.ObjectStore
	if arguments := e.options.arguments; len(arguments) > 0 {
		program = component.Program(arguments[0])
	}
	if len(e.options.arguments) > 1 || !slices.Contains(component.ObjectStores(), program) {
		wanted := strings.Join(e.options.arguments, " ")
		return fmt.Errorf("no object store for tests is called %q: there are %v", wanted, component.ObjectStores())
	}
	built := *e.store
	built.Method = component.BuildOnly
	paths, err := built.Ensure(ctx, []component.Program{program})
	if err != nil {
		return err
	}
	fmt.Fprintln(e.output, paths[program])
	return nil
}

func loadImage(ctx context.Context, e *environment) error {
	built, err := e.image(runtime.GOARCH)
	if err != nil {
		return err
	}
	return e.load(ctx, built)
}

func loadArchive(ctx context.Context, e *environment) error {
	saved, err := image.Open(e.options.archive)
	if err != nil {
		return err
	}
	return e.load(ctx, saved)
}

// load gives the node an image.
func (e *environment) load(ctx context.Context, built image.Archive) error {
	provider, err := e.provider(ctx, false)
	if err != nil {
		return err
	}
	loaded, err := provider.Load(ctx, built)
	if err != nil {
		return err
	}
	result := "is there already"
	if loaded {
		result = "loaded"
	}
	fmt.Fprintf(e.output, "%s@%s %s\n", built.Name(), built.Digest(), result)
	return nil
}

func saveImage(_ context.Context, e *environment) (err error) {
	var images []*image.Image
	for _, architecture := range strings.Split(e.options.architectures, ",") {
		one, err := e.image(strings.TrimSpace(architecture))
		if err != nil {
			return err
		}
		images = append(images, one)
	}
	index, err := image.NewIndex(images...)
	if err != nil {
		return err
	}
	archive, err := os.Create(e.options.archive)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	if err := index.WriteArchive(archive); err != nil {
		return err
	}
	fmt.Fprintf(e.output, "%s@%s in %s\n", index.Name(), index.Digest(), e.options.archive)
	return nil
}

// architecturePlace is where, in the path of a program, the name of its architecture stands.
const architecturePlace = "{architecture}"

// image is the image that the flags describe, for an architecture.
func (e *environment) image(architecture string) (*image.Image, error) {
	spec := image.Spec{Name: e.options.name, User: e.options.user, Architecture: architecture}
	for _, argument := range e.options.arguments {
		file, err := image.ParseFile(strings.ReplaceAll(argument, architecturePlace, architecture))
		if err != nil {
			return nil, err
		}
		spec.Files = append(spec.Files, file)
	}
	if entrypoint := strings.Fields(e.options.entrypoint); len(entrypoint) > 0 {
		spec.Entrypoint = entrypoint
	} else if len(spec.Files) > 0 {
		spec.Entrypoint = []string{spec.Files[0].Target}
	}
	return image.New(spec)
}

func volume(ctx context.Context, e *environment) error {
	wanted, err := e.claim(ctx)
	if err != nil {
		return err
	}
	if err := wanted.Create(ctx, e.runKubectl); err != nil {
		return err
	}
	fmt.Fprintln(e.output, wanted.Folder())
	return nil
}

func volumeRemove(ctx context.Context, e *environment) error {
	wanted, err := e.claim(ctx)
	if err != nil {
		return err
	}
	return wanted.Remove(ctx, e.runKubectl)
}

func (e *environment) claim(ctx context.Context) (claim.Claim, error) {
	provider, err := e.provider(ctx, false)
	if err != nil {
		return claim.Claim{}, err
	}
	return claim.Claim{
		Namespace: e.options.namespace, Name: e.options.name,
		Size: e.options.size, Root: provider.VolumeFolder(),
	}, nil
}

func kubeconfig(ctx context.Context, e *environment) error {
	provider, err := e.provider(ctx, false)
	if err != nil {
		return err
	}
	if _, err := os.Stat(provider.Kubeconfig()); err != nil {
		return fmt.Errorf("the cluster is down, run \"up\" first: %w", err)
	}
	fmt.Fprintln(e.output, provider.Kubeconfig())
	return nil
}

// kubectl becomes kubectl, so that interactive commands, signals and exit codes are kubectl's own.
func kubectl(ctx context.Context, e *environment) error {
	program, provider, err := e.kubectlProgram(ctx)
	if err != nil {
		return err
	}
	variables := append(os.Environ(), "KUBECONFIG="+provider.Kubeconfig())
	return syscall.Exec(program, append([]string{"kubectl"}, e.options.arguments...), variables)
}

func (e *environment) kubectlProgram(ctx context.Context) (string, provider, error) {
	provider, err := e.provider(ctx, false)
	if err != nil {
		return "", nil, err
	}
	paths, err := e.store.Ensure(ctx, []component.Program{component.Kubectl})
	return paths[component.Kubectl], provider, err
}

// runKubectl runs kubectl against the cluster and puts its complaint into the error.
func (e *environment) runKubectl(ctx context.Context, input []byte, arguments ...string) ([]byte, error) {
	program, provider, err := e.kubectlProgram(ctx)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, program, append([]string{"--kubeconfig", provider.Kubeconfig()}, arguments...)...)
	command.Stdin = bytes.NewReader(input)
	output, err := command.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return output, fmt.Errorf("kubectl: %s", bytes.TrimSpace(failed.Stderr))
	}
	return output, err
}
