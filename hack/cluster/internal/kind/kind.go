// Package kind runs the development cluster in a Docker container with the tool of the same name. It
// only composes the tool's command lines; what a cluster is, kind knows.
package kind

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"seedloom.dev/seedloom/hack/cluster/internal/image"
)

// clusterName is the name by which kind knows the cluster; its node is clusterName-control-plane.
const clusterName = "seedloom"

// Version is the version of kind that is built where none is installed.
const Version = "v0.33.0"

// Cluster is a cluster inside Docker.
type Cluster struct {
	State    string // volumes, the kubeconfig and archives lie below it
	Binary   string // the kind program
	Progress io.Writer
}

// Available says whether a Docker daemon answers within a few seconds.
func Available(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").Output()
	return err == nil && len(bytes.TrimSpace(output)) > 0
}

// Kubeconfig is the path of the administrator's configuration.
func (c *Cluster) Kubeconfig() string { return filepath.Join(c.State, "kubeconfig") }

// VolumeFolder is where the folders of claims lie, under the same path here and in the node.
func (c *Cluster) VolumeFolder() string { return filepath.Join(c.State, "volumes") }

// Up creates the cluster unless it is there.
func (c *Cluster) Up(ctx context.Context) error {
	if err := os.MkdirAll(c.VolumeFolder(), 0o755); err != nil {
		return err
	}
	present, err := c.exists(ctx)
	if err != nil {
		return err
	}
	if present {
		return c.kind(ctx, nil, "export", "kubeconfig", "--name", clusterName, "--kubeconfig", c.Kubeconfig())
	}
	return c.kind(ctx, c.configuration(), "create", "cluster", "--name", clusterName,
		"--kubeconfig", c.Kubeconfig(), "--wait", "180s", "--config", "-")
}

// Down deletes the cluster and the state folder. Claims with a size must have been unmounted.
func (c *Cluster) Down(ctx context.Context) error {
	if err := c.kind(ctx, nil, "delete", "cluster", "--name", clusterName, "--kubeconfig", c.Kubeconfig()); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(c.VolumeFolder()), os.RemoveAll(c.Kubeconfig()))
}

// Load brings an image to the node unless it has exactly this one; loaded says whether it did.
func (c *Cluster) Load(ctx context.Context, built image.Archive) (loaded bool, err error) {
	listing, err := c.output(ctx, "docker", "exec", clusterName+"-control-plane", "ctr", "--namespace=k8s.io", "images", "list")
	if err != nil {
		return false, fmt.Errorf("ask the node for its images (is the cluster up?): %w", err)
	}
	if digest, ok := image.DigestInListing(listing, built.Name()); ok && digest == built.Digest() {
		return false, nil
	}
	archive, err := os.CreateTemp("", "seedloom-image-*.tar")
	if err != nil {
		return false, err
	}
	defer os.Remove(archive.Name())
	if err := errors.Join(built.WriteArchive(archive), archive.Close()); err != nil {
		return false, err
	}
	return true, c.kind(ctx, nil, "load", "image-archive", "--name", clusterName, archive.Name())
}

// configuration mounts the volumes' folder; mounts made later below it show up in the node as well.
func (c *Cluster) configuration() []byte {
	return fmt.Appendf(nil, `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  extraMounts:
  - hostPath: %[1]q
    containerPath: %[1]q
    propagation: HostToContainer
`, c.VolumeFolder())
}

func (c *Cluster) exists(ctx context.Context) (bool, error) {
	output, err := c.output(ctx, c.Binary, "get", "clusters")
	if err != nil {
		return false, err
	}
	for name := range strings.FieldsSeq(string(output)) {
		if name == clusterName {
			return true, nil
		}
	}
	return false, nil
}

func (c *Cluster) kind(ctx context.Context, input []byte, arguments ...string) error {
	command := exec.CommandContext(ctx, c.Binary, arguments...)
	command.Stdin = bytes.NewReader(input)
	command.Stdout, command.Stderr = c.Progress, c.Progress
	if err := command.Run(); err != nil {
		return fmt.Errorf("kind %s: %w", strings.Join(arguments, " "), err)
	}
	return nil
}

func (c *Cluster) output(ctx context.Context, name string, arguments ...string) ([]byte, error) {
	output, err := exec.CommandContext(ctx, name, arguments...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return nil, fmt.Errorf("%s %s: %s", filepath.Base(name), strings.Join(arguments, " "), bytes.TrimSpace(failed.Stderr))
	}
	return output, err
}
