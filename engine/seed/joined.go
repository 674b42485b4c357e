package seed

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"

	"seedloom.dev/seedloom/engine/seed/files"
)

const (
	// maxOpen is how many of several files are open at most while nobody reads them.
	maxOpen = 64
	// keptBase is where the bytes begin that some of the files have become, beyond those of all files.
	keptBase = 1 << 62
)

// joined are several files, one after the other, as one. They are opened when they are read. Several goroutines may read.
type joined struct {
	folder Folder
	list   []files.File
	// ends says where each file ends.
	ends []int64
	// kept holds what compressed files have become; nil without any.
	kept *spool

	mutex sync.Mutex
	open  map[int]*openFile
}

// openFile is a file that was opened, and how many are reading it.
type openFile struct {
	content files.Content
	readers int
}

// join returns files as one. It owns the folder.
func join(folder Folder, list []files.File) *joined {
	j := &joined{folder: folder, list: list, ends: make([]int64, len(list)), open: map[int]*openFile{}}
	end := int64(0)
	for i, one := range list {
		end += one.Size
		j.ends[i] = end
	}
	return j
}

// start is where a file begins.
func (j *joined) start(number int) int64 { return j.ends[number] - j.list[number].Size }

// ReadAt reads from one file, and on from the next.
func (j *joined) ReadAt(to []byte, offset int64) (int, error) {
	if offset >= keptBase {
		return j.kept.ReadAt(to, offset-keptBase)
	}
	count := 0
	for count < len(to) {
		number := sort.Search(len(j.ends), func(number int) bool { return j.ends[number] > offset })
		if number == len(j.ends) {
			return count, io.EOF
		}
		wanted := min(int64(len(to)-count), j.ends[number]-offset)
		if err := j.read(number, to[count:count+int(wanted)], offset-j.start(number)); err != nil {
			return count, fmt.Errorf("%s: %w", j.list[number].Path, err)
		}
		count += int(wanted)
		offset += wanted
	}
	return count, nil
}

// read fills a buffer from one file.
func (j *joined) read(number int, to []byte, offset int64) error {
	opened, err := j.acquire(number)
	if err != nil {
		return err
	}
	defer j.release(opened)
	if count, err := opened.content.ReadAt(to, offset); count < len(to) {
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	return nil
}

func (j *joined) acquire(number int) (*openFile, error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if opened := j.open[number]; opened != nil {
		opened.readers++
		return opened, nil
	}
	for other, opened := range j.open {
		if len(j.open) < maxOpen {
			break
		}
		if opened.readers == 0 {
			_ = opened.content.Close() // was only read
			delete(j.open, other)
		}
	}
	content, size, err := j.folder.Open(j.list[number].Path)
	if err != nil {
		return nil, err
	}
	if size != j.list[number].Size {
		return nil, errors.Join(fmt.Errorf("it has %d bytes, and had %d when the run began", size, j.list[number].Size), content.Close())
	}
	j.open[number] = &openFile{content, 1}
	return j.open[number], nil
}

func (j *joined) release(opened *openFile) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	opened.readers--
}

// flush is called before what was kept is read.
func (j *joined) flush() error {
	if j.kept == nil {
		return nil
	}
	return j.kept.flush()
}

// Close releases the files, and removes what was kept of them.
func (j *joined) Close() error {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	err := j.folder.Close()
	for _, opened := range j.open {
		err = errors.Join(err, opened.content.Close())
	}
	if j.kept != nil {
		err = errors.Join(err, j.kept.Close())
	}
	return err
}
