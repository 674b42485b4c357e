// Package node runs a one-node cluster as plain processes of this machine and takes it down again,
// whatever state it is in. It is given the programs' binaries and never obtains any.
package node

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"seedloom.dev/seedloom/hack/cluster/internal/component"
)

// The addresses of the cluster. They are fixed: one such cluster runs on a machine.
const (
	// Address is the node's own address, on a bridge of its own. A loopback address would leave
	// the node without one, and then logs and exec do not work.
	Address        = "10.10.10.10"
	serviceAddress = "10.96.0.1"
	dnsAddress     = "10.96.0.10"
	serviceRange   = "10.96.0.0/16"
	podRange       = "10.244.0.0/24"

	nodeBridge  = "seedloom-node"
	podBridge   = "seedloom-pods"
	networkName = "seedloom"
	// Name is the node's name.
	Name = "seedloom"
	// Server is the address of the Kubernetes API.
	Server = "https://" + Address + ":6443"

	pauseImage = "seedloom.dev/pause:1"
	dnsImage   = "seedloom.dev/coredns:development"
	// containerdNamespace is where the kubelet's containers and images live.
	containerdNamespace = "k8s.io"
)

// Cluster is the cluster of one state folder.
type Cluster struct {
	State    string          // absolute; everything the cluster writes lies below it
	Binaries string          // the folder below which every program of the cluster lies
	Paths    component.Paths // only `Up` and the image commands need it
	Pause    string          // path of the pause program
	Progress io.Writer
}

// Kubeconfig is the path of the administrator's configuration.
func (c *Cluster) Kubeconfig() string { return filepath.Join(c.State, "kubeconfig") }

// VolumeFolder is where the folders of claims lie.
func (c *Cluster) VolumeFolder() string { return filepath.Join(c.State, "volumes") }

func (c *Cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.State}, elements...)...)
}

func (c *Cluster) logFile(name string) string { return c.path("logs", name+".log") }

func (c *Cluster) socket() string { return c.path("run", "containerd.sock") }

// shimState is where containerd keeps one folder for each running container.
func (c *Cluster) shimState() string {
	return c.path("run", "containerd", "io.containerd.runtime.v2.task", containerdNamespace)
}

// Validate refuses state folders with which `Down` would be dangerous or the sockets impossible.
func (c *Cluster) Validate() error {
	if !filepath.IsAbs(c.State) || strings.Count(filepath.Clean(c.State), "/") < 2 {
		return fmt.Errorf("state folder %q: want an absolute path at least two levels deep, because `down` deletes it", c.State)
	}
	if strings.ContainsAny(c.State, " \t\n\"'\\") {
		return fmt.Errorf("state folder %q: spaces and quotes are not supported", c.State)
	}
	if length := len(c.socket()); length > 100 {
		return fmt.Errorf("state folder %q: the path of a socket in it would have %d bytes, the kernel allows 107; choose a shorter one", c.State,
			length)
	}
	return nil
}

// say writes one progress line.
func (c *Cluster) say(format string, arguments ...any) {
	fmt.Fprintf(c.Progress, format+"\n", arguments...)
}

// marker identifies a state folder as ours before anything in it is deleted.
func (c *Cluster) marker() string { return c.path(".seedloom-cluster") }

// prepareFolders makes the state folder. It refuses one that holds somebody else's files.
func (c *Cluster) prepareFolders() error {
	if _, err := os.Stat(c.marker()); err != nil {
		if entries, err := os.ReadDir(c.State); err == nil && len(entries) > 0 {
			return fmt.Errorf("state folder %s holds files that are not a cluster's; choose another one", c.State)
		}
	}
	if err := os.MkdirAll(c.State, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(c.marker(), []byte(time.Now().UTC().Format(time.RFC3339)+"\n"), 0o644); err != nil {
		return err
	}
	for _, folder := range []string{"logs", "run", "config", "cni", "volumes", "kubelet", "kubeconfigs"} {
		if err := os.MkdirAll(c.path(folder), 0o755); err != nil {
			return err
		}
	}
	return os.MkdirAll(c.path("etcd"), 0o700)
}
