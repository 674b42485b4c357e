package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"seedloom.dev/seedloom/hack/cluster/internal/component"
	"seedloom.dev/seedloom/hack/cluster/internal/filelock"
	"seedloom.dev/seedloom/hack/cluster/internal/image"
	"seedloom.dev/seedloom/hack/cluster/internal/kind"
	"seedloom.dev/seedloom/hack/cluster/internal/node"
)

// The ways to run a cluster.
const (
	providerAuto     = "auto"
	providerKind     = "kind"
	providerDownload = "download"
	providerBuild    = "build"
)

// provider is one way to run a cluster.
type provider interface {
	Up(ctx context.Context) error
	Down(ctx context.Context) error
	Load(ctx context.Context, built image.Archive) (loaded bool, err error)
	Kubeconfig() string
	VolumeFolder() string
}

// environment is what every command works with.
type environment struct {
	options          options
	output, progress io.Writer
	source           string // the folder of this module
	store            *component.Store
}

func newEnvironment(parsed options, output, progress io.Writer) (*environment, error) {
	source, err := sourceFolder()
	if err != nil {
		return nil, err
	}
	cache, err := component.CacheFolder(os.Getenv)
	if err != nil {
		return nil, err
	}
	if parsed.state, err = filepath.Abs(parsed.state); err != nil {
		return nil, err
	}
	methods := map[string]component.Method{
		providerAuto: component.DownloadOrBuild, providerKind: component.DownloadOrBuild,
		providerDownload: component.DownloadOnly, providerBuild: component.BuildOnly,
	}
	method, known := methods[parsed.provider]
	if !known {
		return nil, fmt.Errorf("--provider %q: want auto, kind, download or build", parsed.provider)
	}
	return &environment{
		options: parsed, output: output, progress: progress, source: source,
		store: &component.Store{
			Cache: cache, Components: filepath.Join(source, "components"), Method: method, Progress: progress,
			Downloads: component.Downloads{
				KubernetesSite: os.Getenv("SEEDLOOM_KUBERNETES_SITE"),
				GitHubSite:     os.Getenv("SEEDLOOM_GITHUB_SITE"),
			},
		},
	}, nil
}

// sourceFolder finds this module's folder, which holds the component modules: the working folder
// with "go -C hack/cluster run .", else where this file was compiled.
func sourceFolder() (string, error) {
	working, err := os.Getwd()
	if err != nil {
		return "", err
	}
	candidates := []string{working}
	if _, file, _, ok := runtime.Caller(0); ok {
		candidates = append(candidates, filepath.Dir(file))
	}
	for _, candidate := range candidates {
		if _, err := os.Stat(filepath.Join(candidate, "components", "kubernetes", "go.mod")); err == nil {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("components/ is not in %s; run this as: go -C hack/cluster run . COMMAND", working)
}

// providerName decides once a cluster exists by what exists, else by what the machine has.
func (e *environment) providerName(ctx context.Context) string {
	if e.options.provider != providerAuto {
		return e.options.provider
	}
	if content, err := os.ReadFile(e.providerFile()); err == nil && string(content) == providerKind {
		return providerKind
	} else if err == nil {
		return providerAuto
	}
	if kind.Available(ctx) {
		return providerKind
	}
	return providerAuto
}

// providerFile remembers, beside the state folder, which provider made the cluster.
func (e *environment) providerFile() string { return e.options.state + ".provider" }

// lock keeps another up or down of the same state folder out: the one would make files that the other is deleting.
func (e *environment) lock(ctx context.Context) (release func(), err error) {
	release, err = filelock.Take(ctx, e.options.state+".lock", func() {
		fmt.Fprintf(e.progress, "waiting for another command to bring the cluster in %s up or down\n", e.options.state)
	})
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w; run this as root, or choose a writable place with --state", err)
	}
	return release, err
}

// provider returns the cluster. With prepare, whatever it needs is downloaded or built first.
func (e *environment) provider(ctx context.Context, prepare bool) (provider, error) {
	name := e.providerName(ctx)
	if name == providerKind {
		return e.kindCluster(ctx, prepare)
	}
	cluster := &node.Cluster{State: e.options.state, Binaries: e.store.BinaryFolder(), Progress: e.progress}
	programs := []component.Program{component.ContainerdClient, component.Kubectl}
	if prepare {
		programs = component.ForNode()
		if os.Geteuid() != 0 {
			return nil, fmt.Errorf("%w; run it as root: sudo -E env \"PATH=$PATH\" go -C hack/cluster run . up", node.ErrNotRoot)
		}
		var err error
		if cluster.Pause, err = e.pause(ctx); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(e.providerFile()), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(e.providerFile(), []byte("processes"), 0o644); err != nil {
			return nil, err
		}
	}
	paths, err := e.store.Ensure(ctx, programs)
	if err != nil {
		return nil, err
	}
	cluster.Paths = paths
	return cluster, nil
}

// pause builds the program of the Pods' pause image; the compiler's cache makes that quick.
func (e *environment) pause(ctx context.Context) (string, error) {
	path := filepath.Join(e.store.Cache, "pause", "pause")
	return path, component.Build(ctx, e.source, "./pause", path)
}

func (e *environment) kindCluster(ctx context.Context, prepare bool) (provider, error) {
	binary, err := exec.LookPath("kind")
	if err != nil {
		binary = filepath.Join(e.store.Cache, "kind-"+kind.Version, "kind")
	}
	if _, err := os.Stat(binary); err != nil {
		fmt.Fprintf(e.progress, "building kind %s\n", kind.Version)
		if err := installKind(ctx, filepath.Dir(binary)); err != nil {
			return nil, err
		}
	}
	if prepare {
		if err := os.WriteFile(e.providerFile(), []byte(providerKind), 0o644); err != nil {
			return nil, fmt.Errorf("remember the provider (choose a writable place with --state): %w", err)
		}
	}
	return &kind.Cluster{State: e.options.state, Binary: binary, Progress: e.progress}, nil
}

func installKind(ctx context.Context, folder string) error {
	command := exec.CommandContext(ctx, "go", "install", "-trimpath", "sigs.k8s.io/kind@"+kind.Version)
	command.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		if len(output) > 2000 {
			output = output[len(output)-2000:]
		}
		return fmt.Errorf("build kind %s: %w\n%s", kind.Version, err, output)
	}
	return nil
}
