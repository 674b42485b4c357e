package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"seedloom.dev/seedloom/hack/cluster/internal/claim"
	"seedloom.dev/seedloom/hack/cluster/internal/component"
	"seedloom.dev/seedloom/hack/cluster/internal/image"
)

var commands = map[string]func(context.Context, *environment) error{
	"up":            up,
	"down":          down,
	"status":        status,
	"assets":        assets,
	"load-image":    loadImage,
	"volume":        volume,
	"volume-remove": volumeRemove,
	"kubeconfig":    kubeconfig,
	"kubectl":       kubectl,
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

func loadImage(ctx context.Context, e *environment) error {
	spec := image.Spec{Name: e.options.name, User: e.options.user}
	for _, argument := range e.options.arguments {
		file, err := image.ParseFile(argument)
		if err != nil {
			return err
		}
		spec.Files = append(spec.Files, file)
	}
	if entrypoint := strings.Fields(e.options.entrypoint); len(entrypoint) > 0 {
		spec.Entrypoint = entrypoint
	} else if len(spec.Files) > 0 {
		spec.Entrypoint = []string{spec.Files[0].Target}
	}
	built, err := image.New(spec)
	if err != nil {
		return err
	}
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
