package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"seedloom.dev/seedloom/engine/store/objects"
)

// Conform holds a kind of volume to what objects.Volume promises. newFolder returns an empty folder: each call of what it returns opens it
// anew, as another process does. What an end of the process or the machine leaves is not tried here: see package memory for a volume on
// which it can be.
func Conform(t *testing.T, newFolder func(t *testing.T) (open func() objects.Volume)) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, func() objects.Volume){
		"an object is there once it was put":              conformPut,
		"an object that is missing is told apart":         conformMissing,
		"of many that put a new object, one succeeds":     conformPutNew,
		"a version is replaced once":                      conformReplace,
		"no update is lost between those that race":       conformReplaceRace,
		"a reader meets a whole object":                   conformAtomicity,
		"an object that is moved takes the other's place": conformMove,
		"a folder lists what is right below it":           conformList,
		"a folder with many objects is listed as a whole": conformMany,
		"what is removed is gone":                         conformRemove,
		"a log grows behind the bytes that count":         conformAppend,
		"writes to a log are there without a sync":        conformAppendUnsynced,
		"a large object comes back as it was":             conformLarge,
		"a name beside the folder leads to it":            conformLead,
	} {
		t.Run(name, func(t *testing.T) { test(t, newFolder(t)) })
	}
}

func check(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// wantObject checks the content of an object, as another process reads it.
func wantObject(t *testing.T, open func() objects.Volume, name, want string) {
	t.Helper()
	reader := open()
	got, err := reader.Get(name)
	if err != nil || string(got) != want {
		t.Errorf("%s is %.60q (%v), want %.60q", name, got, err, want)
	}
	check(t, reader.Close())
}

func conformPut(t *testing.T, open func() objects.Volume) {
	volume := open()
	for _, content := range []string{"first", "", "a longer second"} {
		check(t, volume.Put("folder/below/name.json", []byte(content)), volume.Put("top", []byte(content)))
		wantObject(t, open, "folder/below/name.json", content)
		wantObject(t, open, "top", content)
	}
	check(t, volume.Tidy())
	wantObject(t, open, "top", "a longer second")
}

func conformMissing(t *testing.T, open func() objects.Volume) {
	volume := open()
	if _, err := volume.Get("folder/missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get: %v", err)
	}
	if version, err := volume.Version("folder/missing"); version != "" || err != nil {
		t.Errorf("Version: %q, %v", version, err)
	}
	if err := volume.Move("folder/missing", "folder/there"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Move: %v", err)
	}
	if entries, err := volume.List("folder"); len(entries) > 0 || err != nil {
		t.Errorf("List: %v, %v", entries, err)
	}
	check(t, volume.Remove("folder/missing"), volume.RemoveAll("folder"))
}

func conformPutNew(t *testing.T, open func() objects.Volume) {
	for round := range 20 {
		name := fmt.Sprintf("folder/%d", round)
		var winners atomic.Int32
		var won atomic.Value
		var all sync.WaitGroup
		for process := range 8 {
			volume := open()
			all.Go(func() {
				err := volume.PutNew(name, []byte(strconv.Itoa(process)))
				if err == nil {
					winners.Add(1)
					won.Store(strconv.Itoa(process))
				} else if !errors.Is(err, fs.ErrExist) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if winners.Load() != 1 {
			t.Fatalf("%d processes have put %s", winners.Load(), name)
		}
		wantObject(t, open, name, won.Load().(string))
	}
}

func conformReplace(t *testing.T, open func() objects.Volume) {
	volume := open()
	check(t, volume.Replace("name", []byte("first"), "")) // none is there
	if err := volume.Replace("name", []byte("second"), ""); !errors.Is(err, objects.ErrChanged) {
		t.Errorf("one was there: %v", err)
	}
	version, err := open().Version("name")
	check(t, err, volume.Put("name", []byte("between")))
	if err := volume.Replace("name", []byte("second"), version); !errors.Is(err, objects.ErrChanged) {
		t.Errorf("another was put in between: %v", err)
	}
	wantObject(t, open, "name", "between")
	version, err = volume.Version("name")
	check(t, err, volume.Replace("name", []byte("second"), version))
	wantObject(t, open, "name", "second")
	version, err = volume.Version("name")
	check(t, err, volume.Remove("name"))
	if err := volume.Replace("name", []byte("third"), version); !errors.Is(err, objects.ErrChanged) {
		t.Errorf("it was removed in between: %v", err)
	}
}

func conformReplaceRace(t *testing.T, open func() objects.Volume) {
	const processes, rounds = 6, 10
	check(t, open().Put("folder/count", []byte("0")))
	var all sync.WaitGroup
	for range processes {
		volume := open()
		all.Go(func() {
			for added := 0; added < rounds; {
				version, err := volume.Version("folder/count")
				if err != nil {
					t.Error(err)
					return
				}
				data, err := volume.Get("folder/count")
				if err != nil {
					t.Error(err)
					return
				}
				// The content may be newer than the version; then the version is not there any more.
				count, _ := strconv.Atoi(string(data))
				err = volume.Replace("folder/count", []byte(strconv.Itoa(count+1)), version)
				switch {
				case err == nil:
					added++
				case !errors.Is(err, objects.ErrChanged):
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	wantObject(t, open, "folder/count", strconv.Itoa(processes*rounds))
}

func conformAtomicity(t *testing.T, open func() objects.Volume) {
	contents := [][]byte{bytes.Repeat([]byte("a"), 100_000), bytes.Repeat([]byte("b"), 10), {}}
	writer := open()
	check(t, writer.Put("folder/name", contents[0]), writer.Put("folder/next", contents[1]))
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		reader := open()
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				data, err := reader.Get("folder/name")
				if err != nil || !slices.ContainsFunc(contents, func(content []byte) bool { return bytes.Equal(content, data) }) {
					t.Errorf("%d bytes were read: %v", len(data), err)
					return
				}
			}
		})
	}
	for round := range 30 {
		content := contents[round%len(contents)]
		if round%2 == 0 {
			check(t, writer.Put("folder/name", content))
		} else {
			check(t, writer.Put("folder/next", content), writer.Move("folder/next", "folder/name"))
		}
	}
	close(done)
	readers.Wait()
}

func conformMove(t *testing.T, open func() objects.Volume) {
	volume := open()
	check(t, volume.Put("a/name.next", []byte("new")), volume.Put("b/name", []byte("old")), volume.Move("a/name.next", "b/name"))
	wantObject(t, open, "b/name", "new")
	if _, err := volume.Get("a/name.next"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old name: %v", err)
	}
}

func conformList(t *testing.T, open func() objects.Volume) {
	volume := open()
	for _, name := range []string{"z", "a/2", "a/10", "a/b/c/d", "ab/3", "a.json"} {
		check(t, volume.Put(name, nil))
	}
	for folder, want := range map[string][]objects.Entry{
		"a":   {{Name: "10"}, {Name: "2"}, {Name: "b", Folder: true}},
		"a/b": {{Name: "c", Folder: true}},
		".":   {{Name: "a", Folder: true}, {Name: "a.json"}, {Name: "ab", Folder: true}, {Name: "z"}},
	} {
		if got, err := open().List(folder); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s holds %v (%v), want %v", folder, got, err, want)
		}
	}
}

// conformMany lists more objects than an object store gives in one answer.
func conformMany(t *testing.T, open func() objects.Volume) {
	const count = 1100
	volume := open()
	var all sync.WaitGroup
	for part := range 4 {
		all.Go(func() {
			for i := part; i < count; i += 4 {
				if err := volume.Put(fmt.Sprintf("folder/%05d.json", i), []byte("{}")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	entries, err := volume.List("folder")
	if err != nil || len(entries) != count || entries[count-1].Name != fmt.Sprintf("%05d.json", count-1) {
		t.Errorf("%d objects are listed, want %d: %v", len(entries), count, err)
	}
}

func conformRemove(t *testing.T, open func() objects.Volume) {
	volume := open()
	for _, name := range []string{"a/1", "a/b/2", "ab/3"} {
		check(t, volume.Put(name, []byte(name)))
	}
	check(t, volume.Remove("ab/3"), volume.RemoveAll("a"))
	for _, name := range []string{"a/1", "a/b/2", "ab/3"} {
		if _, err := open().Get(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, err := volume.List("a"); len(entries) > 0 || err != nil {
		t.Errorf("a still holds %v: %v", entries, err)
	}
}

func conformAppend(t *testing.T, open func() objects.Volume) {
	log, err := open().Append("folder/log", 0)
	check(t, err)
	wantObject(t, open, "folder/log", "")
	for _, line := range []string{"one\n", "two\n", "th"} {
		_, err := log.Write([]byte(line))
		check(t, err, log.Sync())
	}
	check(t, log.Close())
	wantObject(t, open, "folder/log", "one\ntwo\nth")
	again, err := open().Append("folder/log", int64(len("one\ntwo\n")))
	check(t, err)
	_, err = again.Write([]byte("three\n"))
	check(t, err, again.Close())
	wantObject(t, open, "folder/log", "one\ntwo\nthree\n")
}

func conformAppendUnsynced(t *testing.T, open func() objects.Volume) {
	log, err := open().Append("log", 0)
	check(t, err)
	want := ""
	for i := range 100 {
		line := fmt.Sprintln("line", i)
		_, err := log.Write([]byte(line))
		check(t, err)
		want += line
	}
	wantObject(t, open, "log", want)
	check(t, log.Close())
}

// conformLarge writes an object of several parts, as an object store sees it.
func conformLarge(t *testing.T, open func() objects.Volume) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 20<<20/16)
	volume := open()
	check(t, volume.Put("large", large))
	got, err := open().Get("large")
	if err != nil || !bytes.Equal(got, large) {
		t.Errorf("%d bytes came back of %d: %v", len(got), len(large), err)
	}
}

func conformLead(t *testing.T, open func() objects.Volume) {
	for range 2 {
		check(t, open().Lead("latest"))
	}
}
