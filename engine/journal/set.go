package journal

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// Files are where the journals of row groups lie.
type Files interface {
	// ReadJournal returns the journal of a row group, nil when there is none.
	ReadJournal(index int64) ([]byte, error)
	// OpenJournal opens it for appending after its first valid bytes, and makes it where there is none.
	OpenJournal(index, valid int64) (File, error)
	// RemoveJournal removes it, if there is one.
	RemoveJournal(index int64) error
}

// Fence is the right to write journals.
type Fence interface {
	// Check looks whether it is still there, and Lost says what the last look has found: nil while it is.
	Check() error
	Lost() error
}

// Config is what the journals of a run work with.
type Config struct {
	Files Files
	// WriteFailure classifies what went wrong in writing the journal of a row group.
	WriteFailure func(err error, index int64) error
	// Fence is nil where nobody else can write.
	Fence        Fence
	Schema       *table.Schema
	RowGroupSize int64
	// Bound are the columns whose cells depend on all rows of their row group.
	Bound map[string]bool
	// Pace is how the place where the journals lie is best worked with: how old a cell may become before it also survives the end of the
	// machine (on a volume in a file system it survives that of the process at once), and how many journals are synced at once.
	Pace objects.Pace
	// Held says that row groups are held for processors: those made of other rows than before begin at their first attempts again.
	Held   bool
	Logger *slog.Logger
}

// Set holds the journals of the row groups in work: they keep the finished cells of models, and give back those that an earlier process has
// made. Its methods may be called from any goroutine.
type Set struct {
	config       Config
	stop, synced chan struct{}

	mutex sync.Mutex
	open  map[int64]*Group
}

// NewSet starts the goroutine that syncs the journals; Close ends it.
func NewSet(config Config) *Set {
	s := &Set{config: config, stop: make(chan struct{}), synced: make(chan struct{}), open: make(map[int64]*Group)}
	go s.syncAll()
	return s
}

// syncAll syncs the journals again and again. That it fails is no harm yet: the checkpoint, which does without them, fails too and says so.
func (s *Set) syncAll() {
	defer close(s.synced)
	ticker := time.NewTicker(cmp.Or(s.config.Pace.SyncInterval, time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
		}
		s.mutex.Lock()
		var writers []*Writer
		for _, group := range s.open {
			if writer := group.opened(); writer != nil {
				writers = append(writers, writer)
			}
		}
		s.mutex.Unlock()
		s.checkFence()
		s.sync(writers)
	}
}

// sync syncs journals, some of them at once.
func (s *Set) sync(writers []*Writer) {
	slots := make(chan struct{}, max(1, s.config.Pace.Writers))
	var all sync.WaitGroup
	for _, writer := range writers {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			_ = writer.Sync()
		})
	}
	all.Wait()
}

// checkFence looks, as often as journals are synced, whether this process may still write. Its result is kept by the fence: whoever appends
// to a journal, and the driver, only look there. What can't be read now is left to the next commit.
func (s *Set) checkFence() {
	if s.config.Fence != nil {
		_ = s.config.Fence.Check()
	}
}

// Lost is why this process may no longer write; nil when it may.
func (s *Set) Lost() error {
	if s.config.Fence == nil {
		return nil
	}
	return s.config.Fence.Lost()
}

// Close syncs and closes all journals, and leaves their files.
func (s *Set) Close() {
	close(s.stop)
	<-s.synced
	for index := range s.open {
		s.End(index)
	}
}

// Of returns the journal of a row group in work, nil of any other.
func (s *Set) Of(index int64) *Group {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.open[index]
}

// OfRow returns the journal of the row group of a row.
func (s *Set) OfRow(row table.RowIndex) *Group { return s.Of(int64(row) / s.config.RowGroupSize) }

// Append keeps a finished cell.
func (s *Set) Append(index int64, cell Cell) error {
	group := s.Of(index)
	if group == nil {
		// The run was ended without this task, which had not stopped.
		return context.Canceled
	}
	if err := s.Lost(); err != nil {
		return err
	}
	writer, err := group.opening()
	if err != nil {
		return err
	}
	if err := writer.Append(cell); err != nil {
		return s.config.WriteFailure(err, index)
	}
	return nil
}

// AppendFailed keeps what a cell has cost that was given up, so that a kill does not take it out of the usage. That it can't be written is
// no harm yet: the checkpoint fails too and says so.
func (s *Set) AppendFailed(index int64, cell Cell) {
	group := s.Of(index)
	if cell.Usage.Succeeded == 0 || group == nil || s.Lost() != nil {
		return
	}
	cell.Failed = true
	if writer, err := group.opening(); err == nil {
		_ = writer.Append(cell)
	}
}

// Size is how many bytes the journal of a row group has.
func (s *Set) Size(index int64) int64 {
	group := s.Of(index)
	if group == nil {
		return 0
	}
	if writer := group.opened(); writer != nil {
		return writer.Size()
	}
	return group.whole
}

// End closes the journal of a row group in which nothing runs any more.
func (s *Set) End(index int64) {
	group := s.Of(index)
	if group == nil {
		return
	}
	if writer := group.closing(); writer != nil {
		_ = writer.Sync()
		_ = writer.Close()
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.open, index)
}

// Remove closes and removes the journal of a row group that is in the store as a whole.
func (s *Set) Remove(index int64) error {
	group := s.Of(index)
	if group == nil {
		return nil
	}
	writer := group.closing()
	if writer != nil {
		_ = writer.Close()
	}
	s.mutex.Lock()
	delete(s.open, index)
	s.mutex.Unlock()
	if writer == nil && group.whole == 0 {
		return nil
	}
	return s.config.Files.RemoveJournal(index)
}

// Start says how a row group is made.
type Start struct {
	Index int64
	// End is the first row after the row group.
	End table.RowIndex
	// Counted is how many bytes of the journal the manifest of the row group has counted the usage of.
	Counted int64
	// OtherRows says that other rows are made than the earlier process was making.
	OtherRows bool
}

// Begin opens the journal of a row group.
func (s *Set) Begin(start Start) (*Group, error) {
	data, err := s.config.Files.ReadJournal(start.Index)
	if err != nil {
		return nil, err
	}
	content := Read(data, s.config.Schema)
	if content.Torn {
		s.config.Logger.Warn("the end of a journal is damaged, as after a crash; its last cells are made again", "rowGroup", start.Index,
			"bytes", len(data), "whole", content.Valid)
	}
	group := s.recovered(start, &content)
	if cells := group.recoveredCells(); cells > 0 {
		s.config.Logger.Info("cells of an earlier process are used", "rowGroup", start.Index, "cells", cells)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.open[start.Index] = group
	return group, nil
}

// recovered is what of a journal is of use.
func (s *Set) recovered(start Start, content *Content) *Group {
	group := &Group{
		set: s, index: start.Index, whole: content.Valid, recovered: make(map[identity][]Cell), givenUp: make(map[identity][]string),
		attempts: make(map[table.RowIndex]int32), turn: make(chan struct{}, 1),
	}
	// Where other rows are to be made than before, columns that are made of all of them are made of others.
	moved := content.End != 0 && content.End != start.End
	others := moved || start.OtherRows
	if len(s.config.Bound) > 0 && (moved || content.End == 0) {
		group.end = start.End
	}
	if !others || !s.config.Held {
		group.attempts = content.Attempts
	}
	for i, cell := range content.Cells {
		key := identity{cell.Row, cell.Ordinal, cell.Attempt}
		switch {
		case cell.Failed && !others:
			group.givenUp[key] = append(group.givenUp[key], cell.Column)
		case !cell.Failed && (!s.config.Bound[cell.Column] || (!others && i >= content.Current)):
			group.recovered[key] = append(group.recovered[key], cell)
		}
		if content.Ends[i] > start.Counted {
			group.usage = runreport.AddColumns(group.usage, runreport.Column{Name: cell.Column, Usage: cell.Usage})
		}
	}
	return group
}
