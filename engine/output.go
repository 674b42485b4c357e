package engine

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/internal/runreport"
)

// openOutput opens the folder of the run, on the volume or in the bucket. Its errors are failure.Error.
func (c *Config) openOutput(ctx context.Context, layout *store.Layout) (*store.Store, error) {
	folder := runreport.Folder(c.Run.Namespace, c.Run.Name, c.Run.ConfigHash)
	if c.ObjectStore == nil {
		return store.Open(c.OutputDirectory, folder, layout)
	}
	return store.OpenBucket(ctx, c.bucket(c.ObjectStore), folder, layout)
}

// bucket is a place in a bucket, with requests that go only where the run may send some.
func (c *Config) bucket(place *s3.Location) *s3.Location {
	location := *place
	if c.Endpoints != nil && location.Transport == nil {
		location.Transport = &http.Transport{
			Proxy:               c.Endpoints.Proxy(http.ProxyFromEnvironment),
			DialContext:         c.Endpoints.Dial(&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}),
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConns: 100,
		}
	}
	return &location
}

// Delete deletes the datasets of all runs of a resource in the output. Nothing may be writing to them. Its errors are failure.Error.
func Delete(ctx context.Context, config Config, namespace, name string) error {
	if config.ObjectStore == nil {
		return store.Delete(config.OutputDirectory, namespace, name)
	}
	return store.DeleteFromBucket(ctx, config.bucket(config.ObjectStore), namespace, name)
}

// ObjectStore is the place that a spec names. Its credentials, where a Secret has them, and its CA bundle are in a directory (see
// runreport.ObjectStoreDirectory). Its errors are failure.Error.
func ObjectStore(place *v1alpha1.ObjectStoreOutput, directory string) (*s3.Location, error) {
	location := &s3.Location{
		Endpoint: place.Endpoint, Region: place.Region, VirtualHosted: place.Addressing == v1alpha1.AddressingVirtualHosted,
	}
	location.Bucket, location.Prefix = place.Bucket()
	if place.CredentialsSecretRef != nil {
		location.CredentialsDirectory = directory
	}
	if place.CABundleConfigMapRef != nil {
		bundle, err := os.ReadFile(filepath.Join(directory, runreport.CABundleName))
		if err != nil {
			return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "the CA bundle of the object store can't be read")
		}
		location.CABundle = bundle
	}
	if encryption := place.ServerSideEncryption; encryption != nil {
		location.Encryption, location.Key = "AES256", encryption.KeyID
		if encryption.Algorithm == v1alpha1.EncryptionKMS {
			location.Encryption = "aws:kms"
		}
	}
	return location, nil
}
