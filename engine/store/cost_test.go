package store_test

import (
	"fmt"
	"testing"

	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/memory"
	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/table"
)

// counted counts what is asked of a volume.
type counted struct {
	objects.Volume
	puts, moves, removals, lists, logs int
}

func (c *counted) Put(name string, data []byte) error {
	c.puts++
	return c.Volume.Put(name, data)
}

func (c *counted) Move(from, to string) error {
	c.moves++
	return c.Volume.Move(from, to)
}

func (c *counted) MoveOver(from, to string, version objects.Version) error {
	c.moves++
	return c.Volume.MoveOver(from, to, version)
}

func (c *counted) Remove(name string) error {
	c.removals++
	return c.Volume.Remove(name)
}

func (c *counted) List(folder string) ([]objects.Entry, error) {
	c.lists++
	return c.Volume.List(folder)
}

func (c *counted) Append(name string, from int64) (objects.Log, error) {
	c.logs++
	return c.Volume.Append(name, from)
}

// TestWhatACommitCosts holds a commit to two writes and two renames, each of which syncs: that of the rows, and that of the manifest.
func TestWhatACommitCosts(t *testing.T) {
	s := store.On(memory.New().Open(), "ns/ds/0123", layout)
	if _, err := s.TakeFence("ds-1", 1, 0); err != nil {
		t.Fatal(err)
	}
	count := &counted{}
	s.Through(func(below store.Volume) store.Volume { count.Volume = below; return count })
	commit(t, s, 0, 0, 10)
	// The file with dropped columns, which there isn't any more, is removed.
	if count.puts != 2 || count.moves != 2 || count.removals > 1 || count.lists+count.logs != 0 {
		t.Errorf("a commit asks for %+v", *count)
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, rows := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d rows", rows), func(b *testing.B) {
			s, err := store.Open(b.TempDir(), "ns/ds/0123", layout)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			var content []*table.Record
			content = append(content, records(0, rows)...)
			b.ReportAllocs()
			for index := int64(0); b.Loop(); index++ {
				if err := s.Commit(manifest(index, 0, rows), store.Content{Records: content}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
