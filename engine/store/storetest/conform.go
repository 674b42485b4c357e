package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
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
		"an object is moved over one version once":        conformMoveOver,
		"a folder lists what is right below it":           conformList,
		"a folder with many objects is listed as a whole": conformMany,
		"what is removed is gone":                         conformRemove,
		"a log grows behind the bytes that count":         conformAppend,
		"a log that is finished is an object":             conformFinish,
		"a log of others is not met":                      conformLogsApart,
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
	if _, err := volume.ReadLog("folder/missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadLog: %v", err)
	}
	if err := volume.MoveOver("folder/missing", "folder/there", ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("MoveOver: %v", err)
	}
	check(t, volume.Remove("folder/missing"), volume.RemoveLog("folder/missing"), volume.RemoveAll("folder"))
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
	check(t, open().Put("folder/count", []byte("0 by nobody")))
	number := func(data []byte) (count int) {
		text, _, _ := strings.Cut(string(data), " ")
		count, _ = strconv.Atoi(text)
		return count
	}
	var all sync.WaitGroup
	for process := range processes {
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
				err = volume.Replace("folder/count", fmt.Appendf(nil, "%d by %d", number(data)+1, process), version)
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
	data, err := open().Get("folder/count")
	if err != nil || number(data) != processes*rounds {
		t.Errorf("%d updates are left of %d: %v", number(data), processes*rounds, err)
	}
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

func conformMoveOver(t *testing.T, open func() objects.Volume) {
	volume := open()
	check(t, volume.Put("a/name.next", []byte("first")), volume.MoveOver("a/name.next", "b/name", "")) // none is there
	wantObject(t, open, "b/name", "first")
	version, err := open().Version("b/name")
	check(t, err, volume.Put("a/name.next", []byte("second")), volume.Put("b/name", []byte("between")))
	for _, stale := range []objects.Version{"", version} {
		if err := volume.MoveOver("a/name.next", "b/name", stale); !errors.Is(err, objects.ErrChanged) {
			t.Errorf("another was put in between: %v", err)
		}
	}
	wantObject(t, open, "b/name", "between")
	wantObject(t, open, "a/name.next", "second")
	version, err = volume.Version("b/name")
	check(t, err, open().MoveOver("a/name.next", "b/name", version))
	wantObject(t, open, "b/name", "second")
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

// wantLog checks the content of a log, as another process reads it.
func wantLog(t *testing.T, open func() objects.Volume, name, want string) {
	t.Helper()
	reader := open()
	got, err := reader.ReadLog(name)
	if err != nil || string(got) != want {
		t.Errorf("%s is %.60q (%v), want %.60q", name, got, err, want)
	}
	check(t, reader.Close())
}

func conformAppend(t *testing.T, open func() objects.Volume) {
	log, err := open().Append("folder/log", 0)
	check(t, err)
	wantLog(t, open, "folder/log", "")
	for _, line := range []string{"one\n", "two\n", "th"} {
		_, err := log.Write([]byte(line))
		check(t, err, log.Sync())
	}
	check(t, log.Close())
	wantLog(t, open, "folder/log", "one\ntwo\nth")
	again, err := open().Append("folder/log", int64(len("one\ntwo\n")))
	check(t, err)
	wantLog(t, open, "folder/log", "one\ntwo\n")
	_, err = again.Write([]byte("three\n"))
	check(t, err, again.Close())
	wantLog(t, open, "folder/log", "one\ntwo\nthree\n")
	if entries, err := open().List("folder"); err != nil || len(entries) != 1 || entries[0] != (objects.Entry{Name: "log"}) {
		t.Errorf("the folder holds %v: %v", entries, err)
	}
	volume := open()
	last, err := volume.Append("folder/log", 0)
	check(t, err, last.Close(), volume.RemoveLog("folder/log"))
	if _, err := open().ReadLog("folder/log"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// ConformUnsynced holds a kind of volume to what those in file systems promise of logs: what was written is there without a sync.
func ConformUnsynced(t *testing.T, open func() objects.Volume) {
	t.Helper()
	log, err := open().Append("log", 0)
	check(t, err)
	want := ""
	for i := range 100 {
		line := fmt.Sprintln("line", i)
		_, err := log.Write([]byte(line))
		check(t, err)
		want += line
	}
	wantLog(t, open, "log", want)
	check(t, log.Close())
}

// conformFinish writes a log of many parts, as an object store sees it.
func conformFinish(t *testing.T, open func() objects.Volume) {
	log, err := open().Append("folder/log", 0)
	check(t, err)
	var want bytes.Buffer
	for i := range 12 {
		part := bytes.Repeat([]byte{byte('a' + i)}, 1+i%4*300_000)
		want.Write(part)
		_, err := log.Write(part)
		check(t, err)
		if i%3 > 0 {
			check(t, log.Sync())
		}
	}
	check(t, log.Finish())
	got, err := open().Get("folder/log")
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes came back of %d: %v", len(got), want.Len(), err)
	}
	if entries, err := open().List("folder"); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v: %v", entries, err)
	}
}

// conformLogsApart has logs beside each other whose names begin alike.
func conformLogsApart(t *testing.T, open func() objects.Volume) {
	volume := open()
	names := []string{"folder/1", "folder/10", "folder/1.jsonl", "folder/1.jsonl.next"}
	for _, name := range names {
		log, err := volume.Append(name, 0)
		check(t, err)
		_, err = log.Write([]byte(name))
		check(t, err, log.Close())
	}
	check(t, volume.RemoveLog("folder/1"))
	for _, name := range names[1:] {
		wantLog(t, open, name, name)
	}
	check(t, volume.RemoveAll("folder"))
	if entries, err := open().List("folder"); err != nil || len(entries) > 0 {
		t.Errorf("the folder holds %v: %v", entries, err)
	}
}

// conformLarge writes objects of several parts, as an object store sees them, in each way. Conditions hold for them too.
func conformLarge(t *testing.T, open func() objects.Volume) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 17<<20/16)
	volume := open()
	check(t, volume.Put("large", large))
	want := func(first byte) {
		t.Helper()
		got, err := open().Get("large")
		if large[0] = first; err != nil || !bytes.Equal(got, large) {
			t.Fatalf("%d bytes came back of %d: %v", len(got), len(large), err)
		}
	}
	want('0')
	large[0] = 'n'
	if err := volume.PutNew("large", large); !errors.Is(err, fs.ErrExist) {
		t.Errorf("PutNew: %v", err)
	}
	if err := volume.Replace("large", large, ""); !errors.Is(err, objects.ErrChanged) {
		t.Errorf("Replace of none: %v", err)
	}
	want('0')
	version, err := volume.Version("large")
	large[0] = 'r'
	check(t, err, volume.Replace("large", large, version))
	want('r')
	large[0] = 's'
	if err := volume.Replace("large", large, version); !errors.Is(err, objects.ErrChanged) {
		t.Errorf("Replace of an old version: %v", err)
	}
	want('r')
	large[0] = 'm'
	check(t, volume.PutNew("next", large), volume.Move("next", "large"))
	want('m')
}

func conformLead(t *testing.T, open func() objects.Volume) {
	for range 2 {
		check(t, open().Lead("latest"))
	}
}
