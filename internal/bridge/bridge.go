// Package bridge makes a program that speaks over its input and output reachable through a socket: it runs in the sidecar of a tool server,
// whose image it knows nothing of. It moves bytes only, and looks into none of them.
package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// name is the name of the installed program.
const name = "bridge"

// grace is how long a program may take to end by itself, first after its input has ended, and again after it was asked to.
const grace = 2 * time.Second

// Path is where Install puts the program in a directory.
func Path(directory string) string { return filepath.Join(directory, name) }

// Install copies the running program into a directory, from where containers with other images run it.
func Install(directory string) error {
	own, err := os.Executable()
	if err != nil {
		return err
	}
	source, err := os.Open(own)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // was only read
	// A container that is started again finds its former copy, which nobody may write to.
	if err := os.Remove(Path(directory)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	target, err := os.OpenFile(Path(directory), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o555)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// Serve listens on a socket and starts the command once for each connection: what comes is its input, and its output goes back. What the
// command writes as errors goes to logs. It returns when the context ends and all programs have.
func Serve(ctx context.Context, socket string, command []string, logs io.Writer) error {
	logger := slog.New(slog.NewJSONHandler(logs, nil))
	if _, err := exec.LookPath(command[0]); err != nil {
		return fmt.Errorf("the image has no program %q: %w", command[0], err)
	}
	// A socket that a former life of the container has left.
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() }) // closing only has to end Accept
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		connection, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		running.Go(func() {
			if err := connect(ctx, connection, command, logs); err != nil {
				logger.Error("the program of the tool server has ended", "error", err)
			}
		})
	}
}

// connect runs one program until it, the connection or the context ends.
func connect(ctx context.Context, connection net.Conn, command []string, logs io.Writer) error {
	defer connection.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	program := exec.CommandContext(ctx, command[0], command[1:]...)
	program.Stderr = logs
	// A group of its own, so that what the program has started ends with it.
	program.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	program.Cancel = func() error { return syscall.Kill(-program.Process.Pid, syscall.SIGTERM) }
	program.WaitDelay = grace
	input, err := program.StdinPipe()
	if err != nil {
		return err
	}
	// A pipe of our own: the one of exec would be closed before the last output was read.
	output, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = output.Close() }() // was only read
	program.Stdout = writer
	err = program.Start()
	_ = writer.Close() // the program has its own
	if err != nil {
		return err
	}
	var copying sync.WaitGroup
	copying.Go(func() {
		// A program that reads no more has ended, or will be told so by the end of its input.
		_, _ = io.Copy(input, connection)
		_ = input.Close()
		// The other side has gone: the program may end by itself for a while.
		timer := time.AfterFunc(grace, cancel)
		<-ctx.Done()
		timer.Stop()
	})
	copying.Go(func() {
		_, _ = io.Copy(connection, output) // whoever is gone needs nothing more
		_ = connection.Close()
	})
	err = program.Wait()
	if ctx.Err() != nil {
		err = nil // it was asked to end, and how it did is of no interest
	}
	// Descendants would keep the output open, and the connection with it.
	_ = syscall.Kill(-program.Process.Pid, syscall.SIGKILL) // mostly there are none
	_ = output.SetReadDeadline(time.Now().Add(grace))       // for those that have left the group
	cancel()
	copying.Wait()
	return err
}
