package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"seedloom.dev/seedloom/hack/cluster/internal/component"
	"seedloom.dev/seedloom/hack/cluster/internal/image"
)

// startLimit bounds how long one component may take to become healthy.
const startLimit = 90 * time.Second

// Up brings the cluster up and returns when its node is ready and names resolve. Whatever runs
// already is left alone, whatever is missing is started.
func (c *Cluster) Up(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return ErrNotRoot
	}
	if err := c.Validate(); err != nil {
		return err
	}
	if err := c.installPackages(ctx); err != nil {
		return err
	}
	if err := c.prepareFolders(); err != nil {
		return err
	}
	if err := c.writeCertificates(); err != nil {
		return fmt.Errorf("make the cluster's certificates: %w", err)
	}
	if err := c.prepareNetwork(ctx); err != nil {
		return err
	}
	values := c.settings()
	if err := c.writeConfiguration(ctx, values); err != nil {
		return err
	}
	if err := c.checkPorts(); err != nil {
		return err
	}
	for _, program := range daemons {
		if err := c.startHealthy(ctx, program); err != nil {
			return err
		}
	}
	return c.deployDNS(ctx, values)
}

// startHealthy starts one program and waits for the sign that the next one may be started.
func (c *Cluster) startHealthy(ctx context.Context, program component.Program) error {
	begin := time.Now()
	started, err := c.start(ctx, program, c.arguments(program))
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	died := false
	var last error
	err = waitUntil(limited, func() bool {
		if died = !started.exists(); died {
			return true
		}
		last = c.health(limited, program)
		return last == nil
	})
	if died {
		return fmt.Errorf("%s ended right after its start; the end of %s:\n%s", program, c.logFile(string(program)), c.lastLog(program))
	}
	if err != nil {
		return fmt.Errorf("%s was not healthy after %s (%w; last answer: %v); the end of %s:\n%s",
			program, startLimit, err, last, c.logFile(string(program)), c.lastLog(program))
	}
	c.say("%s is healthy (%s)", program, time.Since(begin).Round(100*time.Millisecond))
	if program == component.Containerd {
		return c.loadOwnImages(ctx)
	}
	return nil
}

// health asks one program whether it does its work.
func (c *Cluster) health(ctx context.Context, program component.Program) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	switch program {
	case component.APIServer:
		_, err := c.kubectl(ctx, "get", "--raw", "/readyz")
		return err
	case component.Containerd:
		_, err := c.containerdClient(ctx, "version")
		return err
	case component.Kubelet:
		output, err := c.kubectl(ctx, "get", "node", Name, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
		if err == nil && string(output) != "True" {
			err = fmt.Errorf("the node's condition Ready is %q", output)
		}
		if err == nil && c.leaseIsStale(ctx) {
			err = errors.New("the kubelet has not renewed the node's lease yet")
		}
		return err
	case component.Proxy:
		return dial(ctx, "127.0.0.1:10256")
	case component.ControllerManager:
		return dial(ctx, "127.0.0.1:10257")
	case component.Scheduler:
		return dial(ctx, "127.0.0.1:10259")
	default:
		return dial(ctx, Address+":2379")
	}
}

// leaseIsStale tells a Ready condition from before a crash from one of now.
func (c *Cluster) leaseIsStale(ctx context.Context) bool {
	output, err := c.kubectl(ctx, "get", "lease", "-n", "kube-node-lease", Name, "-o", "jsonpath={.spec.renewTime}")
	if err != nil {
		return true
	}
	renewed, err := time.Parse(time.RFC3339Nano, string(output))
	return err != nil || time.Since(renewed) > 30*time.Second
}

func dial(ctx context.Context, address string) error {
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return connection.Close()
}

// checkPorts refuses to start beside another cluster's programs on the ports that cannot be moved.
func (c *Cluster) checkPorts() error {
	for program, address := range map[component.Program]string{
		component.ControllerManager: "127.0.0.1:10257",
		component.Scheduler:         "127.0.0.1:10259",
		component.Proxy:             "127.0.0.1:10256",
	} {
		if c.alive(program) {
			continue
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("another %s seems to run on this machine: %w; end that cluster first", program, err)
		}
		if err := listener.Close(); err != nil {
			return err
		}
	}
	return nil
}

// loadOwnImages gives containerd the images that the cluster itself needs.
func (c *Cluster) loadOwnImages(ctx context.Context) error {
	for _, spec := range []image.Spec{
		{Name: pauseImage, User: "65532", Entrypoint: []string{"/pause"},
			Files: []image.File{{Source: c.Pause, Target: "/pause"}}},
		{Name: dnsImage, User: "65532", Entrypoint: []string{"/coredns"},
			Files: []image.File{{Source: c.Paths[component.CoreDNS], Target: "/coredns"}}},
	} {
		built, err := image.New(spec)
		if err != nil {
			return err
		}
		if _, err := c.Load(ctx, built); err != nil {
			return err
		}
	}
	return nil
}

// Load imports an image unless the node has exactly this one; loaded says whether it did.
func (c *Cluster) Load(ctx context.Context, built image.Archive) (loaded bool, err error) {
	listing, err := c.containerdClient(ctx, "images", "list")
	if err != nil {
		return false, fmt.Errorf("ask containerd for its images (is the cluster up?): %w", err)
	}
	if digest, ok := image.DigestInListing(listing, built.Name()); ok && digest == built.Digest() {
		return false, nil
	}
	archive, err := os.CreateTemp(c.path("run"), "image-*.tar")
	if err != nil {
		return false, err
	}
	defer os.Remove(archive.Name())
	if err := errors.Join(built.WriteArchive(archive), archive.Close()); err != nil {
		return false, err
	}
	if _, err := c.containerdClient(ctx, "images", "import", "--local", archive.Name()); err != nil {
		return false, err
	}
	// Without this label the kubelet's view of the image would wait for containerd's own events.
	_, err = c.containerdClient(ctx, "images", "label", built.Name(), "io.cri-containerd.image=managed")
	return true, err
}

// deployDNS applies CoreDNS and waits until it resolves a name.
func (c *Cluster) deployDNS(ctx context.Context, values settings) error {
	begin := time.Now()
	manifest, err := render("coredns.yaml", values)
	if err != nil {
		return err
	}
	path := c.path("config", "coredns.yaml")
	if err := os.WriteFile(path, manifest, 0o644); err != nil {
		return err
	}
	if _, err := c.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-f", path); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(dnsAddress, "53"))
	}}
	var last error
	err = waitUntil(limited, func() bool {
		attempt, cancel := context.WithTimeout(limited, 2*time.Second)
		defer cancel()
		var addresses []string
		addresses, last = resolver.LookupHost(attempt, "kubernetes.default.svc.cluster.local.")
		return last == nil && len(addresses) == 1 && addresses[0] == serviceAddress
	})
	if err != nil {
		pods, _ := c.kubectl(ctx, "get", "pods,events", "-n", "kube-system")
		return fmt.Errorf("CoreDNS does not answer after %s (%v):\n%s", startLimit, last, pods)
	}
	c.say("CoreDNS answers (%s)", time.Since(begin).Round(100*time.Millisecond))
	return nil
}

func (c *Cluster) kubectl(ctx context.Context, arguments ...string) ([]byte, error) {
	return runQuoted(ctx, c.Paths[component.Kubectl], append([]string{"--kubeconfig=" + c.Kubeconfig()}, arguments...))
}

func (c *Cluster) containerdClient(ctx context.Context, arguments ...string) ([]byte, error) {
	return runQuoted(ctx, c.Paths[component.ContainerdClient],
		append([]string{"--address", c.socket(), "--namespace", containerdNamespace}, arguments...))
}

// runQuoted runs one of our own programs; its first line of complaint becomes the error's text.
func runQuoted(ctx context.Context, program string, arguments []string) ([]byte, error) {
	output, err := exec.CommandContext(ctx, program, arguments...).Output()
	var failed *exec.ExitError
	if ctx.Err() != nil {
		return output, fmt.Errorf("%s: %w", filepath.Base(program), ctx.Err())
	}
	if errors.As(err, &failed) {
		return output, fmt.Errorf("%s: %s", filepath.Base(program), strings.TrimSpace(string(failed.Stderr)))
	}
	return output, err
}
