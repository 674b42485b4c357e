package s3

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"seedloom.dev/seedloom/engine/store/objects"
)

// Objects don't grow, so a log lies in segments: objects with the name of the log, and the number of its byte that they begin with. Only
// the last one is written again, longer each time, until it is large enough.
const (
	segmentMark   = ".+"
	segmentDigits = 16
	// segmentBytes is from which size on a segment is not written again, tailBytes how much is held back at most until a sync.
	segmentBytes = 128 << 10
	tailBytes    = 8 << 20
)

func segmentName(log string, start int64) string {
	return fmt.Sprintf("%s%s%0*d", log, segmentMark, segmentDigits, start)
}

// segmentOf says which log an object is a segment of, and where it begins.
func segmentOf(name string) (log string, start int64, isSegment bool) {
	at := len(name) - segmentDigits - len(segmentMark)
	if at <= 0 || name[at:at+len(segmentMark)] != segmentMark {
		return "", 0, false
	}
	start, err := strconv.ParseInt(name[at+len(segmentMark):], 10, 64)
	return name[:at], start, err == nil && start >= 0
}

// segments are the beginnings of a log's segments, ascending.
func (v *Volume) segments(name string) (starts []int64, err error) {
	err = v.client.list(v.key(name)+segmentMark, false, func(key string, _ bool) {
		if log, start, is := segmentOf(key); is && log == v.key(name) {
			starts = append(starts, start)
		}
	})
	slices.Sort(starts)
	return starts, v.named("list", name, err)
}

// isKnown says whether a log may be there: it looks into the folder once.
func (v *Volume) isKnown(name string) (bool, error) {
	folder := path.Dir(name)
	v.logging <- struct{}{}
	defer func() { <-v.logging }()
	if v.logs[folder] == nil {
		known := map[string]bool{}
		err := v.client.list(v.below(folder), true, func(key string, isFolder bool) {
			if log, _, is := segmentOf(strings.TrimPrefix(key, v.below("."))); is && !isFolder {
				known[log] = true
			}
		})
		if err != nil {
			return false, v.named("list", folder, err)
		}
		v.logs[folder] = known
	}
	return v.logs[folder][name], nil
}

// know notes whether a log is there.
func (v *Volume) know(name string, there bool) {
	v.logging <- struct{}{}
	defer func() { <-v.logging }()
	if known := v.logs[path.Dir(name)]; known != nil {
		known[name] = there
	}
}

// ReadLog implements objects.Volume.
func (v *Volume) ReadLog(name string) ([]byte, error) {
	known, err := v.isKnown(name)
	if err != nil {
		return nil, err
	}
	var starts []int64
	if known {
		if starts, err = v.segments(name); err != nil {
			return nil, err
		}
	}
	if len(starts) == 0 {
		return nil, v.named("get", name, fs.ErrNotExist)
	}
	return v.join(name, starts)
}

// join reads segments. What a segment has behind the beginning of the next one was cut off; what is behind a gap is lost.
func (v *Volume) join(name string, starts []int64) ([]byte, error) {
	parts := make([][]byte, len(starts))
	places := make(map[string]int, len(starts))
	keys := make([]string, len(starts))
	for i, start := range starts {
		keys[i] = segmentName(name, start)
		places[keys[i]] = i
	}
	err := atOnce(keys, func(key string) (err error) {
		parts[places[key]], err = v.Get(key)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed since it was listed
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	whole := []byte{}
	for i, part := range parts {
		at := starts[i] - starts[0]
		if at > int64(len(whole)) {
			break
		}
		whole = append(whole[:at], part...)
	}
	return whole, nil
}

// RemoveLog implements objects.Volume.
func (v *Volume) RemoveLog(name string) error {
	known, err := v.isKnown(name)
	if err != nil || !known {
		return err
	}
	starts, err := v.segments(name)
	if err != nil {
		return err
	}
	if err := v.removeSegments(name, starts); err != nil {
		return err
	}
	v.know(name, false)
	return nil
}

// removeSegments removes segments, the last ones first: what a kill leaves is the beginning of the log.
func (v *Volume) removeSegments(name string, starts []int64) error {
	for _, start := range slices.Backward(starts) {
		if err := v.client.remove(v.key(segmentName(name, start))); err != nil {
			return v.named("remove", name, err)
		}
	}
	return nil
}

// log is a log that is appended to.
type log struct {
	volume *Volume
	name   string
	// uploading is held by the one who uploads: a channel, since that may take long.
	uploading chan struct{}

	mutex sync.Mutex
	// start is where the last segment begins, tail its content, of which so many bytes are in the store.
	start    int64
	tail     []byte
	uploaded int
}

// Append implements objects.Volume.
func (v *Volume) Append(name string, from int64) (objects.Log, error) {
	starts, err := v.segments(name)
	if err != nil {
		return nil, err
	}
	opened := &log{volume: v, name: name, uploading: make(chan struct{}, 1)}
	kept := len(starts)
	for kept > 0 && (starts[kept-1] > from || from == 0) {
		kept--
	}
	if err := v.removeSegments(name, starts[kept:]); err != nil {
		return nil, err
	}
	if kept > 0 {
		opened.start = starts[kept-1]
		last, err := v.Get(segmentName(name, opened.start))
		if err != nil {
			return nil, err
		}
		if opened.start+int64(len(last)) < from {
			return nil, v.named("append", name, fmt.Errorf("it has %d bytes, not %d", opened.start+int64(len(last)), from))
		}
		opened.tail = last[:from-opened.start]
	}
	opened.uploaded = -1 // what was cut off is cut off at once, and a log that is new is there
	if err := opened.Sync(); err != nil {
		return nil, err
	}
	v.know(name, true)
	return opened, nil
}

// Write implements objects.Log. What is written waits for the next sync, unless it is a lot.
func (l *log) Write(data []byte) (int, error) {
	l.mutex.Lock()
	before := len(l.tail)
	l.tail = append(l.tail, data...)
	full := len(l.tail) >= tailBytes
	l.mutex.Unlock()
	if !full {
		return len(data), nil
	}
	if err := l.Sync(); err != nil {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		if len(l.tail) == before+len(data) && l.uploaded <= before {
			l.tail = l.tail[:before]
		}
		return 0, err
	}
	return len(data), nil
}

// Sync implements objects.Log.
func (l *log) Sync() error {
	l.uploading <- struct{}{}
	defer func() { <-l.uploading }()
	l.mutex.Lock()
	start, data, uploaded := l.start, l.tail, l.uploaded
	l.mutex.Unlock()
	if len(data) == uploaded {
		return nil
	}
	// What is appended meanwhile lies behind these bytes.
	name := segmentName(l.name, start)
	if _, err := l.volume.client.put(l.volume.key(name), data, condition{}); err != nil {
		return l.volume.named("append", l.name, err)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.uploaded = len(data)
	if len(data) >= segmentBytes {
		l.start, l.tail, l.uploaded = start+int64(len(data)), slices.Clone(l.tail[len(data):]), 0
	}
	return nil
}

// Close implements objects.Log.
func (l *log) Close() error { return l.Sync() }

// Finish implements objects.Log.
func (l *log) Finish() error {
	if err := l.Sync(); err != nil {
		return err
	}
	starts, err := l.volume.segments(l.name)
	if err == nil {
		err = l.volume.compose(l.name, starts)
	}
	if err == nil {
		err = l.volume.removeSegments(l.name, starts)
	}
	l.volume.know(l.name, false)
	return err
}

// compose makes an object of segments. Of large ones only some are in memory at once.
func (v *Volume) compose(name string, starts []int64) error {
	var upload string
	var parts []types.CompletedPart
	var buffer bytes.Buffer
	send := func() (err error) {
		if upload == "" {
			if upload, err = v.client.beginUpload(v.key(name)); err != nil {
				return err
			}
		}
		part, err := v.client.sendPart(v.key(name), upload, int32(len(parts)+1), buffer.Bytes())
		parts = append(parts, part)
		buffer.Reset()
		return err
	}
	for _, start := range starts {
		data, err := v.Get(segmentName(name, start))
		if err == nil {
			buffer.Write(data)
			if buffer.Len() >= v.client.partBytes {
				err = send()
			}
		}
		if err != nil {
			return v.named("put", name, err)
		}
	}
	if upload == "" {
		_, err := v.client.put(v.key(name), buffer.Bytes(), condition{})
		return v.named("put", name, err)
	}
	if buffer.Len() > 0 {
		if err := send(); err != nil {
			return v.named("put", name, err)
		}
	}
	_, repeated, err := v.client.completeUpload(v.key(name), upload, parts, condition{})
	if repeated && errors.Is(err, fs.ErrNotExist) {
		_, err = v.client.tag(v.key(name)) // it is gone because it has come to its end
	}
	return v.named("put", name, err)
}
