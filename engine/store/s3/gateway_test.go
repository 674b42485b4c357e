package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/engine/store/storetest"
)

// Environment variables with the paths of stores that others have built: versitygw, and rclone. `go -C hack/cluster run . object-store
// NAME` prints them.
const (
	gatewayVariable = "SEEDLOOM_TEST_OBJECT_STORE"
	rcloneVariable  = "SEEDLOOM_TEST_RCLONE"
)

// startStore starts a store over a temporary folder that has the bucket, and returns its endpoint.
func startStore(t *testing.T, variable string, arguments func(address, root string) []string) string {
	t.Helper()
	program := os.Getenv(variable)
	if program == "" {
		t.Skip("no store of others: " + variable + " is not set")
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
	command := exec.CommandContext(ctx, program, arguments(address, root)...)
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
	conforms(t, startStore(t, gatewayVariable, func(address, root string) []string {
		// Its metadata are attributes of files: beside them (--sidecar) they would not change at once.
		return []string{"--access", s3test.AccessKey, "--secret", s3test.SecretKey, "--port", address, "--keep-alive", "--quiet", "posix", root}
	}))
}

// TestRcloneConforms does so with another one, which is no part of `make test`: building it takes long.
func TestRcloneConforms(t *testing.T) { conforms(t, startRclone(t)) }

// TestRcloneWithoutVersionsIsRefused has a store of others that is unfit: without a hash to make entity tags of, it has no versions of
// objects.
func TestRcloneWithoutVersionsIsRefused(t *testing.T) {
	location := at(t, nil)
	location.Endpoint, location.Transport = startRclone(t, "--etag-hash", "none"), nil
	err := open(t, location).Probe("probes")
	var unfit *s3.UnfitError
	if !errors.As(err, &unfit) || !strings.Contains(unfit.Error(), location.Endpoint) {
		t.Errorf("the probe: %v", err)
	}
}

// startRclone starts rclone's S3 server. With a cache (--vfs-cache-mode writes) it loses updates of those that race.
func startRclone(t *testing.T, flags ...string) string {
	t.Helper()
	return startStore(t, rcloneVariable, func(address, root string) []string {
		return append([]string{
			"serve", "s3", "--addr", address, "--auth-key", s3test.AccessKey + "," + s3test.SecretKey, "--vfs-cache-mode", "off",
			"--config", os.DevNull, root,
		}, flags...)
	})
}

func conforms(t *testing.T, endpoint string) {
	t.Helper()
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
