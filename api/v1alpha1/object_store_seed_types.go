package v1alpha1

import "strings"

// ObjectStoreSeed are objects in a bucket of a store that speaks the S3 protocol: one, or several whose rows follow each other.
type ObjectStoreSeed struct {
	// url names the bucket, and the object in it: s3://bucket/orders.csv.gz. The name of a folder stands for all objects right below it,
	// and a pattern for all that match it: s3://bucket/parts/*.parquet, 2024-??.csv, {train,test}.jsonl, or **/*.csv, where ** stands
	// for any folders. Objects are read in the order of their keys, and have the same columns.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/`
	// +kubebuilder:validation:XValidation:rule="!self.split('/').exists(part, part == '..')",message="must not have '..' in it"
	// +required
	URL string `json:"url,omitempty"`

	// endpoint is the URL of the store. Without it, it is Amazon S3 in the region.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^https?://[^/?#@\s]+/?$`
	// +optional
	Endpoint string `json:"endpoint,omitempty"`

	// region is where the bucket is. Without it, it is what the environment of the Pods says, and else us-east-1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9-]*$`
	// +optional
	Region string `json:"region,omitempty"`

	// addressing says where the bucket stands in a request: in the path, or in the name of the host. Defaults to PathStyle with an endpoint;
	// Amazon S3 is always addressed by VirtualHosted.
	// +optional
	Addressing ObjectStoreAddressing `json:"addressing,omitempty"`

	// credentialsSecretRef names the Secret with the credentials, under the keys AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, of
	// temporary ones, AWS_SESSION_TOKEN. Without it the Pods use the identity that they have (see spec.pod.serviceAccountName). They are
	// not part of what names the run.
	// +optional
	CredentialsSecretRef *SecretReference `json:"credentialsSecretRef,omitempty"`

	// caBundleConfigMapRef names the certificates in PEM by one of which that of the endpoint is signed, where the public ones don't do.
	// +optional
	CABundleConfigMapRef *ConfigMapKeyReference `json:"caBundleConfigMapRef,omitempty"`
}

// Bucket returns the bucket of the URL, and the name or pattern of the objects in it.
func (o *ObjectStoreSeed) Bucket() (bucket, pattern string) {
	bucket, pattern, _ = strings.Cut(strings.TrimPrefix(o.URL, "s3://"), "/")
	if pattern == "" {
		pattern = "*"
	}
	return bucket, pattern
}

// Store is the place of the bucket, as that of an output is said.
func (o *ObjectStoreSeed) Store() *ObjectStoreOutput {
	bucket, _ := o.Bucket()
	return &ObjectStoreOutput{
		URL: "s3://" + bucket, Endpoint: o.Endpoint, Region: o.Region, Addressing: o.Addressing, CredentialsSecretRef: o.CredentialsSecretRef,
		CABundleConfigMapRef: o.CABundleConfigMapRef,
	}
}

// SeedStore are the objects that are the seed, or nil.
func (s *DatasetGenerationSpec) SeedStore() *ObjectStoreSeed {
	if s.Seed == nil {
		return nil
	}
	return s.Seed.ObjectStore
}
