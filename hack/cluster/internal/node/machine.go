package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// packages maps what a node needs to the Debian package that brings it.
var packages = []struct{ file, debian string }{
	{"runc", "runc"},
	{"/usr/lib/cni/bridge", "containernetworking-plugins"},
	{"iptables", "iptables"},
	{"ip", "iproute2"},
	{"conntrack", "conntrack"},
	{"socat", "socat"},
}

// ErrNotRoot says that a cluster of plain processes needs root.
var ErrNotRoot = errors.New("a cluster of plain processes needs root (network interfaces, mounts, containers)")

// run executes a tool of the machine and puts its words into the error.
func run(ctx context.Context, name string, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, lookUp(name), arguments...)
	var output, problems bytes.Buffer
	command.Stdout, command.Stderr = &output, &problems
	if err := command.Run(); err != nil {
		return output.Bytes(), fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, strings.TrimSpace(problems.String()))
	}
	return output.Bytes(), nil
}

// lookUp finds a tool also where the PATH of an ordinary user does not look.
func lookUp(name string) string {
	if found, err := exec.LookPath(name); err == nil {
		return found
	}
	for _, folder := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if found, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return found
		}
	}
	return name
}

// installPackages makes sure that the node's tools are there.
func (c *Cluster) installPackages(ctx context.Context) error {
	missing := missingPackages(func(file string) bool {
		path := lookUp(file)
		if file == "/usr/lib/cni/bridge" && !exists(file) {
			path = "/opt/cni/bin/bridge"
		}
		return filepath.IsAbs(path) && exists(path)
	})
	if len(missing) == 0 {
		return nil
	}
	list := strings.Join(missing, " ")
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("the node needs %s; install them: sudo apt-get install --no-install-recommends -y %s", list, list)
	}
	c.say("installing %s", list)
	install := append([]string{"DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", "--no-install-recommends"}, missing...)
	if _, err := run(ctx, "env", install...); err == nil {
		return nil
	}
	// The package lists may be missing or old.
	if _, err := run(ctx, "apt-get", "update", "-qq"); err != nil {
		return err
	}
	_, err := run(ctx, "env", install...)
	return err
}

func missingPackages(present func(file string) bool) []string {
	var missing []string
	for _, wanted := range packages {
		if !present(wanted.file) {
			missing = append(missing, wanted.debian)
		}
	}
	return missing
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// prepareNetwork makes the node's bridge and lets the machine forward between bridges.
func (c *Cluster) prepareNetwork(ctx context.Context) error {
	if !exists("/proc/sys/net/bridge/bridge-nf-call-iptables") {
		// Where the module cannot be loaded, kube-proxy is configured to do without.
		_, _ = run(ctx, "modprobe", "br_netfilter")
	}
	for _, path := range []string{"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/bridge/bridge-nf-call-iptables"} {
		if exists(path) && !fileHolds(path, "1") {
			if err := os.WriteFile(path, []byte("1\n"), 0o644); err != nil {
				return fmt.Errorf("let this machine forward the Pods' traffic: %w", err)
			}
		}
	}
	if !exists("/sys/class/net/" + nodeBridge) {
		if _, err := run(ctx, "ip", "link", "add", nodeBridge, "type", "bridge"); err != nil {
			return err
		}
	}
	if _, err := run(ctx, "ip", "address", "replace", Address+"/32", "dev", nodeBridge); err != nil {
		return err
	}
	_, err := run(ctx, "ip", "link", "set", nodeBridge, "up")
	return err
}

// mountsBelow lists the mount points below a folder, the deepest last.
func mountsBelow(mounts []byte, folder string) []string {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var found []string
	for line := range bytes.Lines(mounts) {
		fields := strings.Fields(string(line))
		if len(fields) < 2 {
			continue
		}
		point := unescape.Replace(fields[1])
		if strings.HasPrefix(point, folder+"/") {
			found = append(found, point)
		}
	}
	return found
}

// unmountBelow unmounts everything below a folder and fails if something is left.
func unmountBelow(folder string) error {
	// A mount may hide another one at the same place, so look again until nothing is left.
	for range 10 {
		mounts, err := os.ReadFile("/proc/self/mounts")
		if err != nil {
			return err
		}
		points := mountsBelow(mounts, folder)
		if len(points) == 0 {
			return nil
		}
		for i := len(points) - 1; i >= 0; i-- {
			if syscall.Unmount(points[i], 0) != nil {
				_ = syscall.Unmount(points[i], syscall.MNT_DETACH)
			}
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	if left := mountsBelow(mounts, folder); len(left) > 0 {
		return fmt.Errorf("%d mounts below %s cannot be unmounted, the first is %s; find who uses it with: fuser -vm %s", len(left), folder,
			left[0], left[0])
	}
	return nil
}
