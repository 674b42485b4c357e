// Package s3 keeps objects in a bucket of a store that speaks the S3 protocol: keys, conditions of writes, multipart uploads, the segments
// of logs and the tries of a request are known here and nowhere else. What the objects mean is not.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"seedloom.dev/seedloom/engine/store/objects"
)

// Location says where a bucket is, and how it is talked to.
type Location struct {
	Bucket string
	// Prefix stands before all keys, without a slash at its ends; it may be empty.
	Prefix string
	// Endpoint is the URL of the store; empty is Amazon's, in the region.
	Endpoint string
	// Region is empty where the environment says it; else that of a store of one's own hardly matters.
	Region string
	// VirtualHosted has the bucket in the name of the host, and not in the path. At Amazon's it is so anyhow.
	VirtualHosted bool
	// CABundle are certificates in PEM, by one of which that of the endpoint must be signed; empty are those of the system.
	CABundle []byte
	// Encryption is how the store is asked to encrypt objects, as the header x-amz-server-side-encryption has it; empty leaves it to the
	// bucket. Key is the identifier of a key of the store's key management; empty is its default.
	Encryption, Key string
	// CredentialsDirectory has the files of a Secret with the credentials (see the constants). Where it is empty, the credentials are those of
	// the environment: variables, the user's files, a role of the Pod or the machine.
	CredentialsDirectory string
	// Transport carries the requests.
	Transport http.RoundTripper
	// Patience is how long a request is tried again, Timeout how long one try may take beside the time for its data. The zero values stand
	// for the defaults.
	Patience, Timeout time.Duration
	// PartBytes is from which size on an object is written in parts, and how large they are; zero stands for the default.
	PartBytes int
}

// String is the address without the endpoint.
func (l *Location) String() string {
	return "s3://" + path.Join(l.Bucket, l.Prefix)
}

const (
	// defaultPartBytes is from which size on an object is written in parts, and how large they are. Stores take no smaller ones than 5 MiB.
	defaultPartBytes = 16 << 20
	// partsAtOnce is how many parts of an object are under way.
	partsAtOnce = 4
	// callsAtOnce is how many requests are under way where many objects are to be read or removed.
	callsAtOnce = 16
	// syncInterval is how old what is written to a log may become before it is in the store. Each upload costs money too.
	syncInterval = 3 * time.Second
)

// Volume is the folder of a dataset in a bucket.
type Volume struct {
	client *client
	// folder is the key of the folder, without a slash at its end.
	folder string
	// recent are the last objects that were put, which are often moved next.
	recent recent

	// logging is held by whoever reads or changes logs: a channel, since to look which there are may take long.
	logging chan struct{}
	// logs are the names of the logs that are known, by their folders; a folder that was never asked about has no entry.
	logs map[string]map[string]bool
}

var _ objects.Volume = (*Volume)(nil)

// Open opens a folder in the bucket. No request is sent yet.
func Open(ctx context.Context, location *Location, folder string) (*Volume, error) {
	client, err := newClient(ctx, location)
	if err != nil {
		return nil, err
	}
	return &Volume{
		client: client, folder: path.Join(location.Prefix, folder), logging: make(chan struct{}, 1), logs: map[string]map[string]bool{},
	}, nil
}

// key is the key of a name.
func (v *Volume) key(name string) string { return path.Join(v.folder, name) }

// below is what the keys of all that is below a folder begin with.
func (v *Volume) below(folder string) string {
	if key := v.key(folder); key != "." && key != "" {
		return key + "/"
	}
	return ""
}

// Pace implements objects.Volume.
func (v *Volume) Pace() objects.Pace {
	return objects.Pace{Writers: callsAtOnce, SyncInterval: syncInterval, MoveCopies: true}
}

// Close implements objects.Volume. What is under way is given up.
func (v *Volume) Close() error {
	v.client.close()
	return nil
}

// Get implements objects.Volume.
func (v *Volume) Get(name string) ([]byte, error) {
	data, _, err := v.client.get(v.key(name))
	return data, v.named("get", name, err)
}

// Version implements objects.Volume. It is the object's entity tag.
func (v *Volume) Version(name string) (objects.Version, error) {
	tag, err := v.client.tag(v.key(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return objects.Version(tag), v.named("look at", name, err)
}

// Put implements objects.Volume.
func (v *Volume) Put(name string, data []byte) error {
	v.recent.forget(name)
	tag, err := v.client.put(v.key(name), data, condition{})
	if err != nil {
		return v.named("put", name, err)
	}
	v.recent.keep(name, tag, data)
	return nil
}

// PutNew implements objects.Volume.
func (v *Volume) PutNew(name string, data []byte) error {
	v.recent.forget(name)
	_, err := v.client.put(v.key(name), data, condition{absent: true})
	if errors.Is(err, errRefused) {
		err = fs.ErrExist
	}
	return v.named("put", name, err)
}

// Replace implements objects.Volume.
func (v *Volume) Replace(name string, data []byte, version objects.Version) error {
	v.recent.forget(name)
	_, err := v.client.put(v.key(name), data, conditionOf(version))
	return v.named("replace", name, changed(err))
}

// conditionOf is that an object has a version.
func conditionOf(version objects.Version) condition {
	return condition{absent: version == "", tag: string(version)}
}

// changed says of a write that was refused that the object is another one, and of one to an object that is gone too.
func changed(err error) error {
	if errors.Is(err, errRefused) || errors.Is(err, fs.ErrNotExist) {
		return objects.ErrChanged
	}
	return err
}

// Move implements objects.Volume: the store copies the object, and then the old name is removed. An object that this volume has put is only
// moved while nobody else has put another one there.
func (v *Volume) Move(from, to string) error {
	known, _ := v.recent.take(from)
	v.recent.forget(to)
	err := v.client.copy(v.key(from), v.key(to), known)
	if errors.Is(err, errRefused) {
		err = objects.ErrChanged
	}
	if err != nil {
		return v.named("move", from, err)
	}
	return v.Remove(from)
}

// MoveOver implements objects.Volume. Few stores know conditions for the target of a copy, so it is written.
func (v *Volume) MoveOver(from, to string, version objects.Version) error {
	_, data := v.recent.take(from)
	if data == nil {
		var err error
		if data, err = v.Get(from); err != nil {
			return err
		}
	}
	if err := v.Replace(to, data, version); err != nil {
		return err
	}
	return v.Remove(from)
}

// Remove implements objects.Volume.
func (v *Volume) Remove(name string) error {
	v.recent.forget(name)
	return v.named("remove", name, v.client.remove(v.key(name)))
}

// RemoveAll implements objects.Volume.
func (v *Volume) RemoveAll(folder string) error {
	return v.named("remove", folder, v.client.removeAll(v.below(folder)))
}

// List implements objects.Volume. The segments of a log are one entry.
func (v *Volume) List(folder string) ([]objects.Entry, error) {
	prefix := v.below(folder)
	var entries []objects.Entry
	err := v.client.list(prefix, true, func(key string, isFolder bool) {
		name := strings.TrimSuffix(strings.TrimPrefix(key, prefix), "/")
		if log, _, isSegment := segmentOf(name); isSegment && !isFolder {
			name = log
		}
		if name != "" { // some programs put objects that stand for folders
			entries = append(entries, objects.Entry{Name: name, Folder: isFolder})
		}
	})
	if err != nil {
		return nil, v.named("list", folder, err)
	}
	slices.SortFunc(entries, func(a, b objects.Entry) int { return strings.Compare(a.Name, b.Name) })
	return slices.Compact(entries), nil
}

// Tidy implements objects.Volume: it gives up the uploads in parts that were cut off. Whoever may not, or can't, has them removed by a rule
// of the bucket.
func (v *Volume) Tidy() error {
	err := v.client.abortUploads(v.below("."))
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return v.named("tidy", ".", err)
}

// Lead implements objects.Volume, by a small object with the name of the folder.
func (v *Volume) Lead(name string) error {
	_, err := v.client.put(path.Join(path.Dir(v.folder), name), []byte(path.Base(v.folder)+"\n"), condition{})
	return v.named("put", name, err)
}

// named adds to an error what was tried.
func (v *Volume) named(operation, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: operation, Path: "s3://" + path.Join(v.client.bucket, v.key(name)), Err: err}
}

// RemoveTree removes all objects below a folder of the bucket, whatever they are.
func RemoveTree(ctx context.Context, location *Location, folder string) error {
	volume, err := Open(ctx, location, folder)
	if err != nil {
		return err
	}
	return errors.Join(volume.Tidy(), volume.RemoveAll("."), volume.Close())
}

// recentObjects and recentBytes bound what is remembered of objects that were put.
const (
	recentObjects = 64
	recentBytes   = 256 << 10
)

// recent remembers the last objects that were put. The zero value is usable.
type recent struct {
	mutex sync.Mutex
	names []string
	found map[string]written
}

type written struct {
	tag string
	// data is nil where there was too much.
	data []byte
}

func (r *recent) keep(name, tag string, data []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.found == nil {
		r.found = map[string]written{}
	}
	if len(data) > recentBytes {
		data = nil
	}
	r.names, r.found[name] = append(r.names, name), written{tag, slices.Clone(data)}
	for len(r.names) > recentObjects {
		delete(r.found, r.names[0])
		r.names = slices.Delete(r.names, 0, 1)
	}
}

// take returns what is known of an object, and forgets it.
func (r *recent) take(name string) (tag string, data []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	known := r.found[name]
	delete(r.found, name)
	r.names = slices.DeleteFunc(r.names, func(other string) bool { return other == name })
	return known.tag, known.data
}

func (r *recent) forget(name string) { _, _ = r.take(name) }

// encryption are the members of a request that ask for encryption.
func (c *client) encryption() (how types.ServerSideEncryption, key *string) {
	if c.location.Key != "" {
		key = aws.String(c.location.Key)
	}
	return types.ServerSideEncryption(c.location.Encryption), key
}

// get reads an object, with its entity tag.
func (c *client) get(key string) (data []byte, tag string, err error) {
	_, err = c.try(0, func(ctx context.Context) error {
		output, err := c.api.GetObject(ctx, &awss3.GetObjectInput{Bucket: &c.bucket, Key: &key})
		if err != nil {
			return err
		}
		defer output.Body.Close()
		if data, err = io.ReadAll(output.Body); err != nil {
			return &cutOff{err}
		}
		if output.ContentLength != nil && int64(len(data)) != *output.ContentLength {
			return &cutOff{fmt.Errorf("%d of %d bytes came: %w", len(data), *output.ContentLength, io.ErrUnexpectedEOF)}
		}
		tag = aws.ToString(output.ETag)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return data, tag, nil
}

// tag looks for the entity tag of an object.
func (c *client) tag(key string) (tag string, err error) {
	_, err = c.try(0, func(ctx context.Context) error {
		output, err := c.api.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &c.bucket, Key: &key})
		if err == nil {
			tag = aws.ToString(output.ETag)
		}
		return err
	})
	return tag, err
}
