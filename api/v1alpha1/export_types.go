package v1alpha1

// ExportFormat is the format of an export.
// +kubebuilder:validation:Enum=JSONL;CSV;Arrow
type ExportFormat string

const (
	// ExportJSONL is one object a line.
	ExportJSONL ExportFormat = "JSONL"
	// ExportCSV is comma-separated text with a header line.
	ExportCSV ExportFormat = "CSV"
	// ExportArrow is the file format of Arrow IPC, which is also called Feather V2.
	ExportArrow ExportFormat = "Arrow"
)

// ExportCompression says how the files of an export are compressed.
// +kubebuilder:validation:Enum=None;Gzip;Zstd
type ExportCompression string

const (
	// ExportUncompressed leaves the files as they are.
	ExportUncompressed ExportCompression = "None"
	// ExportGzip compresses with gzip; the names of the files end in .gz.
	ExportGzip ExportCompression = "Gzip"
	// ExportZstd compresses with Zstandard; the names of the files end in .zst. Arrow files are compressed inside, and keep their ending.
	ExportZstd ExportCompression = "Zstd"
)

// CSVDialect says what reads a CSV.
// +kubebuilder:validation:Enum=RFC4180;Spreadsheet
type CSVDialect string

const (
	// CSVRFC4180 is for programs: every value is there as it is.
	CSVRFC4180 CSVDialect = "RFC4180"
	// CSVSpreadsheet is for people who open the file in a spreadsheet: with a byte order mark, without anything that it would take for a
	// formula, and with no cell that is longer than it can hold.
	CSVSpreadsheet CSVDialect = "Spreadsheet"
)

// The bounds of export.maxFileBytes.
const (
	// MinExportFileBytes is the least that maxFileBytes may be.
	MinExportFileBytes = 64 << 10
	// MaxExportFileBytes is the most.
	MaxExportFileBytes = 1 << 30
	// DefaultExportFileBytes is what it is without a word.
	DefaultExportFileBytes = 64 << 20
)

// Export is the dataset, or another form of it, once more in another format. It is written to the folder exports/<name> of the output when
// the run has ended with a dataset. It has no effect on the rows: when it is changed, it is written anew, and nothing is generated.
//
// +kubebuilder:validation:XValidation:rule="!has(self.csv) || self.format == 'CSV'",message="csv is for the format CSV"
// +kubebuilder:validation:XValidation:rule="!has(self.compression) || self.compression != 'Gzip' || self.format != 'Arrow'",message="Arrow files are compressed inside, with Zstd; they can't be with Gzip"
type Export struct {
	// name identifies the export within this spec, and names its folder in the output.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`
	// +required
	Name string `json:"name,omitempty"`

	// of is the name of the processor whose form of the rows is written. Without it, the dataset is.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Of string `json:"of,omitempty"`

	// format is the format of the files.
	// +required
	Format ExportFormat `json:"format,omitempty"`

	// compression says how the files are compressed. Defaults to None.
	// +optional
	Compression ExportCompression `json:"compression,omitempty"`

	// maxFileBytes is how large a file may become, before it is compressed; then another one is begun. A row is never parted. Defaults to
	// 67108864 (64 MiB).
	// +kubebuilder:validation:Minimum=65536
	// +kubebuilder:validation:Maximum=1073741824
	// +optional
	MaxFileBytes *int64 `json:"maxFileBytes,omitempty"`

	// splitBy is a column: the rows of each of its values, of which there may be 100, are written to files of their own, whose names begin
	// with the value. It is a text, a whole number, a truth value or a date.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	SplitBy string `json:"splitBy,omitempty"`

	// csv says how a CSV is written.
	// +optional
	CSV *CSVExport `json:"csv,omitempty"`
}

// CSVExport says how a CSV is written.
type CSVExport struct {
	// dialect says what reads the file. Defaults to RFC4180.
	// +optional
	Dialect CSVDialect `json:"dialect,omitempty"`
}

// EffectiveMaxFileBytes is maxFileBytes with its default.
func (e *Export) EffectiveMaxFileBytes() int64 {
	if e.MaxFileBytes == nil {
		return DefaultExportFileBytes
	}
	return *e.MaxFileBytes
}

// ForSpreadsheets says whether the export is a CSV that people open in a spreadsheet.
func (e *Export) ForSpreadsheets() bool { return e.CSV != nil && e.CSV.Dialect == CSVSpreadsheet }
