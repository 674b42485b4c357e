package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// leaseNamespace is where the manager's Lease lies.
	leaseNamespace = "default"
	// longest bounds every wait for something that should come about.
	longest = 5 * time.Minute
)

// manager is the operator as a program of its own. It belongs to whoever has started it, who stops it.
type manager struct {
	process *exec.Cmd
	metrics string
	// profiles is the host and port of Go's profiles.
	profiles string
	log      *os.File
	started  time.Time
}

// buildManager builds the operator into a folder, and returns its path.
func buildManager(ctx context.Context, folder string) (string, error) {
	path := filepath.Join(folder, "manager")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "seedloom.dev/seedloom/cmd/manager")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the manager: %w\n%s", err, output)
	}
	return path, nil
}

// startManager starts the operator on a control plane.
func startManager(ctx context.Context, plane *controlPlane, program string) (*manager, error) {
	metrics, err := freeAddress()
	if err != nil {
		return nil, err
	}
	profiles, err := freeAddress()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(plane.folder, "manager.log"))
	if err != nil {
		return nil, fmt.Errorf("making the manager's log: %w", err)
	}
	process := exec.CommandContext(ctx, program, "--leader-election-namespace="+leaseNamespace, "--engine-image=example.com/engine:test",
		"--metrics-bind-address="+metrics, "--metrics-secure=false", "--health-probe-bind-address=0",
		"--pprof-bind-address="+profiles)
	process.Env = append(os.Environ(), "KUBECONFIG="+plane.kubeconfig)
	process.Stdout, process.Stderr = log, log
	m := &manager{process: process, metrics: "http://" + metrics + "/metrics", profiles: profiles, log: log, started: time.Now()}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("starting the manager: %w", err)
	}
	return m, nil
}

// stop asks the manager to end, and waits for it.
func (m *manager) stop() error {
	if err := m.process.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping the manager: %w", err)
	}
	err := m.process.Wait()
	return errors.Join(err, m.log.Close())
}

// reconciles is how often the manager has looked at a resource, and queued is how many it has yet to look at now.
func (m *manager) reconciles(ctx context.Context) (done, queued float64, err error) {
	values, err := m.read(ctx)
	if err != nil {
		return 0, 0, err
	}
	for name, value := range values {
		switch {
		case strings.HasPrefix(name, "controller_runtime_reconcile_total{"):
			done += value
		case strings.HasPrefix(name, "workqueue_depth{"), strings.HasPrefix(name, "controller_runtime_active_workers{"):
			queued += value
		}
	}
	return done, queued, nil
}

// read reads the manager's metrics.
func (m *manager) read(ctx context.Context) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.metrics, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the manager's metrics: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reading the manager's metrics: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	values := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		at := strings.LastIndexByte(lines.Text(), ' ')
		if at < 0 || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		if value, err := strconv.ParseFloat(lines.Text()[at+1:], 64); err == nil {
			values[lines.Text()[:at]] = value
		}
	}
	return values, lines.Err()
}

// memory is the memory of a process, in MiB: what is resident now and at most since its start, and how much of it are pages of the
// program's file, which the kernel can drop.
type memory struct{ now, most, file float64 }

func (m *manager) memory() (found memory, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.process.Process.Pid))
	if err != nil {
		return found, fmt.Errorf("reading the manager's memory: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		for name, into := range map[string]*float64{"VmRSS": &found.now, "VmHWM": &found.most, "RssFile": &found.file} {
			var kilobytes float64
			if _, err := fmt.Sscanf(line, name+": %f kB", &kilobytes); err == nil {
				*into = kilobytes / 1024
			}
		}
	}
	return found, nil
}

// processorTime is what the manager has used of it, in seconds.
func (m *manager) processorTime() (float64, error) {
	_, _, seconds, err := processOf(m.process.Process.Pid)
	return seconds, err
}

// explain adds the end of the manager's log to an error.
func (m *manager) explain(err error) error {
	if err == nil {
		return nil
	}
	data, readError := os.ReadFile(m.log.Name())
	if readError != nil {
		return errors.Join(err, readError)
	}
	return fmt.Errorf("%w; the manager says:\n%s", err, data[max(0, len(data)-4000):])
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// eventually asks again and again until something holds.
func eventually(ctx context.Context, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	var last error
	for {
		is, err := holds()
		if is && err == nil {
			return nil
		}
		last = err
		if waitError := pause(ctx, 50*time.Millisecond); waitError != nil {
			return fmt.Errorf("%s: %w", what, errors.Join(waitError, last))
		}
	}
}

// pause waits for a time, or for the end of the context.
func pause(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
