package s3_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/engine/store/storetest"
)

// gatewayVariable is the environment variable with the path of versitygw, a store that others have built (`go -C hack/cluster run .
// object-store` prints it).
const gatewayVariable = "SEEDLOOM_TEST_OBJECT_STORE"

// startGateway starts a store over a temporary folder, and returns its endpoint.
func startGateway(t *testing.T) string {
	t.Helper()
	program := os.Getenv(gatewayVariable)
	if program == "" {
		t.Skip("no store of others: " + gatewayVariable + " is not set")
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, s3test.Bucket), 0o700); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, program, "--access", s3test.AccessKey, "--secret", s3test.SecretKey, "--port", address, "--keep-alive",
		"--quiet", "posix", root) // its metadata are attributes of files: beside them (--sidecar) they would not change at once
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = command.Wait() // was killed
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = connection.Close()
			return "http://" + address
		}
		if time.Now().After(deadline) {
			t.Fatalf("the store does not listen: %v: %s", err, output.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestAStoreOfOthersConforms holds a store that others have built to the same, and this package's use of the protocol with it.
func TestAStoreOfOthersConforms(t *testing.T) {
	endpoint := startGateway(t)
	number := 0
	storetest.Conform(t, func(t *testing.T) func() objects.Volume {
		location := at(t, nil)
		number++
		location.Endpoint, location.Transport, location.Prefix = endpoint, nil, fmt.Sprint("prefix-", number)
		return func() objects.Volume { return open(t, location) }
	})
	location := at(t, nil)
	location.Endpoint, location.Transport = endpoint, nil
	if err := open(t, location).Probe("probes"); err != nil {
		t.Errorf("the probe: %v", err)
	}
	if err := s3.RemoveTree(t.Context(), location, "team/reviews"); err != nil {
		t.Error(err)
	}
}
