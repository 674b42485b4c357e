package v1alpha1

// HTTPFile is a file on a web server.
type HTTPFile struct {
	// url is the address of the file.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^\\\\s@]+$')",message="must be an http or https URL without a user"
	// +required
	URL string `json:"url,omitempty"`
}

// HTTPSeed is a file on a web server that may ask who wants it.
type HTTPSeed struct {
	// url is the address of the file.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^\\\\s@]+$')",message="must be an http or https URL without a user"
	// +required
	URL string `json:"url,omitempty"`

	// headers are sent with the request, to the scheme, host and port of url alone: where the server redirects elsewhere, it goes without
	// them. They are not part of what names the run.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Headers []RequestHeader `json:"headers,omitempty"`

	// sha256 is the checksum that the file must have, as 64 hexadecimal digits, as sha256sum prints it. Another checksum is another run.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	// +optional
	SHA256 string `json:"sha256,omitempty"`
}

// RequestHeader is a header of a request. Exactly one of value and secretKeyRef is set.
//
// +kubebuilder:validation:ExactlyOneOf=value;secretKeyRef
type RequestHeader struct {
	// name is the name of the header, such as Authorization.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`
	// +required
	Name string `json:"name,omitempty"`

	// value is its value. It is no place for secrets.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Value string `json:"value,omitempty"`

	// secretKeyRef names the key of a Secret in this namespace that has its value, as a whole: "Bearer ..." for Authorization.
	// +optional
	SecretKeyRef *SecretKeyReference `json:"secretKeyRef,omitempty"`
}

// SeedHeaders are the headers of requests for the seed, or nil.
func (s *DatasetGenerationSpec) SeedHeaders() []RequestHeader {
	if s.Seed == nil || s.Seed.HTTP == nil {
		return nil
	}
	return s.Seed.HTTP.Headers
}
