package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// profiled is how long the processor is watched for a profile.
const profiled = 15 * time.Second

// profileProcessor begins to write profiles of what the manager and the API server use the processor for, when a folder for profiles is
// set; wait returns when they are written.
func (s *stage) profileProcessor(ctx context.Context, name string) (wait func() error) {
	if s.profiles == "" {
		return func() error { return nil }
	}
	path := fmt.Sprintf("/debug/pprof/profile?seconds=%d", int(profiled.Seconds()))
	ended := make(chan error, 2)
	go func() {
		// A manager that has just been started does not listen yet.
		ended <- eventually(ctx, "a profile of the processor", func() (bool, error) {
			err := s.profile(ctx, http.DefaultClient, "http://"+s.manager.profiles+path, name+".manager.cpu")
			return err == nil, err
		})
	}()
	go func() {
		connection, err := rest.HTTPClientFor(s.plane.config)
		if err == nil {
			err = s.profile(ctx, connection, strings.TrimSuffix(s.plane.config.Host, "/")+path, name+".api-server.cpu")
		}
		ended <- err
	}()
	return func() error { return errors.Join(<-ended, <-ended) }
}

// profileMemory writes a profile of what the manager holds in memory, when a folder for profiles is set.
func (s *stage) profileMemory(ctx context.Context, name string) error {
	if s.profiles == "" {
		return nil
	}
	return s.profile(ctx, http.DefaultClient, "http://"+s.manager.profiles+"/debug/pprof/heap?gc=1", name+".manager.heap")
}

// profile brings one profile into the folder.
func (s *stage) profile(ctx context.Context, connection *http.Client, url, name string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("asking for a profile: %w", err)
	}
	response, err := connection.Do(request)
	if err != nil {
		return fmt.Errorf("asking for a profile: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("reading a profile: %w", err)
	}
	if err := os.WriteFile(filepath.Join(s.profiles, name), data, 0o600); err != nil {
		return fmt.Errorf("writing a profile: %w", err)
	}
	return nil
}
