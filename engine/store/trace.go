package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"seedloom.dev/seedloom/engine/store/objects"
)

// traceFolder holds what tells how the dataset came about.
const traceFolder = "traces"

// TraceFiles are the two files of a process that traces its shard.
type TraceFiles struct {
	store         *Store
	lines, events objects.Log
	names         [2]string
}

// CreateTrace creates the files for the trace of a shard. Each process gets files of its own; those of earlier ones stay.
func (s *Store) CreateTrace(shard, attempt int32) (*TraceFiles, error) {
	for process := 1; ; process++ {
		name := path.Join(traceFolder, fmt.Sprintf("shard-%05d-attempt-%d-process-%d", shard, attempt, process))
		files := &TraceFiles{store: s, names: [2]string{name + ".jsonl", name + ".perfetto.json"}}
		err := s.volume.PutNew(files.names[0], nil)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			files.lines, err = s.volume.Append(files.names[0], 0)
		}
		if err != nil {
			return nil, fail(err, "creating "+files.names[0])
		}
		if files.events, err = s.volume.Append(files.names[1], 0); err != nil {
			return nil, errors.Join(fail(err, "creating "+files.names[1]), files.lines.Close(),
				s.volume.RemoveLog(files.names[0]), s.volume.Remove(files.names[0]))
		}
		return files, nil
	}
}

// Lines is the file with one span a line.
func (t *TraceFiles) Lines() io.Writer { return t.lines }

// Events is the file for a viewer.
func (t *TraceFiles) Events() io.Writer { return t.events }

// Close closes both.
func (t *TraceFiles) Close() error { return errors.Join(t.lines.Finish(), t.events.Finish()) }

// Discard closes and removes both.
func (t *TraceFiles) Discard() error {
	volume := t.store.volume
	return errors.Join(t.lines.Close(), t.events.Close(), volume.RemoveLog(t.names[0]), volume.RemoveLog(t.names[1]),
		volume.Remove(t.names[0]), volume.Remove(t.names[1]))
}

// WriteStall leaves what a shard's process was doing when it made no progress, and returns the name of the file.
func (s *Store) WriteStall(shard, attempt int32, dump []byte) (string, error) {
	name := path.Join(traceFolder, fmt.Sprintf("stall-%05d-attempt-%d.txt", shard, attempt))
	return name, s.put(name, dump)
}
