package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"seedloom.dev/seedloom/hack/cluster/internal/component"
)

// Down removes every trace of the cluster, also of one that came up halfway or was killed. It goes
// on after a failure and reports all of them; only the state folder stays while something in it is
// still in use.
func (c *Cluster) Down(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return ErrNotRoot
	}
	if err := c.Validate(); err != nil {
		return err
	}
	var problems []error
	// The kubelet goes first, so that nobody starts what is being ended; the API server and etcd
	// have then nobody left to answer.
	for _, programs := range [][]component.Program{
		{component.Kubelet, component.Proxy, component.Scheduler, component.ControllerManager},
		{component.APIServer, component.Containerd}, {component.Etcd},
	} {
		problems = append(problems, c.stopPrograms(ctx, programs))
	}
	problems = append(problems, c.endContainers(ctx))
	problems = append(problems, c.removeNetwork(ctx))
	unmounted := unmountBelow(c.State)
	problems = append(problems, unmounted)
	removeControlGroups()
	removeLogLinks("/var/log/containers", c.path("pod-logs"))
	if unmounted == nil && exists(c.marker()) {
		problems = append(problems, c.removeState())
	}
	return errors.Join(problems...)
}

// removeState deletes the marker last, so that an interrupted deletion can be repeated.
func (c *Cluster) removeState() error {
	entries, err := os.ReadDir(c.State)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if path := c.path(entry.Name()); path != c.marker() {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return os.RemoveAll(c.State)
}

func (c *Cluster) stopPrograms(ctx context.Context, programs []component.Program) error {
	present, err := c.running()
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(present, func(p process) bool { return !slices.Contains(programs, component.Program(p.program)) })
	return stop(ctx, chosen, 5*time.Second)
}

// endContainers kills the containers of the cluster and the shims that hold them. Killing the first
// process of a container's process namespace ends every process in it.
func (c *Cluster) endContainers(ctx context.Context) error {
	entries, err := os.ReadDir(c.shimState())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var initial []process
	for _, entry := range entries {
		bundle := filepath.Join(c.shimState(), entry.Name())
		if pid, ok := containerProcess(bundle, entry.Name()); ok {
			initial = append(initial, process{pid: pid, program: "container " + entry.Name()})
		}
	}
	// The containers go first: their shims, which are their parents, then reap them.
	problems := []error{stop(ctx, initial, time.Second), c.stopShims(ctx)}
	problems = append(problems, removeDeadSockets(ctx, "/run/containerd/s"))
	return errors.Join(problems...)
}

// removeDeadSockets removes the sockets on which nobody listens any more. Shims put them at a fixed
// place outside the state folder, and those of a killed shim stay; another containerd's live ones
// answer and are kept.
func removeDeadSockets(ctx context.Context, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var problems []error
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
		if err == nil {
			problems = append(problems, connection.Close())
		} else if errors.Is(err, syscall.ECONNREFUSED) {
			problems = append(problems, os.Remove(path))
		}
	}
	return errors.Join(problems...)
}

func (c *Cluster) stopShims(ctx context.Context) error {
	present, err := c.running()
	if err != nil {
		return err
	}
	shims := slices.DeleteFunc(present, func(p process) bool { return p.program != string(component.ContainerdShim) })
	return stop(ctx, shims, 2*time.Second)
}

// containerProcess reads a container's first process and makes sure that the pid still is its.
func containerProcess(bundle, identifier string) (int, bool) {
	content, err := os.ReadFile(filepath.Join(bundle, "init.pid"))
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, false
	}
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil || !strings.Contains(string(groups), identifier) {
		return 0, false
	}
	return pid, true
}

// removeNetwork deletes the bridges, and the chains that kube-proxy, the kubelet and the network
// plugins made.
func (c *Cluster) removeNetwork(ctx context.Context) error {
	var problems []error
	for _, bridge := range []string{podBridge, nodeBridge} {
		if exists("/sys/class/net/" + bridge) {
			_, err := run(ctx, "ip", "link", "delete", bridge)
			problems = append(problems, err)
		}
	}
	for _, family := range []string{"iptables", "ip6tables"} {
		problems = append(problems, cleanTables(ctx, family))
	}
	problems = append(problems, removeNetworkResults("/var/lib/cni/results", c.State))
	return errors.Join(problems...)
}

// removeNetworkResults removes what the network plugins remember of containers whose network
// namespace lies below the state folder.
func removeNetworkResults(folder, state string) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*"))
	problems := []error{err}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(content), state+"/") {
			problems = append(problems, os.Remove(path))
		}
	}
	return errors.Join(problems...)
}

// cleanTables rewrites the packet filter without the cluster's chains. Everything else stays.
func cleanTables(ctx context.Context, family string) error {
	if !filepath.IsAbs(lookUp(family + "-save")) {
		return nil // never installed, so nothing was made
	}
	before, err := run(ctx, family+"-save")
	if err != nil {
		return nil //nolint:nilerr // a kernel without this family has no such chains
	}
	after := withoutClusterChains(string(before))
	if after == string(before) {
		return nil
	}
	restore := exec.CommandContext(ctx, lookUp(family+"-restore"))
	restore.Stdin = strings.NewReader(after)
	if output, err := restore.CombinedOutput(); err != nil {
		return fmt.Errorf("%s-restore: %w: %s", family, err, strings.TrimSpace(string(output)))
	}
	return nil
}

// withoutClusterChains drops the lines that declare or mention a chain of kube-proxy (KUBE-), of the
// network plugins (CNI-), or our network.
func withoutClusterChains(saved string) string {
	var kept strings.Builder
	for line := range strings.Lines(saved) {
		declares := strings.HasPrefix(line, ":KUBE-") || strings.HasPrefix(line, ":CNI-")
		mentions := false
		for word := range strings.FieldsSeq(line) {
			mentions = mentions || strings.HasPrefix(word, "KUBE-") || strings.HasPrefix(word, "CNI-")
		}
		if !declares && !(mentions && strings.HasPrefix(line, "-A ")) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// removeControlGroups removes the empty groups that containerd left. A group in use stays: the
// kernel refuses.
func removeControlGroups() {
	for _, pattern := range []string{"/sys/fs/cgroup/" + containerdNamespace, "/sys/fs/cgroup/*/" + containerdNamespace} {
		roots, _ := filepath.Glob(pattern)
		for _, root := range roots {
			entries, _ := os.ReadDir(root)
			for _, entry := range entries {
				if entry.IsDir() {
					_ = os.Remove(filepath.Join(root, entry.Name()))
				}
			}
			_ = os.Remove(root)
		}
	}
}

// removeLogLinks removes the links to the Pods' logs that the kubelet puts at a fixed place.
func removeLogLinks(folder, target string) {
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		link := filepath.Join(folder, entry.Name())
		if destination, err := os.Readlink(link); err == nil && strings.HasPrefix(destination, target+"/") {
			_ = os.Remove(link)
		}
	}
}
