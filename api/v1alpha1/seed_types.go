package v1alpha1

// SeedFormat is the format of a seed dataset.
// +kubebuilder:validation:Enum=CSV;JSON;JSONL;Parquet
type SeedFormat string

const (
	// SeedFormatCSV is comma-separated text with a header line; the types of its columns are inferred.
	SeedFormatCSV SeedFormat = "CSV"
	// SeedFormatJSON is one array of objects.
	SeedFormatJSON SeedFormat = "JSON"
	// SeedFormatJSONL is one object a line.
	SeedFormatJSONL SeedFormat = "JSONL"
	// SeedFormatParquet is Apache Parquet.
	SeedFormatParquet SeedFormat = "Parquet"
)

// SeedOrder says which row of the seed belongs to which row of the dataset.
// +kubebuilder:validation:Enum=Ordered;Shuffled
type SeedOrder string

const (
	// SeedOrdered takes the rows in their order, and starts over at the end.
	SeedOrdered SeedOrder = "Ordered"
	// SeedShuffled takes each row once, in an order that randomSeed fixes, before any comes again.
	SeedShuffled SeedOrder = "Shuffled"
)

// Seed is an existing dataset whose columns are available in every row. Exactly one source is set.
//
// +kubebuilder:validation:ExactlyOneOf=configMap;persistentVolumeClaim;http
type Seed struct {
	// configMap reads the seed from a key of a ConfigMap in this namespace.
	// +optional
	ConfigMap *ConfigMapSeed `json:"configMap,omitempty"`

	// persistentVolumeClaim reads the seed from a file on a volume.
	// +optional
	PersistentVolumeClaim *PersistentVolumeClaimSeed `json:"persistentVolumeClaim,omitempty"`

	// http downloads the seed.
	// +optional
	HTTP *HTTPSeed `json:"http,omitempty"`

	// format is the format of the data. Without it, the ending of the key, path or URL tells:
	// .csv, .json, .jsonl (or .ndjson), .parquet.
	// +optional
	Format SeedFormat `json:"format,omitempty"`

	// order says which row of the seed belongs to which row of the dataset. Defaults to Ordered.
	// +optional
	Order SeedOrder `json:"order,omitempty"`
}

// ConfigMapSeed is a key of a ConfigMap, in its data or binaryData.
type ConfigMapSeed struct {
	// name is the name of the ConfigMap.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name,omitempty"`

	// key is the key within the ConfigMap.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	// +required
	Key string `json:"key,omitempty"`
}

// PersistentVolumeClaimSeed is a file on a volume.
type PersistentVolumeClaimSeed struct {
	// claimName is the name of a claim in this namespace. It is mounted read-only.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	ClaimName string `json:"claimName,omitempty"`

	// path is the path of the file within the volume.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(part, part == '..')",message="must be relative to the volume, without '..'"
	// +required
	Path string `json:"path,omitempty"`
}

// HTTPSeed is a file on a web server.
type HTTPSeed struct {
	// url is the address of the file.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^\\\\s@]+$')",message="must be an http or https URL without a user"
	// +required
	URL string `json:"url,omitempty"`
}
