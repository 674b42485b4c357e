package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// traceFolder holds what tells how the dataset was made.
const traceFolder = "traces"

// TraceFiles are the two files of a process that traces its shard.
type TraceFiles struct {
	store         *Store
	lines, events *os.File
	names         [2]string
}

// CreateTrace makes the files for the trace of a shard. Each process gets files of its own; those of earlier ones stay.
func (s *Store) CreateTrace(shard, attempt int32) (*TraceFiles, error) {
	if err := s.root.Mkdir(traceFolder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fail(err, "making the folder "+traceFolder)
	}
	for process := 1; ; process++ {
		name := path.Join(traceFolder, fmt.Sprintf("shard-%05d-attempt-%d-process-%d", shard, attempt, process))
		made := &TraceFiles{store: s, names: [2]string{name + ".jsonl", name + ".perfetto.json"}}
		var err error
		if made.lines, err = s.root.OpenFile(made.names[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fail(err, "making "+made.names[0])
		}
		if made.events, err = s.root.Create(made.names[1]); err != nil {
			return nil, errors.Join(fail(err, "making "+made.names[1]), made.lines.Close(), s.root.Remove(made.names[0]))
		}
		return made, nil
	}
}

// Lines is the file with one span a line.
func (t *TraceFiles) Lines() io.Writer { return t.lines }

// Events is the file for a viewer.
func (t *TraceFiles) Events() io.Writer { return t.events }

// Close closes both.
func (t *TraceFiles) Close() error { return errors.Join(t.lines.Close(), t.events.Close()) }

// Discard closes and removes both.
func (t *TraceFiles) Discard() error {
	return errors.Join(t.Close(), t.store.root.Remove(t.names[0]), t.store.root.Remove(t.names[1]))
}

// WriteStall leaves what a shard's process was doing when it made no progress, and returns the name of the file.
func (s *Store) WriteStall(shard, attempt int32, dump []byte) (string, error) {
	if err := s.root.Mkdir(traceFolder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fail(err, "making the folder "+traceFolder)
	}
	name := path.Join(traceFolder, fmt.Sprintf("stall-%05d-attempt-%d.txt", shard, attempt))
	return name, s.write(name, dump)
}
