package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"seedloom.dev/seedloom/internal/runreport"
)

// engineAddress is where the one Pod that runs is asked how far it is: an address of this machine, which nothing else listens at.
const engineAddress = "127.0.0.37"

// serveEngine answers as the engine of a run, with a record more each time it is asked, until stop is called.
func serveEngine(runID string, target int64) (stop func() error, err error) {
	var sequence int64
	handler := http.NewServeMux()
	handler.HandleFunc(runreport.ProgressPath, func(answer http.ResponseWriter, _ *http.Request) {
		sequence++
		// The one who asks closes the connection when this fails.
		_ = json.NewEncoder(answer).Encode(runreport.Progress{
			Version: runreport.Version, RunID: runID, Attempt: 1, Sequence: sequence, Phase: runreport.PhaseRunning,
			Records: runreport.Records{Target: target, Actual: min(sequence, target)}, RecordsPerSecond: 0.5, InFlight: 4,
		})
	})
	listener, err := net.Listen("tcp", net.JoinHostPort(engineAddress, strconv.Itoa(runreport.Port)))
	if err != nil {
		return nil, fmt.Errorf("serving as an engine: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return func() error {
		err := server.Shutdown(context.Background())
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}, nil
}
