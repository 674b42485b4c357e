package node

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/hack/cluster/internal/component"
)

func TestWithoutClusterChainsKeepsEverythingElse(t *testing.T) {
	saved := strings.Join([]string{
		"*nat", ":PREROUTING ACCEPT [0:0]", ":KUBE-SERVICES - [0:0]", ":CNI-123 - [0:0]", ":DOCKER - [0:0]",
		`-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES`,
		"-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-X", "-A POSTROUTING -s 10.244.0.3/32 -j CNI-123",
		"-A PREROUTING -j DOCKER", "COMMIT", "",
	}, "\n")
	want := strings.Join([]string{
		"*nat", ":PREROUTING ACCEPT [0:0]", ":DOCKER - [0:0]", "-A PREROUTING -j DOCKER", "COMMIT", "",
	}, "\n")
	if got := withoutClusterChains(saved); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestMountsBelow(t *testing.T) {
	mounts := []byte("/dev/a / ext4 rw 0 0\ntmpfs /state/a tmpfs rw 0 0\ntmpfs /state/a/b\\040c tmpfs rw 0 0\n" +
		"tmpfs /state-other tmpfs rw 0 0\ntmpfs /state tmpfs rw 0 0\n")
	if got, want := mountsBelow(mounts, "/state"), []string{"/state/a", "/state/a/b c"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMissingPackagesAreNamed(t *testing.T) {
	got := missingPackages(func(file string) bool { return file != "runc" && file != "/usr/lib/cni/bridge" })
	if want := []string{"runc", "containernetworking-plugins"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestValidateRefusesDangerousFolders(t *testing.T) {
	for folder, good := range map[string]bool{
		"/var/lib/seedloom-cluster": true, "/": false, "/var": false, "var/lib/x": false, "/var/with space/x": false,
		"/" + strings.Repeat("long/", 25): false,
	} {
		err := (&Cluster{State: folder}).Validate()
		if (err == nil) != good {
			t.Errorf("Validate(%q) = %v, want good %t", folder, err, good)
		}
	}
}

func TestPrepareFoldersRefusesSomebodyElsesFolder(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "thesis.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&Cluster{State: folder}).prepareFolders(); err == nil {
		t.Error("a folder with other files was accepted")
	}
}

func TestResolverFileAvoidsLoopbackServers(t *testing.T) {
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	direct, stub := file("direct", "nameserver 10.0.0.2\n"), file("stub", "nameserver 127.0.0.53\n")
	actual := file("real", "# comment\nnameserver 10.0.0.2\n")
	for _, test := range []struct{ standard, behind, want string }{
		{direct, actual, direct}, {stub, actual, actual}, {stub, filepath.Join(folder, "missing"), stub},
	} {
		if got := resolverFile(test.standard, test.behind); got != test.want {
			t.Errorf("resolverFile(%s, %s) = %s, want %s", test.standard, test.behind, got, test.want)
		}
	}
}

func TestTemplatesLeaveNothingEmpty(t *testing.T) {
	c := &Cluster{State: "/var/lib/x"}
	for _, file := range c.configurationFiles() {
		content, err := render(file.template, c.settings())
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte("<no value>")) || !bytes.Contains(content, []byte("/var/lib/x")) {
			t.Errorf("%s:\n%s", file.template, content)
		}
	}
}

// follower makes a cluster whose kubelet is a copy of tail, which runs until it is ended when it
// follows a file of the state folder.
func follower(t *testing.T) *Cluster {
	t.Helper()
	tail, err := exec.LookPath("tail")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(tail)
	if err != nil {
		t.Fatal(err)
	}
	binaries, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(binaries, "kubelet")
	if err := os.WriteFile(program, content, 0o755); err != nil {
		t.Fatal(err)
	}
	c := &Cluster{State: t.TempDir(), Binaries: binaries, Progress: io.Discard,
		Paths: component.Paths{component.Kubelet: program, component.Containerd: program}}
	if err := c.prepareFolders(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.stopPrograms(context.Background(), []component.Program{component.Kubelet}); err != nil {
			t.Error(err)
		}
	})
	return c
}

// eventually waits for what another process does.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := waitUntil(ctx, condition); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func TestProcessesThatEndAtOnceAreReportedWithTheirLog(t *testing.T) {
	c := follower(t)
	started, err := c.start(context.Background(), component.Kubelet, []string{c.path("missing-file")})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "an ended process is taken for a running one", func() bool { return !started.exists() })
	if log := c.lastLog(component.Kubelet); !strings.Contains(log, "missing-file") {
		t.Errorf("the log is %q, want the program's complaint", log)
	}
}

func TestStartKeepsARunningProcessAndRestartsAChangedOne(t *testing.T) {
	c := follower(t)
	start := func(arguments ...string) process {
		t.Helper()
		started, err := c.start(context.Background(), component.Kubelet, arguments)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the process was not found", func() bool { return c.alive(component.Kubelet) })
		return started
	}
	first := start("-f", c.marker())
	if second := start("-f", c.marker()); second.pid != first.pid {
		t.Errorf("a second start made pid %d beside pid %d", second.pid, first.pid)
	}
	third := start("-n1", "-f", c.marker())
	if third.pid == first.pid || first.exists() {
		t.Error("a process with other arguments was not replaced")
	}
}

func TestStopEndsOnlyTheClustersOwnProcesses(t *testing.T) {
	c := follower(t)
	own, err := c.start(context.Background(), component.Kubelet, []string{"-f", c.marker()})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process was not found", func() bool { return c.alive(component.Kubelet) })
	// The same program without the state folder among its arguments is somebody else's.
	other := exec.Command(c.Paths[component.Kubelet], "-f", "/dev/null")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	if err := c.stopPrograms(context.Background(), []component.Program{component.Kubelet}); err != nil {
		t.Fatal(err)
	}
	if own.exists() {
		t.Error("the cluster's process still runs")
	}
	if !(process{pid: other.Process.Pid}).exists() {
		t.Error("a process that is not the cluster's was ended")
	}
}

func TestRemoveLogLinksLeavesOthers(t *testing.T) {
	folder := t.TempDir()
	for name, target := range map[string]string{"ours": "/state/pod-logs/a", "other": "/state/pod-logs-other/a"} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	removeLogLinks(folder, "/state/pod-logs")
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 || entries[0].Name() != "other" {
		t.Errorf("left: %v, %v; want only \"other\"", entries, err)
	}
}
