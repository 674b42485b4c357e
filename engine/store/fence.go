package store

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"path"
	"sync"
	"sync/atomic"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
)

// fenceFolder says which process may write what. attemptFile in it names the attempt that writes: with another one, the row groups may be
// divided among other shards.
const (
	fenceFolder = engineFolder + "/fences"
	attemptFile = fenceFolder + "/attempt"
)

// Fence is the right of a process to write a shard. The process that takes it last has it; those before it find out before they write
// anything. Its methods may be called from any goroutine.
type Fence struct {
	store *Store
	shard int32
	// attempt and content are what the files say while this process has the right.
	attempt, content string
	lost             atomic.Pointer[failure.Error]

	// looking is held by whoever looks at the files.
	looking chan struct{}
	mutex   sync.Mutex
	// next is the look that has not begun yet.
	next *look
}

// TakeFence takes the right to write a shard, from whoever has it. From then on every commit checks whether this process still has it. No
// order of attempts is looked at: those of a resource that was deleted and made anew begin again.
func (s *Store) TakeFence(runID string, attempt, shard int32) (*Fence, error) {
	content, err := json.Marshal(map[string]any{"run": runID, "attempt": attempt, "token": rand.Text()})
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding the fence of shard %d", shard)
	}
	fence := &Fence{
		store: s, shard: shard, attempt: fmt.Sprintf("%s attempt %d\n", runID, attempt), content: string(content),
		looking: make(chan struct{}, 1),
	}
	present, err := s.readFence(attemptFile)
	if err != nil {
		return nil, err
	}
	if present != fence.attempt {
		if err := s.put(attemptFile, []byte(fence.attempt)); err != nil {
			return nil, err
		}
	}
	if err := s.put(fencePath(shard), content); err != nil {
		return nil, err
	}
	s.fence = fence
	return fence, nil
}

func fencePath(shard int32) string {
	return path.Join(fenceFolder, fmt.Sprintf("shard-%05d.json", shard))
}

// readFence returns what a file of the fences says; an empty text when it is not there.
func (s *Store) readFence(name string) (string, error) {
	data, err := s.get(name)
	return string(data), err
}

// look is one look at the files of a fence, which all wait for that have asked for it before it began.
type look struct {
	done chan struct{}
	err  error
}

// Check looks whether this process may still write. Once it may not, it never may again. Of those that ask while another one's look is
// under way, one looks for all, once that has come to its end.
func (f *Fence) Check() error {
	if err := f.Lost(); err != nil {
		return err
	}
	f.mutex.Lock()
	shared, begun := f.next, f.next != nil
	if !begun {
		shared = &look{done: make(chan struct{})}
		f.next = shared
	}
	f.mutex.Unlock()
	if begun {
		<-shared.done
		return shared.err
	}
	f.looking <- struct{}{}
	f.mutex.Lock()
	f.next = nil // whoever asks from now on wants to know what is there later
	f.mutex.Unlock()
	shared.err = f.look()
	<-f.looking
	close(shared.done)
	return shared.err
}

// look reads the files.
func (f *Fence) look() error {
	names := [...]string{attemptFile, fencePath(f.shard)}
	var found [len(names)]string
	var errs [len(names)]error
	f.store.each(len(names), func(i int) { found[i], errs[i] = f.store.readFence(names[i]) })
	if err := cmp.Or(errs[:]...); err != nil {
		return err
	}
	switch {
	case found[0] != f.attempt:
		return f.superseded("another attempt of the run has begun")
	case found[1] != f.content:
		return f.superseded("another process makes this shard now")
	}
	return nil
}

// Lost is how the last Check found that this process may no longer write; nil when it may. It costs next to nothing.
func (f *Fence) Lost() error {
	if lost := f.lost.Load(); lost != nil {
		return lost
	}
	return nil
}

func (f *Fence) superseded(by string) error {
	lost := failure.New(v1alpha1.ReasonSuperseded, failure.EndRun,
		"%s, so this process stops and writes nothing more of shard %d; if you did not start another one, "+
			"see which Pods have the output volume mounted", by, f.shard)
	lost.Temporary = true
	f.lost.Store(lost)
	return lost
}

// guard checks the fence, where one was taken.
func (s *Store) guard() error {
	if s.fence == nil {
		return nil
	}
	return s.fence.Check()
}

// removeFences removes the fences of a dataset to which nothing is missing any more. A process that still believes to have a right to write
// it loses that right with them.
func (s *Store) removeFences() error {
	s.fence = nil
	return s.removeAll(fenceFolder)
}
