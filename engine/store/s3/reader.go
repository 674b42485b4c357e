package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Reader reads objects of a bucket that others have written. Several goroutines may use it.
type Reader struct {
	client *client
	// stop ends its watch over the context that it was opened with.
	stop func() bool
}

// Object is an object as it was when it was looked at.
type Object struct {
	Key  string
	Size int64
	// Tag is its entity tag.
	Tag      string
	Modified time.Time
}

// OpenReader opens a bucket for reading. No request is sent yet, and none any more once the context ends.
func OpenReader(ctx context.Context, location *Location) (*Reader, error) {
	client, err := newClient(ctx, location)
	if err != nil {
		return nil, err
	}
	return &Reader{client, context.AfterFunc(ctx, client.close)}, nil
}

// Close gives up what is under way.
func (r *Reader) Close() error {
	r.stop()
	r.client.close()
	return nil
}

// Look returns an object. Its error wraps fs.ErrNotExist where there is none.
func (r *Reader) Look(key string) (Object, error) {
	found := Object{Key: key}
	_, err := r.client.try(0, func(ctx context.Context) error {
		output, err := r.client.api.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &r.client.bucket, Key: &key})
		if err == nil {
			found.Size, found.Tag, found.Modified = aws.ToInt64(output.ContentLength), aws.ToString(output.ETag), aws.ToTime(output.LastModified)
		}
		return err
	})
	return found, r.failed(err)
}

// List calls a function with all objects whose keys begin with a prefix, in the order of the keys, until it returns an error. With right,
// those are left out behind whose prefix another slash follows.
func (r *Reader) List(prefix string, right bool, found func(Object) error) error {
	var refused error
	err := r.client.pages(prefix, right, func(page *awss3.ListObjectsV2Output) bool {
		for i := range page.Contents {
			if refused = found(objectOf(&page.Contents[i])); refused != nil {
				return false
			}
		}
		return true
	})
	if refused != nil {
		return refused
	}
	return r.failed(err)
}

func objectOf(listed *types.Object) Object {
	return Object{
		Key: aws.ToString(listed.Key), Size: aws.ToInt64(listed.Size), Tag: aws.ToString(listed.ETag), Modified: aws.ToTime(listed.LastModified),
	}
}

// Read writes the content of an object in parts, each of which is tried again by itself. An object that is another one by now ends with an
// error that wraps objects.ErrChanged.
func (r *Reader) Read(object Object, to io.Writer) error {
	size := int64(r.client.partBytes)
	for start := int64(0); start < object.Size; start += size {
		part, err := r.part(&object, start, min(start+size, object.Size))
		if err != nil {
			return err
		}
		if _, err := to.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// part reads the bytes of an object from start to end.
func (r *Reader) part(object *Object, start, end int64) (part []byte, err error) {
	input := &awss3.GetObjectInput{
		Bucket: &r.client.bucket, Key: &object.Key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", start, end-1)),
	}
	if object.Tag != "" {
		input.IfMatch = &object.Tag
	}
	other := false // the object is another one by now
	_, err = r.client.try(int(end-start), func(ctx context.Context) error {
		output, err := r.client.api.GetObject(ctx, input)
		if err != nil {
			return err
		}
		defer output.Body.Close()
		tag := aws.ToString(output.ETag)
		if other = object.Tag != "" && tag != "" && tag != object.Tag; other { // some stores know no conditions
			return nil
		}
		part = make([]byte, end-start)
		if _, err := io.ReadFull(output.Body, part); err != nil {
			return &cutOff{err}
		}
		return nil
	})
	if other {
		err = errRefused
	}
	return part, r.failed(changed(err))
}

// ReadError is what kept objects from being read, with what a person can do about it.
type ReadError struct {
	Err    error
	Advice string
	// MayPass says that another try may succeed later.
	MayPass bool
}

// Error has the advice too.
func (e *ReadError) Error() string {
	if e.Advice == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + "; " + e.Advice
}

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }

// The advice to those who only read.
const (
	checkReading    = "check the credentials, and that they may read the objects (s3:GetObject) and list the bucket (s3:ListBucket)"
	checkReadStore  = "see whether the object store is up"
	checkReadBucket = "check the name of the bucket"
)

// failed is an error as those see it who only read.
func (r *Reader) failed(err error) error {
	if err == nil {
		return nil
	}
	var found *answer
	if !errors.As(err, &found) {
		return &ReadError{Err: err}
	}
	problem := &ReadError{Err: found, Advice: found.advice, MayPass: found.mayPass}
	switch {
	case errors.Is(found.kind, fs.ErrPermission):
		problem.Advice = checkReading
	case found.advice == checkStore:
		problem.Advice = checkReadStore
	case found.advice == createBucket:
		problem.Advice = checkReadBucket
	}
	return problem
}
