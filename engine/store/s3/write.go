package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// condition is what must be so for an object to be written: nothing, that there is none, or that the one there has an entity tag.
type condition struct {
	absent bool
	tag    string
}

// headers are the headers of the condition.
func (c condition) headers() (ifMatch, ifNoneMatch *string) {
	switch {
	case c.absent:
		return nil, aws.String("*")
	case c.tag != "":
		return &c.tag, nil
	}
	return nil, nil
}

// put writes an object on a condition, and returns its entity tag. A write that the condition forbids fails with errRefused; one to an
// object that must have a tag, and is not there, with fs.ErrNotExist.
func (c *client) put(key string, data []byte, when condition) (tag string, err error) {
	var repeated bool
	if len(data) <= c.partBytes {
		tag, repeated, err = c.putWhole(key, data, when)
	} else {
		tag, repeated, err = c.putInParts(key, data, when)
	}
	return c.judge(key, data, tag, repeated, err)
}

// judge says what has come of a write. Of one that was repeated an earlier try may have been done, and its answer lost: where the last one
// was refused, or its upload is gone, and what is there is ours, it was. Where it is another's, that one has written before or after it.
func (c *client) judge(key string, data []byte, tag string, repeated bool, err error) (string, error) {
	if err == nil || !repeated || !errors.Is(err, errRefused) && !errors.Is(err, fs.ErrNotExist) {
		return tag, err
	}
	found, tag, again := c.get(key)
	switch {
	case again == nil && bytes.Equal(found, data):
		return tag, nil
	case again == nil:
		return "", errRefused
	}
	return "", err
}

func (c *client) putWhole(key string, data []byte, when condition) (tag string, repeated bool, err error) {
	how, id := c.encryption()
	ifMatch, ifNoneMatch := when.headers()
	repeated, err = c.try(len(data), func(ctx context.Context) error {
		output, err := c.api.PutObject(ctx, &awss3.PutObjectInput{
			Bucket: &c.bucket, Key: &key, Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))), IfMatch: ifMatch,
			IfNoneMatch: ifNoneMatch, ServerSideEncryption: how, SSEKMSKeyId: id,
		})
		if err == nil {
			tag = aws.ToString(output.ETag)
		}
		return err
	})
	return tag, repeated, err
}

// putInParts writes a large object. The condition belongs to the request that makes an object of the parts.
func (c *client) putInParts(key string, data []byte, when condition) (tag string, repeated bool, err error) {
	upload, err := c.beginUpload(key)
	if err != nil {
		return "", false, err
	}
	parts, err := c.sendParts(key, upload, data)
	if err == nil {
		tag, repeated, err = c.completeUpload(key, upload, parts, when)
	}
	if err != nil && !(repeated && errors.Is(err, fs.ErrNotExist)) { // an upload that is gone has come to its end
		c.abortUpload(key, upload)
	}
	return tag, repeated, err
}

func (c *client) beginUpload(key string) (upload string, err error) {
	how, id := c.encryption()
	_, err = c.try(0, func(ctx context.Context) error {
		output, err := c.api.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{
			Bucket: &c.bucket, Key: &key, ServerSideEncryption: how, SSEKMSKeyId: id,
		})
		if err == nil {
			upload = aws.ToString(output.UploadId)
		}
		return err
	})
	return upload, err
}

// sendParts sends the parts of an upload, some at once.
func (c *client) sendParts(key, upload string, data []byte) ([]types.CompletedPart, error) {
	parts := make([]types.CompletedPart, (len(data)+c.partBytes-1)/c.partBytes)
	errs := make([]error, len(parts))
	slots := make(chan struct{}, partsAtOnce)
	var all sync.WaitGroup
	for i := range parts {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			part := data[i*c.partBytes : min(len(data), (i+1)*c.partBytes)]
			parts[i], errs[i] = c.sendPart(key, upload, int32(i+1), part)
		})
	}
	all.Wait()
	return parts, errors.Join(errs...)
}

func (c *client) sendPart(key, upload string, number int32, data []byte) (part types.CompletedPart, err error) {
	_, err = c.try(len(data), func(ctx context.Context) error {
		output, err := c.api.UploadPart(ctx, &awss3.UploadPartInput{
			Bucket: &c.bucket, Key: &key, UploadId: &upload, PartNumber: &number, Body: bytes.NewReader(data),
			ContentLength: aws.Int64(int64(len(data))),
		})
		if err == nil {
			part = types.CompletedPart{PartNumber: &number, ETag: output.ETag}
		}
		return err
	})
	return part, err
}

func (c *client) completeUpload(key, upload string, parts []types.CompletedPart, when condition) (tag string, repeated bool, err error) {
	ifMatch, ifNoneMatch := when.headers()
	repeated, err = c.try(0, func(ctx context.Context) error {
		output, err := c.api.CompleteMultipartUpload(ctx, &awss3.CompleteMultipartUploadInput{
			Bucket: &c.bucket, Key: &key, UploadId: &upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}, IfMatch: ifMatch,
			IfNoneMatch: ifNoneMatch,
		})
		if err == nil {
			tag = aws.ToString(output.ETag)
		}
		return err
	})
	return tag, repeated, err
}

// abortUpload gives an upload up. One that can't be is left to Tidy.
func (c *client) abortUpload(key, upload string) {
	_, _ = c.try(0, func(ctx context.Context) error {
		_, err := c.api.AbortMultipartUpload(ctx, &awss3.AbortMultipartUploadInput{Bucket: &c.bucket, Key: &key, UploadId: &upload})
		return err
	})
}

// abortUploads gives up all uploads below a prefix.
func (c *client) abortUploads(prefix string) error {
	request := &awss3.ListMultipartUploadsInput{Bucket: &c.bucket, Prefix: &prefix}
	for {
		var page *awss3.ListMultipartUploadsOutput
		_, err := c.try(0, func(ctx context.Context) (err error) {
			page, err = c.api.ListMultipartUploads(ctx, request)
			return err
		})
		if err != nil {
			return err
		}
		for _, upload := range page.Uploads {
			if key := aws.ToString(upload.Key); strings.HasPrefix(key, prefix) { // some list all that there are
				c.abortUpload(key, aws.ToString(upload.UploadId))
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			return nil
		}
		request.KeyMarker, request.UploadIdMarker = page.NextKeyMarker, page.NextUploadIdMarker
	}
}

// copy has the store copy an object, if it still has the entity tag, where that is known.
func (c *client) copy(from, to, tag string) error {
	how, id := c.encryption()
	input := &awss3.CopyObjectInput{
		Bucket: &c.bucket, Key: &to, CopySource: aws.String(copySource(c.bucket, from)), ServerSideEncryption: how, SSEKMSKeyId: id,
	}
	if tag != "" {
		input.CopySourceIfMatch = &tag
	}
	_, err := c.try(0, func(ctx context.Context) error {
		_, err := c.api.CopyObject(ctx, input)
		return err
	})
	return err
}

// copySource names the source of a copy, as a header has it.
func copySource(bucket, key string) string {
	parts := strings.Split(key, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return bucket + "/" + strings.Join(parts, "/")
}

func (c *client) remove(key string) error {
	_, err := c.try(0, func(ctx context.Context) error {
		_, err := c.api.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &c.bucket, Key: &key})
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeAll removes all objects whose keys begin with a prefix, which must end with a slash: an object beside it is another's.
func (c *client) removeAll(prefix string) error {
	if !strings.HasSuffix(prefix, "/") {
		return fmt.Errorf("%q is no folder", prefix)
	}
	var keys []string
	if err := c.list(prefix, false, func(key string, _ bool) { keys = append(keys, key) }); err != nil {
		return err
	}
	return atOnce(keys, c.remove)
}

// atOnce calls a function for each key, some at once.
func atOnce(keys []string, call func(key string) error) error {
	errs := make([]error, len(keys))
	slots := make(chan struct{}, callsAtOnce)
	var all sync.WaitGroup
	for i, key := range keys {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			errs[i] = call(key)
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err // the others say the same
		}
	}
	return nil
}

// list calls a function with all keys that begin with a prefix, in their order. Of those right below it, where it is asked for these alone,
// folders end with a slash.
func (c *client) list(prefix string, right bool, found func(key string, isFolder bool)) error {
	return c.pages(prefix, right, func(page *awss3.ListObjectsV2Output) bool {
		for _, object := range page.Contents {
			found(aws.ToString(object.Key), false)
		}
		for _, folder := range page.CommonPrefixes {
			found(aws.ToString(folder.Prefix), true)
		}
		return true
	})
}

// pages calls a function with the listing of all keys that begin with a prefix, page by page, as long as it says that more are wanted.
func (c *client) pages(prefix string, right bool, take func(page *awss3.ListObjectsV2Output) (more bool)) error {
	request := &awss3.ListObjectsV2Input{Bucket: &c.bucket, Prefix: &prefix}
	if right {
		request.Delimiter = aws.String("/")
	}
	for {
		var page *awss3.ListObjectsV2Output
		_, err := c.try(0, func(ctx context.Context) (err error) {
			page, err = c.api.ListObjectsV2(ctx, request)
			return err
		})
		if err != nil {
			return err
		}
		if !take(page) || !aws.ToBool(page.IsTruncated) {
			return nil
		}
		if aws.ToString(page.NextContinuationToken) == "" {
			return errors.New("the store says that its listing goes on, and not where")
		}
		request.ContinuationToken = page.NextContinuationToken
	}
}
