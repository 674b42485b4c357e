// Package memory simulates a volume, and the machine that it belongs to: it counts operations, can stop at any of them as a kill or a loss
// of power does, and comes back with what such an end leaves. It is for tests; nothing in it is written anywhere.
package memory

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"seedloom.dev/seedloom/engine/store/objects"
)

// ErrStopped is the error of all operations after the machine has stopped.
var ErrStopped = errors.New("the machine has stopped")

// End is how a machine stops.
type End int

// The ends. With each of them the operation at which it comes is done, or not.
const (
	// KillBefore and KillAfter are the end of the process alone: what was written is there, synced or not.
	KillBefore End = iota
	KillAfter
	// PowerBefore and PowerAfter are the end of the machine: of logs, half of what was not synced is lost, and objects that were removed come
	// back unless another one was written into their folder since.
	PowerBefore
	PowerAfter
)

// Ends are all ends.
var Ends = []End{KillBefore, KillAfter, PowerBefore, PowerAfter}

// String returns the name of the end.
func (e End) String() string {
	return [...]string{"a kill before", "a kill after", "a loss of power before", "a loss of power after"}[e]
}

func (e End) after() bool { return e == KillAfter || e == PowerAfter }

func (e End) losesPower() bool { return e == PowerBefore || e == PowerAfter }

type object struct {
	data []byte
	// synced is how many bytes survive the loss of power.
	synced int
	// written is the number of writes to the object, so that no version comes twice.
	written int
}

// Disk is what several processes share. Its methods may be called from any goroutine.
type Disk struct {
	mutex   sync.Mutex
	objects map[string]*object
	// removed are objects whose removal may be undone by a loss of power.
	removed map[string]*object
	leads   map[string]bool
	// operations counts those that change something.
	operations int
	// stopAt is the number of the operation at which the machine stops; 0 is none.
	stopAt  int
	end     End
	stopped bool
	writes  int
	pace    objects.Pace
}

// New returns an empty disk.
func New() *Disk {
	return &Disk{
		objects: make(map[string]*object), removed: make(map[string]*object), leads: make(map[string]bool),
		pace: objects.Pace{SyncInterval: time.Second},
	}
}

// NewBucket returns an empty disk that is best worked with as a bucket is.
func NewBucket() *Disk {
	disk := New()
	disk.pace.MoveCopies = true
	return disk
}

// Operations is how many operations have changed something, or tried to.
func (d *Disk) Operations() int {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.operations
}

// StopAt has the machine stop at the operation with a number, from 1, counted from now on.
func (d *Disk) StopAt(operation int, end End) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.stopAt, d.end = d.operations+operation, end
}

// Restart starts the machine again, with what its end has left.
func (d *Disk) Restart() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.stopped && d.end.losesPower() {
		for _, object := range d.objects {
			object.data = object.data[:object.synced+(len(object.data)-object.synced)/2]
		}
		maps.Copy(d.objects, d.removed)
	}
	for _, object := range d.objects {
		object.synced = len(object.data)
	}
	clear(d.removed)
	d.stopAt, d.stopped = 0, false
}

// Open returns the disk as a process has it.
func (d *Disk) Open() objects.Volume { return &volume{d} }

// Leads says whether a name beside the folder leads to it.
func (d *Disk) Leads(name string) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.leads[name]
}

// Names returns the names of all objects.
func (d *Disk) Names() []string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return slices.Sorted(maps.Keys(d.objects))
}

// change does an operation, unless the machine has stopped or stops before it.
func (d *Disk) change(operation func() error) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.stopped {
		return ErrStopped
	}
	d.operations++
	if d.operations != d.stopAt {
		return operation()
	}
	d.stopped = true
	if d.end.after() {
		_ = operation() // nobody is there any more to be told
	}
	return ErrStopped
}

// look reads, unless the machine has stopped.
func (d *Disk) look(read func() error) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.stopped {
		return ErrStopped
	}
	return read()
}

// put is called with the mutex held.
func (d *Disk) put(name string, data []byte) {
	d.writes++
	d.objects[name] = &object{data: bytes.Clone(data), synced: len(data), written: d.writes}
	// What is written into a folder takes the removals before it along.
	maps.DeleteFunc(d.removed, func(removed string, _ *object) bool { return removed == name || path.Dir(removed) == path.Dir(name) })
}

// remove is called with the mutex held.
func (d *Disk) remove(name string) {
	if object := d.objects[name]; object != nil {
		d.removed[name] = object
		delete(d.objects, name)
	}
}

func (d *Disk) versionOf(name string) objects.Version {
	object := d.objects[name]
	if object == nil {
		return ""
	}
	return objects.Version(strconv.Itoa(object.written) + "-" + strconv.Itoa(len(object.data)))
}

func missing(operation, name string) error {
	return &fs.PathError{Op: operation, Path: name, Err: fs.ErrNotExist}
}

// volume is a disk as a process has it.
type volume struct{ disk *Disk }

var _ objects.Volume = (*volume)(nil)

// Get implements objects.Volume.
func (v *volume) Get(name string) (data []byte, err error) {
	err = v.disk.look(func() error {
		found := v.disk.objects[name]
		if found == nil {
			return missing("get", name)
		}
		data = slices.Concat([]byte{}, found.data)
		return nil
	})
	return data, err
}

// Version implements objects.Volume.
func (v *volume) Version(name string) (version objects.Version, err error) {
	err = v.disk.look(func() error {
		version = v.disk.versionOf(name)
		return nil
	})
	return version, err
}

// Put implements objects.Volume.
func (v *volume) Put(name string, data []byte) error {
	return v.disk.change(func() error {
		v.disk.put(name, data)
		return nil
	})
}

// PutNew implements objects.Volume.
func (v *volume) PutNew(name string, data []byte) error {
	return v.disk.change(func() error {
		if v.disk.objects[name] != nil {
			return &fs.PathError{Op: "put", Path: name, Err: fs.ErrExist}
		}
		v.disk.put(name, data)
		return nil
	})
}

// Replace implements objects.Volume.
func (v *volume) Replace(name string, data []byte, version objects.Version) error {
	return v.disk.change(func() error {
		if v.disk.versionOf(name) != version {
			return &fs.PathError{Op: "replace", Path: name, Err: objects.ErrChanged}
		}
		v.disk.put(name, data)
		return nil
	})
}

// Move implements objects.Volume. As in an object store, it is a copy and a removal, between which the machine may stop.
func (v *volume) Move(from, to string) error {
	err := v.disk.change(func() error {
		found := v.disk.objects[from]
		if found == nil {
			return missing("move", from)
		}
		v.disk.put(to, found.data)
		return nil
	})
	if err != nil {
		return err
	}
	return v.Remove(from)
}

// MoveOver implements objects.Volume.
func (v *volume) MoveOver(from, to string, version objects.Version) error {
	err := v.disk.change(func() error {
		found := v.disk.objects[from]
		if found == nil {
			return missing("move", from)
		}
		if v.disk.versionOf(to) != version {
			return &fs.PathError{Op: "move", Path: to, Err: objects.ErrChanged}
		}
		v.disk.put(to, found.data)
		return nil
	})
	if err != nil {
		return err
	}
	return v.Remove(from)
}

// Remove implements objects.Volume.
func (v *volume) Remove(name string) error {
	return v.disk.change(func() error {
		v.disk.remove(name)
		return nil
	})
}

// RemoveAll implements objects.Volume.
func (v *volume) RemoveAll(folder string) error {
	var names []string
	err := v.disk.look(func() error {
		for name := range v.disk.objects {
			if strings.HasPrefix(name, folder+"/") {
				names = append(names, name)
			}
		}
		return nil
	})
	slices.Sort(names)
	for _, name := range names {
		if err == nil {
			err = v.Remove(name)
		}
	}
	return err
}

// List implements objects.Volume.
func (v *volume) List(folder string) (entries []objects.Entry, err error) {
	prefix := folder + "/"
	if folder == "." {
		prefix = ""
	}
	err = v.disk.look(func() error {
		for name := range v.disk.objects {
			if rest, below := strings.CutPrefix(name, prefix); below {
				first, _, deeper := strings.Cut(rest, "/")
				entries = append(entries, objects.Entry{Name: first, Folder: deeper})
			}
		}
		return nil
	})
	slices.SortFunc(entries, func(a, b objects.Entry) int { return strings.Compare(a.Name, b.Name) })
	return slices.Compact(entries), err
}

// Lead implements objects.Volume.
func (v *volume) Lead(name string) error {
	return v.disk.change(func() error {
		v.disk.leads[name] = true
		return nil
	})
}

// Tidy implements objects.Volume. Nothing is ever left half written.
func (v *volume) Tidy() error { return v.disk.look(func() error { return nil }) }

// Close implements objects.Volume.
func (v *volume) Close() error { return nil }

// Append implements objects.Volume.
func (v *volume) Append(name string, from int64) (objects.Log, error) {
	err := v.disk.change(func() error {
		found := v.disk.objects[name]
		if found == nil {
			v.disk.put(name, nil)
			found = v.disk.objects[name]
		}
		found.data = found.data[:from]
		found.synced = min(found.synced, int(from))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &log{v.disk, name}, nil
}

// ReadLog implements objects.Volume. A log is an object like others.
func (v *volume) ReadLog(name string) ([]byte, error) { return v.Get(name) }

// RemoveLog implements objects.Volume.
func (v *volume) RemoveLog(name string) error { return v.Remove(name) }

// Pace implements objects.Volume.
func (v *volume) Pace() objects.Pace { return v.disk.pace }

// log is an object that grows.
type log struct {
	disk *Disk
	name string
}

// Write implements objects.Log.
func (l *log) Write(data []byte) (int, error) {
	err := l.disk.change(func() error {
		found := l.disk.objects[l.name]
		if found == nil {
			return nil // was removed, and is still written to
		}
		found.data = append(found.data, data...)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(data), nil
}

// Sync implements objects.Log.
func (l *log) Sync() error {
	return l.disk.change(func() error {
		if found := l.disk.objects[l.name]; found != nil {
			found.synced = len(found.data)
		}
		return nil
	})
}

// Close implements objects.Log.
func (l *log) Close() error { return nil }

// Finish implements objects.Log.
func (l *log) Finish() error { return nil }
