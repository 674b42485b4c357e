package v1alpha1

import "strings"

// ObjectStoreOutput is a bucket of a store that speaks the S3 protocol; the dataset lies below <namespace>/<name>/<run>/ behind the
// prefix, where <run> is the hash of everything that shapes rows. A store that ignores the conditions of writes is refused before the
// first row.
type ObjectStoreOutput struct {
	// url names the bucket, and what all names of objects begin with: s3://bucket or s3://bucket/prefix.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_][A-Za-z0-9_.=-]*)*/?$`
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

	// credentialsSecretRef names the Secret with the credentials, under the keys AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, of temporary
	// ones, AWS_SESSION_TOKEN. What is changed in it is used within two minutes. Without it the Pods use the identity that they have (see
	// spec.pod.serviceAccountName).
	// +optional
	CredentialsSecretRef *SecretReference `json:"credentialsSecretRef,omitempty"`

	// caBundleConfigMapRef names the certificates in PEM by one of which that of the endpoint is signed, where the public ones don't do.
	// +optional
	CABundleConfigMapRef *ConfigMapKeyReference `json:"caBundleConfigMapRef,omitempty"`

	// serverSideEncryption asks the store to encrypt the objects. Without it the bucket decides.
	// +optional
	ServerSideEncryption *ServerSideEncryption `json:"serverSideEncryption,omitempty"`
}

// ObjectStoreAddressing says where the bucket stands in a request.
// +kubebuilder:validation:Enum=PathStyle;VirtualHosted
type ObjectStoreAddressing string

const (
	// AddressingPathStyle is https://host/bucket/key.
	AddressingPathStyle ObjectStoreAddressing = "PathStyle"
	// AddressingVirtualHosted is https://bucket.host/key.
	AddressingVirtualHosted ObjectStoreAddressing = "VirtualHosted"
)

// ServerSideEncryption says how a store encrypts objects.
type ServerSideEncryption struct {
	// algorithm is AES256 for keys that the store keeps, or KMS for one of its key management.
	// +required
	Algorithm EncryptionAlgorithm `json:"algorithm,omitempty"`

	// keyID names the key of the key management. Without it, it is that of the bucket. It is for KMS alone.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	KeyID string `json:"keyID,omitempty"`
}

// EncryptionAlgorithm is a kind of server-side encryption.
// +kubebuilder:validation:Enum=AES256;KMS
type EncryptionAlgorithm string

const (
	// EncryptionAES256 is encryption with keys that the store keeps.
	EncryptionAES256 EncryptionAlgorithm = "AES256"
	// EncryptionKMS is encryption with a key of the store's key management.
	EncryptionKMS EncryptionAlgorithm = "KMS"
)

// Bucket returns the bucket of the URL, and what the names of objects begin with, without slashes at its ends.
func (o *ObjectStoreOutput) Bucket() (bucket, prefix string) {
	bucket, prefix, _ = strings.Cut(strings.TrimPrefix(o.URL, "s3://"), "/")
	return bucket, strings.Trim(prefix, "/")
}
