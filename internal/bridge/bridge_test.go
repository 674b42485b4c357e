package bridge_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"seedloom.dev/seedloom/internal/bridge"
	"seedloom.dev/seedloom/internal/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve bridges a command of the shell, and returns the socket, the log and how to stop it.
func serve(t *testing.T, script string) (socket string, logs *logtest.Buffer, stop func()) {
	t.Helper()
	// The name of a socket must be short.
	folder, err := os.MkdirTemp("", "bridge")
	if err != nil {
		t.Fatal(err)
	}
	socket, logs = filepath.Join(folder, "s"), &logtest.Buffer{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bridge.Serve(ctx, socket, []string{"sh", "-c", script}, logs) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the bridge ended with: %v", err)
		}
		_ = os.RemoveAll(folder) // the test is over
	})
	t.Cleanup(stop)
	return socket, logs, stop
}

func dial(t *testing.T, socket string) net.Conn {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		connection, err := net.Dial("unix", socket)
		if err == nil {
			t.Cleanup(func() { connection.Close() })
			_ = connection.SetDeadline(deadline)
			return connection
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func line(t *testing.T, reader *bufio.Reader) string {
	t.Helper()
	text, err := reader.ReadString('\n')
	if err != nil {
		t.Fatalf("after %q: %v", text, err)
	}
	return strings.TrimSpace(text)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func alive(process string) bool {
	number := 0
	_, _ = fmt.Sscan(process, &number)
	// A zombie is dead: its parent has only not looked yet.
	state, err := os.ReadFile("/proc/" + process + "/stat")
	return syscall.Kill(number, 0) == nil && (err != nil || !strings.Contains(string(state), ") Z "))
}

func TestEachConnectionHasAProgramOfItsOwn(t *testing.T) {
	socket, logs, _ := serve(t, `echo started >&2; while read -r word; do echo "$$ $word"; done`)
	one, two := dial(t, socket), dial(t, socket)
	readers := []*bufio.Reader{bufio.NewReader(one), bufio.NewReader(two)}
	processes := map[string]bool{}
	for i, connection := range []net.Conn{one, two, one} {
		fmt.Fprintf(connection, "word%d\n", i)
		process, word, _ := strings.Cut(line(t, readers[i%2]), " ")
		if word != fmt.Sprintf("word%d", i) {
			t.Errorf("connection %d answered %q", i, word)
		}
		processes[process] = true
	}
	if len(processes) != 2 {
		t.Errorf("two connections had %d programs", len(processes))
	}
	eventually(t, "the errors of both programs are in the log", func() bool { return strings.Count(logs.String(), "started") == 2 })
}

func TestAProgramEndsWithItsConnection(t *testing.T) {
	for name, script := range map[string]string{
		"one that reads its input": `echo $$; cat`,
		"one that does not":        `echo $$; exec sleep 1000`,
		"one that ignores signals": `trap "" TERM; echo $$; while true; do sleep 1000; done`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			socket, _, _ := serve(t, script)
			connection := dial(t, socket)
			process := line(t, bufio.NewReader(connection))
			if !alive(process) {
				t.Fatal("the program is not there")
			}
			connection.Close()
			eventually(t, "the program ends", func() bool { return !alive(process) })
		})
	}
}

func TestAConnectionEndsWithItsProgram(t *testing.T) {
	socket, logs, _ := serve(t, `sleep 1000 & echo bye; exit 3`)
	said, err := io.ReadAll(dial(t, socket))
	if err != nil || string(said) != "bye\n" {
		t.Errorf("got %q, %v", said, err)
	}
	eventually(t, "the log tells of the exit", func() bool { return strings.Contains(logs.String(), "exit status 3") })
}

func TestStoppingEndsProgramsAndWhatTheyHaveStarted(t *testing.T) {
	socket, _, stop := serve(t, `sh -c 'trap "" TERM; echo $$; while true; do sleep 1000; done'; wait`)
	process := line(t, bufio.NewReader(dial(t, socket)))
	stop()
	eventually(t, "the program ends", func() bool { return !alive(process) })
}

func TestAMissingProgramIsNamed(t *testing.T) {
	err := bridge.Serve(t.Context(), filepath.Join(t.TempDir(), "s"), []string{"/no/such/program"}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), `the image has no program "/no/such/program"`) {
		t.Errorf("got %v", err)
	}
}

func TestTheInstalledProgramRuns(t *testing.T) {
	folder := t.TempDir()
	for range 2 { // a container that is started again installs again
		if err := bridge.Install(folder); err != nil {
			t.Fatal(err)
		}
	}
	// It is a copy of this very test.
	if said, err := exec.Command(bridge.Path(folder), "-test.list", "TestTheInstalled").CombinedOutput(); err != nil ||
		!strings.Contains(string(said), "TestTheInstalledProgramRuns") {
		t.Errorf("got %s, %v", said, err)
	}
}
