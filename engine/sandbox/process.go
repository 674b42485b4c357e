package sandbox

import (
	"io"
	"os"
	"os/exec"
)

// Process is another process of this executable, which is asked on its input and answers on its output. It belongs to one goroutine, but
// for Kill.
type Process struct {
	Input   io.WriteCloser
	Output  io.Reader
	command *exec.Cmd
}

// StartProcess starts a process, which knows by a variable of its environment what it is for. It gets nothing of the engine's environment:
// there may be keys in it. Problems takes what it says when it dies; nil leaves that out.
func StartProcess(variable string, problems io.Writer) (*Process, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(executable)
	command.Env = []string{variable + "=1", "GOTRACEBACK=none", "GOMAXPROCS=2"}
	command.Stderr = problems
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	return &Process{Input: input, Output: output, command: command}, nil
}

// Kill has the process end without delay. Any goroutine may call it.
func (p *Process) Kill() { _ = p.command.Process.Kill() } // it may have ended by itself

// Close ends the process, and waits for it.
func (p *Process) Close() {
	_ = p.Input.Close()
	p.Kill()
	// It was killed, or has ended by itself.
	_ = p.command.Wait()
}
