package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/store/s3"
)

// bucketScheme is what a place in a bucket begins with.
const bucketScheme = "s3://"

// outputOptions are the flags that say where a dataset is written.
type outputOptions struct {
	place                                string
	endpoint, region, addressing, bundle string
}

func (o *outputOptions) register(flags *pflag.FlagSet) {
	flags.StringVarP(&o.place, "output", "o", "",
		"the `DIR`, or s3://BUCKET/PREFIX, for datasets; this one gets a folder of its own in it")
	flags.StringVar(&o.endpoint, "output-endpoint", "",
		"the `URL` of the object store (default: that of the manifest or of AWS_ENDPOINT_URL, and else Amazon S3)")
	flags.StringVar(&o.region, "output-region", "", "the `REGION` of the bucket (default: that of the manifest or of AWS_REGION)")
	flags.StringVar(&o.addressing, "output-addressing", "",
		"where the bucket stands in requests to the endpoint, `PathStyle or VirtualHosted` (default: that of the manifest, and else PathStyle)")
	flags.StringVar(&o.bundle, "output-ca", "", "a `FILE` with the certificates by one of which that of the endpoint is signed")
}

// inBucket says whether the place is in a bucket.
func (o *outputOptions) inBucket() bool { return strings.HasPrefix(o.place, bucketScheme) }

// apply puts the place into the engine's configuration.
func (o *outputOptions) apply(spec *v1alpha1.DatasetGenerationSpec, config *engine.Config) error {
	if !o.inBucket() {
		return o.applyFolder(config)
	}
	location, err := o.location(spec)
	config.ObjectStore = location
	return err
}

// location is the place in a bucket. What the flags leave open is taken from the object store of a manifest.
func (o *outputOptions) location(spec *v1alpha1.DatasetGenerationSpec) (*s3.Location, error) {
	place := &v1alpha1.ObjectStoreOutput{}
	if known := spec.Output.ObjectStore; known != nil {
		place = known.DeepCopy()
	}
	place.URL, place.CredentialsSecretRef, place.CABundleConfigMapRef = o.place, nil, nil
	if o.endpoint != "" {
		place.Endpoint = o.endpoint
	}
	if o.region != "" {
		place.Region = o.region
	}
	if o.addressing != "" {
		place.Addressing = v1alpha1.ObjectStoreAddressing(o.addressing)
	}
	flags := map[string]string{
		"url": "--output", "endpoint": "--output-endpoint", "region": "--output-region", "addressing": "--output-addressing",
	}
	var problems []error
	for _, violation := range plan.ValidateObjectStore("output", place) {
		name := flags[strings.TrimPrefix(violation.Field, "output.")]
		if name == "" {
			name = violation.Field
		}
		problems = append(problems, fmt.Errorf("%s %s", name, violation.Message))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	location, err := engine.ObjectStore(place, "")
	if err != nil {
		return nil, err
	}
	if o.bundle != "" {
		if location.CABundle, err = os.ReadFile(o.bundle); err != nil {
			return nil, fmt.Errorf("--output-ca: %w", err)
		}
	}
	return location, nil
}

func (o *outputOptions) applyFolder(config *engine.Config) error {
	if scheme, _, is := strings.Cut(o.place, "://"); is {
		return fmt.Errorf("--output must be a folder or s3://BUCKET/PREFIX: datasets can't be written to %s:// yet", scheme)
	}
	if o.endpoint+o.region+o.addressing+o.bundle != "" {
		return errors.New("--output-endpoint, --output-region, --output-addressing and --output-ca are for an --output in a bucket (s3://)")
	}
	config.OutputDirectory = o.place
	return os.MkdirAll(o.place, 0o755)
}

// join is the address of something in the output.
func (o *outputOptions) join(name string) string {
	if o.inBucket() {
		return strings.TrimSuffix(o.place, "/") + "/" + name
	}
	return filepath.Join(o.place, filepath.FromSlash(name))
}
