package v1alpha1

// SeedFiles says what the row of a file has.
type SeedFiles struct {
	// content says whether a row has the text of its file too. Defaults to None.
	// +optional
	Content SeedFileContent `json:"content,omitempty"`

	// encoding is how the texts are written. Defaults to utf-8. A text that is not written so is an error that names its file.
	// +optional
	Encoding SeedEncoding `json:"encoding,omitempty"`
}

// SeedEncoding is how a text is written, by the name that the web uses.
// +kubebuilder:validation:Enum=utf-8;utf-16le;utf-16be;windows-1250;windows-1251;windows-1252;iso-8859-2;iso-8859-15;koi8-r;shift_jis;euc-jp;euc-kr;gb18030;big5
type SeedEncoding string

// EncodingUTF8 is UTF-8, or UTF-16 with a byte order mark.
const EncodingUTF8 SeedEncoding = "utf-8"

// SeedEncodings are all encodings.
var SeedEncodings = []SeedEncoding{
	EncodingUTF8, "utf-16le", "utf-16be", "windows-1250", "windows-1251", "windows-1252", "iso-8859-2", "iso-8859-15", "koi8-r", "shift_jis",
	"euc-jp", "euc-kr", "gb18030", "big5",
}

// SeedFileContent says what of a file is in its row.
// +kubebuilder:validation:Enum=None;Text
type SeedFileContent string

const (
	// SeedFileNone is a row with the names, the size and the time of the file.
	SeedFileNone SeedFileContent = "None"
	// SeedFileText has the text of the file in the column content.
	SeedFileText SeedFileContent = "Text"
)

// HasText says whether the rows have the texts of their files.
func (s *SeedFiles) HasText() bool { return s.Content == SeedFileText }

// EffectiveContent is content with its default.
func (s *SeedFiles) EffectiveContent() SeedFileContent {
	if s.Content == "" {
		return SeedFileNone
	}
	return s.Content
}

// EffectiveEncoding is encoding with its default.
func (s *SeedFiles) EffectiveEncoding() SeedEncoding {
	if s.Encoding == "" {
		return EncodingUTF8
	}
	return s.Encoding
}

// FileColumns are the columns of rows that are files, in their order.
func (s *SeedFiles) FileColumns() []string {
	names := []string{"relative_path", "file_name", "folder", "extension", "size", "modified"}
	if s.HasText() {
		names = append(names, "content")
	}
	return names
}
