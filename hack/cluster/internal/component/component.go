// Package component finds, downloads or builds the programs a development cluster consists of and
// keeps them in a cache folder outside the checkout. It starts none of them and knows nothing about
// the machine they will run on.
package component

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// Program names one binary of the cluster, for example "kube-apiserver".
type Program string

// The programs of a cluster.
const (
	Etcd              Program = "etcd"
	APIServer         Program = "kube-apiserver"
	ControllerManager Program = "kube-controller-manager"
	Scheduler         Program = "kube-scheduler"
	Kubelet           Program = "kubelet"
	Proxy             Program = "kube-proxy"
	Kubectl           Program = "kubectl"
	Containerd        Program = "containerd"
	ContainerdShim    Program = "containerd-shim-runc-v2"
	ContainerdClient  Program = "ctr"
	CoreDNS           Program = "coredns"
	// ObjectStore is no part of a cluster: it is the store that tests write to.
	ObjectStore Program = "versitygw"
	// Rclone is a second one, by which the first is seen to be no exception.
	Rclone Program = "rclone"
)

// ForTests lists what a test of the controllers against a bare API server needs.
func ForTests() []Program { return []Program{Etcd, APIServer, Kubectl} }

// ObjectStores lists the object stores of tests.
func ObjectStores() []Program { return []Program{ObjectStore, Rclone} }

// ForNode lists every program of a cluster that runs on this machine.
func ForNode() []Program {
	return []Program{
		Etcd, APIServer, ControllerManager, Scheduler, Kubelet, Proxy, Kubectl,
		Containerd, ContainerdShim, ContainerdClient, CoreDNS,
	}
}

// module is one component module below components/: it pins the version of the programs that are
// built together.
type module struct {
	folder   string             // below components/
	upstream string             // the required module whose version is the programs' version
	packages map[Program]string // the main package of each program
	// versionVariable is the linker variable that tells the programs their version; empty where
	// the upstream sources already know it.
	versionVariable string
	// ownProgram says that the main package is a main.go in the folder, on which the build depends too.
	ownProgram bool
}

var modules = []module{
	{
		folder: "etcd", upstream: "go.etcd.io/etcd/server/v3",
		packages: map[Program]string{Etcd: "go.etcd.io/etcd/server/v3"},
	},
	{
		folder: "kubernetes", upstream: "k8s.io/kubernetes",
		packages: map[Program]string{
			APIServer:         "k8s.io/kubernetes/cmd/kube-apiserver",
			ControllerManager: "k8s.io/kubernetes/cmd/kube-controller-manager",
			Scheduler:         "k8s.io/kubernetes/cmd/kube-scheduler",
			Kubelet:           "k8s.io/kubernetes/cmd/kubelet",
			Proxy:             "k8s.io/kubernetes/cmd/kube-proxy",
			Kubectl:           "k8s.io/kubernetes/cmd/kubectl",
		},
		versionVariable: "k8s.io/component-base/version.gitVersion",
	},
	{
		folder: "containerd", upstream: "github.com/containerd/containerd/v2",
		packages: map[Program]string{
			Containerd:       "github.com/containerd/containerd/v2/cmd/containerd",
			ContainerdShim:   "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
			ContainerdClient: "github.com/containerd/containerd/v2/cmd/ctr",
		},
		versionVariable: "github.com/containerd/containerd/v2/version.Version",
	},
	{
		folder: "coredns", upstream: "github.com/coredns/coredns",
		packages: map[Program]string{CoreDNS: "github.com/coredns/coredns"},
	},
	{
		folder: "versitygw", upstream: "github.com/versity/versitygw",
		packages: map[Program]string{ObjectStore: "github.com/versity/versitygw/cmd/versitygw"},
	},
	{
		folder: "rclone", upstream: "github.com/rclone/rclone",
		packages: map[Program]string{Rclone: "."}, ownProgram: true,
	},
}

func moduleOf(program Program) (module, error) {
	for _, candidate := range modules {
		if _, ok := candidate.packages[program]; ok {
			return candidate, nil
		}
	}
	return module{}, fmt.Errorf("no component module builds %q; components/ builds %v", program, ForNode())
}

// pinned is a component module as it lies on disk.
type pinned struct {
	module
	directory string // absolute path of the module's folder
	version   string // "v1.37.2"
	key       string // changes whenever anything changes that the build depends on
}

// linkerFlags returns what -ldflags gets.
func (p pinned) linkerFlags() string {
	flags := "-s -w"
	if p.versionVariable != "" {
		flags += " -X " + p.versionVariable + "=" + p.version
	}
	return flags
}

// pin reads the version of a component module and derives its cache key.
func pin(componentsFolder string, m module, toolchain string) (pinned, error) {
	p := pinned{module: m, directory: filepath.Join(componentsFolder, m.folder)}
	requirements, err := os.ReadFile(filepath.Join(p.directory, "go.mod"))
	if err != nil {
		return pinned{}, fmt.Errorf("read the versions of %s: %w", m.folder, err)
	}
	sums, err := os.ReadFile(filepath.Join(p.directory, "go.sum"))
	if err != nil {
		return pinned{}, fmt.Errorf("read the checksums of %s: %w", m.folder, err)
	}
	expression := regexp.MustCompile(`(?m)^(?:require)?\s*` + regexp.QuoteMeta(m.upstream) + `\s+(v\S+)`)
	match := expression.FindSubmatch(requirements)
	if match == nil {
		return pinned{}, fmt.Errorf("%s/go.mod requires no version of %s", p.directory, m.upstream)
	}
	p.version = string(match[1])
	parts := [][]byte{requirements, sums, []byte(toolchain), []byte(p.linkerFlags()), []byte(runtime.GOARCH)}
	if m.ownProgram {
		source, err := os.ReadFile(filepath.Join(p.directory, "main.go"))
		if err != nil {
			return pinned{}, fmt.Errorf("read the program of %s: %w", m.folder, err)
		}
		parts = append(parts, source)
	}
	digest := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(digest, "%d:", len(part))
		digest.Write(part)
	}
	p.key = hex.EncodeToString(digest.Sum(nil))[:12]
	return p, nil
}

// CacheFolder returns the folder that holds everything worth keeping between clusters.
func CacheFolder(environment func(string) string) (string, error) {
	if folder := environment("SEEDLOOM_CACHE"); folder != "" {
		return filepath.Abs(folder)
	}
	if folder := environment("XDG_CACHE_HOME"); folder != "" {
		return filepath.Join(folder, "seedloom"), nil
	}
	home := environment("HOME")
	if home == "" {
		return "", fmt.Errorf("none of SEEDLOOM_CACHE, XDG_CACHE_HOME and HOME is set; set SEEDLOOM_CACHE to a folder with 3 GiB of room")
	}
	return filepath.Join(home, ".cache", "seedloom"), nil
}

// lastLines bounds a tool's output for an error message.
func lastLines(output string, count int) string {
	lines := strings.Split(strings.TrimRight(output, "\n"), "\n")
	if len(lines) > count {
		omitted := len(lines) - count
		lines = append([]string{fmt.Sprintf("[%d lines left out]", omitted)}, lines[omitted:]...)
	}
	for i, line := range lines {
		if len(line) > 500 {
			lines[i] = line[:500] + "…"
		}
	}
	return strings.Join(lines, "\n")
}
