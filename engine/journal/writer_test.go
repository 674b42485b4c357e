package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"seedloom.dev/seedloom/engine/journal"
	"seedloom.dev/seedloom/engine/table"
)

// slowFile takes a second for each write. Those with the numbers in fails fail.
type slowFile struct {
	mutex   sync.Mutex
	content bytes.Buffer
	writes  int
	fails   map[int]bool
}

var errFull = errors.New("the volume is full")

func (f *slowFile) Write(data []byte) (int, error) {
	time.Sleep(time.Second)
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.writes++
	if f.fails[f.writes] {
		return 0, errFull
	}
	return f.content.Write(data)
}

func (f *slowFile) has(text string) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return bytes.Contains(f.content.Bytes(), []byte(text))
}

func (f *slowFile) Sync() error  { return nil }
func (f *slowFile) Close() error { return nil }

// TestCellsThatComeDuringAWriteShareTheNext appends a cell, and many more while it is being written: one write takes them all along, and
// each is in the file once its append has returned.
func TestCellsThatComeDuringAWriteShareTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := &slowFile{}
		writer := journal.NewWriter(file, 0)
		var all sync.WaitGroup
		for row := range 17 {
			all.Go(func() {
				if row > 0 {
					time.Sleep(100 * time.Millisecond)
				}
				if err := writer.Append(journal.Cell{Row: table.RowIndex(row), Column: "text", Value: "value"}); err != nil {
					t.Error(err)
				}
				if !file.has(fmt.Sprintf(`"row":%d,`, row)) {
					t.Errorf("row %d is not in the file", row)
				}
			})
		}
		began := time.Now()
		all.Wait()
		if took := time.Since(began); file.writes != 2 || took != 2*time.Second {
			t.Errorf("%d writes took %v", file.writes, took)
		}
		content := journal.Read(file.content.Bytes(), schema)
		if len(content.Cells) != 17 || content.Torn || writer.Size() != int64(file.content.Len()) {
			t.Errorf("%d cells are in the file, %d bytes of %d", len(content.Cells), writer.Size(), file.content.Len())
		}
	})
}

// TestAWriteThatFailsFailsForAllThatWaitForIt has the write fail that several wait for, and no other.
func TestAWriteThatFailsFailsForAllThatWaitForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := &slowFile{fails: map[int]bool{2: true}}
		writer := journal.NewWriter(file, 0)
		errs := make([]error, 5)
		var all sync.WaitGroup
		for row := range errs {
			all.Go(func() {
				time.Sleep([]time.Duration{0, 100 * time.Millisecond, 100 * time.Millisecond, 1100 * time.Millisecond, 2500 * time.Millisecond}[row])
				errs[row] = writer.Append(journal.Cell{Row: table.RowIndex(row), Column: "text", Value: "value"})
			})
		}
		all.Wait()
		for row, err := range errs {
			if lost := row == 1 || row == 2; lost != errors.Is(err, errFull) || !lost && err != nil {
				t.Errorf("row %d: %v", row, err)
			}
		}
		if content := journal.Read(file.content.Bytes(), schema); len(content.Cells) != 3 || writer.Size() != content.Valid {
			t.Errorf("the file has %+v", content.Cells)
		}
	})
}

func BenchmarkAppendByMany(b *testing.B) {
	file, err := os.OpenFile(filepath.Join(b.TempDir(), "journal"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	writer := journal.NewWriter(file, 0)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(next *testing.PB) {
		for next.Next() {
			if err := writer.Append(cells[0]); err != nil {
				b.Fatal(err)
			}
		}
	})
	if err := writer.Close(); err != nil {
		b.Fatal(err)
	}
}
