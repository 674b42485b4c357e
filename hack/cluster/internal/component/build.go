package component

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// build compiles one program into path. The binary appears there complete or not at all.
func build(ctx context.Context, p pinned, program Program, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary := path + ".partial"
	defer os.Remove(temporary)
	command := exec.CommandContext(ctx, "go", "build",
		"-mod=readonly", "-trimpath", "-buildvcs=false",
		"-ldflags", p.linkerFlags(), "-o", temporary, p.packages[program])
	command.Dir = p.directory
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	// The compiler's children end with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w in %s:\n%s", err, p.directory, lastLines(output.String(), 30))
	}
	return os.Rename(temporary, path)
}

// Build compiles a package of the module in directory into path; used for small programs of our own.
func Build(ctx context.Context, directory, packagePath, path string) error {
	p := pinned{directory: directory, module: module{packages: map[Program]string{"": packagePath}}}
	if _, err := os.Stat(filepath.Join(directory, "go.mod")); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s holds no go.mod", directory)
	}
	return build(ctx, p, "", path)
}
