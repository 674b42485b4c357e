package engine_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

// P20 without a limit that they share: two runs in processes of their own meet at an endpoint that takes sixteen requests at once and
// refuses all others. Neither knows of the other; both keep to what the endpoint can take, and no row is lost. How fairly they share it is
// seen over minutes only (see schedule.TestTwoEnginesShareAServerFairly).
func TestTwoProcessesShareAnEndpoint(t *testing.T) {
	t.Parallel()
	none := 0
	server := simtest.Start(t, llmsim.Config{Defaults: llmsim.Model{Latency: answersAfter(50), MaxConcurrent: 16, MaxQueued: &none}})
	type ended struct {
		run *killed
		err error
	}
	const rows = 400
	runs := []*killed{}
	ends := make(chan ended, 2)
	for _, seed := range []string{"randomSeed: 7", "randomSeed: 8"} {
		spec := strings.NewReplacer("numRecords: 2000", fmt.Sprintf("numRecords: %d", rows), "randomSeed: 7", seed).Replace(crashSpec)
		k := newKilledOf(t, spec, server)
		runs = append(runs, k)
		go func() {
			command := exec.CommandContext(t.Context(), os.Args[0])
			command.Env = append(os.Environ(), engineProcess+"="+k.input)
			var messages bytes.Buffer
			command.Stderr = &messages
			err := command.Run()
			if err != nil {
				t.Log(messages.String())
			}
			ends <- ended{k, err}
		}()
	}
	first := <-ends
	for _, k := range runs {
		if k != first.run {
			t.Logf("when one run had ended, the other had %d of %d cells", k.kept(), 2*rows)
		}
	}
	for _, end := range []ended{first, <-ends} {
		if _, made := end.run.rows(); end.err != nil || len(made) != rows {
			t.Errorf("a run ended with %v and %d rows", end.err, len(made))
		}
	}
	counters := server.Counters()
	refused := counters.Failed[llmsim.FailedRateLimited]
	t.Logf("%d of %d requests were refused; up to %d were served at once", refused, counters.Requests, counters.ServingHighWater)
	if counters.ServingHighWater != 16 || refused > counters.Requests/10 {
		t.Errorf("%d of %d requests were refused by a server that serves 16 at once, and served %d", refused, counters.Requests,
			counters.ServingHighWater)
	}
}
