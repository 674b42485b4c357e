// Package claim makes PersistentVolumeClaims that are bound to a folder of this machine, so that a
// test can read what Pods wrote and can make a disk run full. It talks to the cluster with kubectl
// only.
package claim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"text/template"
)

// Kubectl runs kubectl against the cluster with the given standard input.
type Kubectl func(ctx context.Context, input []byte, arguments ...string) ([]byte, error)

// Claim names a PersistentVolumeClaim and its folder.
type Claim struct {
	Namespace, Name string
	Root            string // the folder of all claims
	// Size is a Kubernetes quantity such as "8Mi". A claim with a size has a file system of its own
	// in memory that is full after so many bytes; without one it shares the machine's disk.
	Size string
}

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// Validate checks what becomes part of a path and of an object's name.
func (c Claim) Validate() error {
	for flag, value := range map[string]string{"--namespace": c.Namespace, "--name": c.Name} {
		if !label.MatchString(value) || len(value) > 63 {
			return fmt.Errorf("%s %q: want at most 63 lower-case letters, digits and dashes", flag, value)
		}
	}
	if c.Size != "" {
		if _, err := Bytes(c.Size); err != nil {
			return err
		}
	}
	return nil
}

// Folder is the claim's folder on this machine.
func (c Claim) Folder() string { return filepath.Join(c.Root, c.Namespace, c.Name) }

func (c Claim) volume() string { return "seedloom-" + c.Namespace + "-" + c.Name }

// Create makes the folder, the volume and the claim, and waits until they are bound. Creating a claim
// that is there already changes nothing but its size.
func (c Claim) Create(ctx context.Context, kubectl Kubectl) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if err := c.prepareFolder(); err != nil {
		return err
	}
	var manifest bytes.Buffer
	capacity := c.Size
	if capacity == "" {
		capacity = "1Gi"
	}
	values := map[string]string{"Namespace": c.Namespace, "Name": c.Name, "Volume": c.volume(), "Folder": c.Folder(), "Capacity": capacity}
	if err := manifests.Execute(&manifest, values); err != nil {
		return err
	}
	if _, err := kubectl(ctx, manifest.Bytes(), "apply", "--server-side", "--force-conflicts", "-f", "-"); err != nil {
		return err
	}
	_, err := kubectl(ctx, nil, "wait", "--namespace", c.Namespace, "--for=jsonpath={.status.phase}=Bound",
		"--timeout=60s", "persistentvolumeclaim/"+c.Name)
	return err
}

// Remove deletes the claim, its volume and its folder with everything in it.
func (c Claim) Remove(ctx context.Context, kubectl Kubectl) error {
	if err := c.Validate(); err != nil {
		return err
	}
	_, err := kubectl(ctx, nil, "delete", "--namespace", c.Namespace, "--ignore-not-found", "--timeout=60s", "persistentvolumeclaim/"+c.Name)
	if err != nil {
		return fmt.Errorf("delete the claim (a Pod that uses it keeps it): %w", err)
	}
	if _, err := kubectl(ctx, nil, "delete", "--ignore-not-found", "--timeout=60s", "persistentvolume/"+c.volume()); err != nil {
		return err
	}
	if mounted, err := isMountPoint(c.Folder()); err != nil {
		return err
	} else if mounted {
		if err := syscall.Unmount(c.Folder(), 0); err != nil {
			return fmt.Errorf("unmount %s (is a program's working folder there?): %w", c.Folder(), err)
		}
	}
	return os.RemoveAll(c.Folder())
}

// prepareFolder makes a folder in which every user may write: Pods run as a user without rights.
func (c Claim) prepareFolder() error {
	if err := os.MkdirAll(c.Folder(), 0o777); err != nil {
		return err
	}
	if c.Size != "" {
		if err := c.mount(); err != nil {
			return err
		}
	}
	return os.Chmod(c.Folder(), 0o777)
}

// mount puts a file system of the claim's size onto its folder, or resizes the one that is there.
func (c Claim) mount() error {
	if os.Geteuid() != 0 {
		return errors.New("--size mounts a file system and needs root")
	}
	size, err := Bytes(c.Size)
	if err != nil {
		return err
	}
	mounted, err := isMountPoint(c.Folder())
	if err != nil {
		return err
	}
	var flags uintptr
	if mounted {
		flags = syscall.MS_REMOUNT
	}
	if err := syscall.Mount("tmpfs", c.Folder(), "tmpfs", flags, fmt.Sprintf("size=%d,mode=0777", size)); err != nil {
		return fmt.Errorf("mount %s of memory on %s: %w", c.Size, c.Folder(), err)
	}
	return nil
}

// isMountPoint compares a folder's device with its parent's.
func isMountPoint(folder string) (bool, error) {
	var own, parent syscall.Stat_t
	if err := syscall.Stat(folder, &own); err != nil {
		if errors.Is(err, syscall.ENOENT) {
			return false, nil
		}
		return false, fmt.Errorf("look at %s: %w", folder, err)
	}
	if err := syscall.Stat(filepath.Dir(folder), &parent); err != nil {
		return false, fmt.Errorf("look at %s: %w", filepath.Dir(folder), err)
	}
	return own.Dev != parent.Dev, nil
}

// Bytes reads a quantity of whole bytes with the binary or decimal endings of Kubernetes.
func Bytes(quantity string) (int64, error) {
	units := []struct {
		ending string
		factor int64
	}{{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"", 1}}
	for _, unit := range units {
		digits, ok := strings.CutSuffix(quantity, unit.ending)
		if !ok {
			continue
		}
		number, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || number <= 0 || number > (1<<50)/unit.factor {
			break
		}
		return number * unit.factor, nil
	}
	return 0, fmt.Errorf("size %q: want a whole number with Ki, Mi or Gi, for example 64Mi", quantity)
}

var manifests = template.Must(template.New("claim").Parse(`apiVersion: v1
kind: Namespace
metadata:
  name: {{.Namespace}}
---
apiVersion: v1
kind: PersistentVolume
metadata:
  name: {{.Volume}}
spec:
  storageClassName: ""
  capacity: {storage: {{.Capacity}}}
  accessModes: [ReadWriteOnce, ReadWriteMany]
  persistentVolumeReclaimPolicy: Retain
  claimRef: {namespace: {{.Namespace}}, name: {{.Name}}}
  hostPath: {path: {{.Folder}}, type: Directory}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{.Name}}
  namespace: {{.Namespace}}
spec:
  storageClassName: ""
  volumeName: {{.Volume}}
  accessModes: [ReadWriteMany]
  resources: {requests: {storage: {{.Capacity}}}}
`))
