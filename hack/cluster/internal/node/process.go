package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// process is one running program of a cluster.
type process struct {
	pid       int
	program   string   // base name of the executable
	arguments []string // without the program
}

// daemons are the programs that `Up` starts, in the order in which they are started.
var daemons = []component.Program{
	component.Etcd, component.APIServer, component.ControllerManager, component.Scheduler,
	component.Containerd, component.Kubelet, component.Proxy,
}

// running finds the cluster's processes. A process belongs to the cluster when its executable lies
// in the binary folder and an argument names the state folder; so a pid that the kernel has given to
// somebody else is never taken for ours, and a process whose pid was never written down is found.
func (c *Cluster) running() ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		executable, err := os.Readlink(filepath.Join("/proc", entry.Name(), "exe"))
		if err != nil {
			continue // it ended, or is a kernel thread
		}
		executable = strings.TrimSuffix(executable, " (deleted)")
		if !strings.HasPrefix(executable, c.Binaries+"/") {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if err != nil {
			continue
		}
		arguments := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")[1:]
		if slices.ContainsFunc(arguments, func(argument string) bool { return strings.Contains(argument, c.State+"/") }) {
			found = append(found, process{pid: pid, program: filepath.Base(executable), arguments: arguments})
		}
	}
	return found, nil
}

// start brings up one program unless it already runs with exactly these arguments. The process gets
// a session of its own, so it survives the command line's end; nobody waits for it.
func (c *Cluster) start(ctx context.Context, program component.Program, arguments []string) (process, error) {
	present, err := c.running()
	if err != nil {
		return process{}, err
	}
	for _, old := range present {
		if old.program != string(program) {
			continue
		}
		if slices.Equal(old.arguments, arguments) {
			return old, nil
		}
		c.say("restarting %s: its arguments changed", program)
		if err := stop(ctx, []process{old}, 20*time.Second); err != nil {
			return process{}, err
		}
	}
	log, err := os.OpenFile(c.logFile(string(program)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return process{}, err
	}
	defer log.Close()
	command := exec.Command(c.Paths[program], arguments...)
	command.Dir = c.State
	command.Stdout, command.Stderr = log, log
	command.Env = append(os.Environ(), "PATH="+filepath.Dir(c.Paths[component.Containerd])+":"+os.Getenv("PATH")+":/usr/sbin:/sbin")
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return process{}, fmt.Errorf("start %s: %w", program, err)
	}
	started := process{pid: command.Process.Pid, program: string(program), arguments: arguments}
	pidFile := c.path("run", string(program)+".pid")
	if err := os.WriteFile(pidFile, []byte(strconv.Itoa(started.pid)+"\n"), 0o644); err != nil {
		return process{}, err
	}
	return started, command.Process.Release()
}

// alive says whether a program of the cluster runs; a zombie does not.
func (c *Cluster) alive(program component.Program) bool {
	present, err := c.running()
	return err == nil && slices.ContainsFunc(present, func(p process) bool { return p.program == string(program) })
}

// stop asks the processes to end, waits for them, and kills those that did not end in time.
func stop(ctx context.Context, processes []process, patience time.Duration) error {
	for _, p := range processes {
		if err := syscall.Kill(p.pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end %s (pid %d): %w", p.program, p.pid, err)
		}
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if waitUntil(limited, func() bool { return !slices.ContainsFunc(processes, process.exists) }) == nil {
		return nil
	}
	for _, p := range processes {
		if p.exists() {
			if err := syscall.Kill(p.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill %s (pid %d): %w", p.program, p.pid, err)
			}
		}
	}
	limited, cancel = context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := waitUntil(limited, func() bool { return !slices.ContainsFunc(processes, process.exists) }); err != nil {
		return fmt.Errorf("some of %d processes did not end after SIGKILL: %w", len(processes), err)
	}
	return nil
}

// exists says whether the process still runs. A zombie that nobody reaps does not count.
func (p process) exists() bool {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.pid), "stat"))
	if err != nil {
		return false
	}
	closing := bytes.LastIndexByte(status, ')')
	return closing < 0 || !strings.HasPrefix(strings.TrimSpace(string(status[closing+1:])), "Z")
}

// waitUntil polls a condition until it holds or the context ends.
func waitUntil(ctx context.Context, condition func() bool) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		if condition() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// lastLog returns the end of a program's log for an error message.
func (c *Cluster) lastLog(program component.Program) string {
	content, err := os.ReadFile(c.logFile(string(program)))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	if len(lines) > 15 {
		lines = lines[len(lines)-15:]
	}
	return strings.Join(lines, "\n")
}

// Report says, one line a program, what runs.
func (c *Cluster) Report() (string, error) {
	present, err := c.running()
	if err != nil {
		return "", err
	}
	var report strings.Builder
	for _, program := range daemons {
		state := "not running"
		for _, p := range present {
			if p.program == string(program) {
				state = "pid " + strconv.Itoa(p.pid) + ", log " + c.logFile(p.program)
			}
		}
		fmt.Fprintf(&report, "%-24s %s\n", program, state)
	}
	return report.String(), nil
}
