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
// +kubebuilder:validation:ExactlyOneOf=configMap;persistentVolumeClaim;objectStore;http;huggingFace;datasetRef
// +kubebuilder:validation:XValidation:rule="!has(self.datasetRef) || !has(self.format) && !has(self.csv)",message="format and csv are of files: the dataset of datasetRef needs none"
// +kubebuilder:validation:XValidation:rule="!has(self.documents) || !has(self.format) && !has(self.csv) && !has(self.datasetRef)",message="documents are read as what they are: format, csv and datasetRef can't be set beside them"
// +kubebuilder:validation:XValidation:rule="!has(self.files) || (has(self.persistentVolumeClaim) || has(self.objectStore)) && !has(self.format) && !has(self.csv) && !has(self.documents)",message="files are listed on a volume or in a bucket, and format, csv and documents can't be set beside them"
// +kubebuilder:validation:XValidation:rule="!has(self.documents) || !has(self.huggingFace) || has(self.huggingFace.paths)",message="documents of a repository are those that huggingFace.paths names"
// +kubebuilder:validation:XValidation:rule="!has(self.agentRollouts) || (has(self.configMap) || has(self.persistentVolumeClaim) || has(self.objectStore)) && !has(self.format) && !has(self.csv) && !has(self.documents) && !has(self.files)",message="agentRollouts are in a ConfigMap, on a volume or in a bucket, and format, csv, documents and files can't be set beside them"
type Seed struct {
	// configMap reads the seed from a key of a ConfigMap in this namespace.
	// +optional
	ConfigMap *ConfigMapSeed `json:"configMap,omitempty"`

	// persistentVolumeClaim reads the seed from a file on a volume.
	// +optional
	PersistentVolumeClaim *PersistentVolumeClaimSeed `json:"persistentVolumeClaim,omitempty"`

	// objectStore reads the seed from a bucket of a store that speaks the S3 protocol.
	// +optional
	ObjectStore *ObjectStoreSeed `json:"objectStore,omitempty"`

	// http downloads the seed.
	// +optional
	HTTP *HTTPSeed `json:"http,omitempty"`

	// huggingFace reads the seed from a dataset repository of a Hugging Face hub.
	// +optional
	HuggingFace *HuggingFaceSeed `json:"huggingFace,omitempty"`

	// datasetRef reads the dataset of another DatasetGeneration of this namespace, once that one is Complete.
	// +optional
	DatasetRef *DatasetSeed `json:"datasetRef,omitempty"`

	// format is the format of the data. Without it, the ending of the key, path or URL tells:
	// .csv, .tsv, .json, .jsonl (or .ndjson), .parquet. Text may be compressed with gzip, zstd or bzip2 (.csv.gz).
	// +optional
	Format SeedFormat `json:"format,omitempty"`

	// csv says how a file of the format CSV is written, where that can't be seen from it.
	// +optional
	CSV *CSVOptions `json:"csv,omitempty"`

	// documents reads text, Markdown, HTML, PDF and documents of Word: a document, or those of a folder or pattern on a volume, in a bucket
	// or in a repository.
	// Each chunk of their text is a row with the columns chunk_id, document, chunk, text, headings, first_page, last_page, start, end and
	// hidden.
	// +optional
	Documents *SeedDocuments `json:"documents,omitempty"`

	// files makes a row of each file on a volume or in a bucket, with the columns relative_path, file_name, folder, extension, size and
	// modified, and content where its text is asked for, whatever is in it.
	// +optional
	Files *SeedFiles `json:"files,omitempty"`

	// agentRollouts makes a row of each session that an agent has recorded, of files in a ConfigMap, on a volume or in a bucket, with the
	// columns trace_id, source_kind, source_path, root_session_id, agent_id, is_sidechain, cwd, project_path, git_branch, started_at,
	// ended_at, messages, source_meta, message_count, tool_call_count and final_assistant_message.
	// +optional
	AgentRollouts *SeedAgentRollouts `json:"agentRollouts,omitempty"`

	// columns selects columns of the file, in this order, and may rename them and say their types. Without it, all
	// columns are used under their own names.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +optional
	Columns []SeedColumn `json:"columns,omitempty"`

	// selection selects rows of the file. Without it, all rows are used.
	// +optional
	Selection *SeedSelection `json:"selection,omitempty"`

	// order says which row of the seed belongs to which row of the dataset. Defaults to Ordered.
	// +optional
	Order SeedOrder `json:"order,omitempty"`

	// rowsPerSeedRow says how many rows of the dataset follow from each row of the seed. They follow each other, and no row of the seed comes
	// again: numRecords may be at most as many as there are in all. Without it, each row of the seed is one row of the dataset.
	// +optional
	RowsPerSeedRow *RowsPerSeedRow `json:"rowsPerSeedRow,omitempty"`

	// sampleRows add columns after those of the seed, each with several further rows of it: examples for a prompt, or the passages that
	// follow.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +optional
	SampleRows []SeedSample `json:"sampleRows,omitempty"`
}

// CSVOptions say how a CSV is written.
type CSVOptions struct {
	// delimiter stands between cells. Without it, it is a tab in .tsv, and else the one of comma, semicolon, tab and bar that
	// parts the first lines evenly.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1
	// +kubebuilder:validation:Pattern=`^[\x09\x20-\x21\x23-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]$`
	// +optional
	Delimiter string `json:"delimiter,omitempty"`
}

// SeedColumnType is the type of a column of the seed.
// +kubebuilder:validation:Enum=str;int;float;bool;decimal;date;time;timestamp
type SeedColumnType string

// The types of columns of a seed.
const (
	SeedColumnStr       SeedColumnType = "str"
	SeedColumnInt       SeedColumnType = "int"
	SeedColumnFloat     SeedColumnType = "float"
	SeedColumnBool      SeedColumnType = "bool"
	SeedColumnDecimal   SeedColumnType = "decimal"
	SeedColumnDate      SeedColumnType = "date"
	SeedColumnTime      SeedColumnType = "time"
	SeedColumnTimestamp SeedColumnType = "timestamp"
)

// SeedColumn is a column of the seed that is used.
type SeedColumn struct {
	// name is the name of the column in the dataset, and in templates.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	// +required
	Name string `json:"name,omitempty"`

	// from is the name of the column in the file, which may be any text. A column without a name is called
	// "Unnamed: 0" by its position, as pandas does. Defaults to name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	From string `json:"from,omitempty"`

	// type is the type of the column in the dataset. Without it, it is that of the file, or is inferred from CSV and JSON.
	// A value that is not of the type is an error that names its row. Templates print the text of a CSV in any case.
	// +optional
	Type SeedColumnType `json:"type,omitempty"`
}

// SeedSelection selects rows of a seed.
type SeedSelection struct {
	// offset is how many rows at the beginning are passed over. Defaults to 0.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Offset *int64 `json:"offset,omitempty"`

	// limit is how many rows are used at most, after offset. Without it, all are.
	// +kubebuilder:validation:Minimum=1
	// +optional
	Limit *int64 `json:"limit,omitempty"`

	// partition uses one of several equal parts of the rows that offset and limit leave.
	// +optional
	Partition *SeedPartition `json:"partition,omitempty"`
}

// SeedPartition is one of several equal parts of rows that follow each other.
//
// +kubebuilder:validation:XValidation:rule="self.index < self.count",message="index must be less than count"
type SeedPartition struct {
	// index is the number of the part, from 0.
	// +kubebuilder:validation:Minimum=0
	// +required
	Index *int32 `json:"index,omitempty"`

	// count is how many parts there are.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +required
	Count int32 `json:"count,omitempty"`
}

// ConfigMapSeed is a key of a ConfigMap, in its data or binaryData.
type ConfigMapSeed struct {
	// name is the name of the ConfigMap.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +required
	Name string `json:"name,omitempty"`

	// key is the key within the ConfigMap.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	// +required
	Key string `json:"key,omitempty"`
}

// Source is the name of the column in the file.
func (c *SeedColumn) Source() string {
	if c.From == "" {
		return c.Name
	}
	return c.From
}
