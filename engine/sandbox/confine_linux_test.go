package sandbox_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"seedloom.dev/seedloom/engine/sandbox"
)

// asConfined has the test run again in a process of its own, which is confined for good.
const asConfined = "SEEDLOOM_TEST_CONFINED"

func TestAProcessThatRefusesFilesOpensNothing(t *testing.T) {
	if os.Getenv(asConfined) == "" {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), asConfined+"=1")
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		return
	}
	if _, err := os.ReadFile("/etc/passwd"); err != nil {
		t.Fatalf("before it is confined, it can't read: %v", err)
	}
	var confinement sandbox.Confinement
	confinement.RefuseFiles()
	if _, err := os.Open("/etc/passwd"); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("opening a file: %v", err)
	}
	if _, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("opening a connection: %v", err)
	}
}
