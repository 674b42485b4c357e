package main

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOnlyLoopbackIsMeasured(t *testing.T) {
	for _, address := range []string{"192.0.2.1:8000", "example.com:80", "127.0.0.1", ":8000"} {
		if err := run([]string{"--address", address, "--duration", "1ms"}); err == nil || !strings.Contains(err.Error(), "--address") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := run([]string{"--duration", "1h"}); err == nil {
		t.Error("an hour is taken")
	}
}

func TestMeasureCountsAnswers(t *testing.T) {
	stop, address, err := startServer()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	result, err := measure(address, 4, 50*time.Millisecond, "m", 16)
	if err != nil || len(result.latencies) < 4 || !strings.Contains(result.String(), "requests/s") {
		t.Errorf("%s, %v", result, err)
	}
	if _, err := measure(address, 1, 50*time.Millisecond, "always-500", 16); err == nil || !strings.Contains(err.Error(), "500") {
		t.Errorf("an error of the simulator is not told: %v", err)
	}
}
