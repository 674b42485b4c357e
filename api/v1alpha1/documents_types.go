package v1alpha1

// ChunkUnit is what documents are cut by.
// +kubebuilder:validation:Enum=Tokens;Characters;Sentences;Headings
type ChunkUnit string

const (
	// ChunkByTokens counts tokens of the vocabulary cl100k_base, which most models come close to.
	ChunkByTokens ChunkUnit = "Tokens"
	// ChunkByCharacters counts characters (code points of Unicode).
	ChunkByCharacters ChunkUnit = "Characters"
	// ChunkBySentences counts sentences, as Unicode tells them apart.
	ChunkBySentences ChunkUnit = "Sentences"
	// ChunkByHeadings makes a chunk of each heading with what stands below it, up to the next heading.
	ChunkByHeadings ChunkUnit = "Headings"
)

// HiddenText says what becomes of text that a reader of the document can't see.
// +kubebuilder:validation:Enum=Omit;Mark;Keep
type HiddenText string

const (
	// HiddenTextOmit leaves it out.
	HiddenTextOmit HiddenText = "Omit"
	// HiddenTextMark encloses it in "[hidden text: " and "]".
	HiddenTextMark HiddenText = "Mark"
	// HiddenTextKeep treats it as any other text.
	HiddenTextKeep HiddenText = "Keep"
)

// PageMargins says what becomes of the headers and footers of PDFs.
// +kubebuilder:validation:Enum=Omit;Keep
type PageMargins string

const (
	// PageMarginsOmit leaves them out.
	PageMarginsOmit PageMargins = "Omit"
	// PageMarginsKeep treats them as any other text.
	PageMarginsKeep PageMargins = "Keep"
)

// DocumentErrorPolicy says what one document that can't be read leads to.
// +kubebuilder:validation:Enum=Fail;Skip
type DocumentErrorPolicy string

const (
	// DocumentErrorFail ends the run before its first row, with the name of the document.
	DocumentErrorFail DocumentErrorPolicy = "Fail"
	// DocumentErrorSkip leaves the document out, and reports it.
	DocumentErrorSkip DocumentErrorPolicy = "Skip"
)

// SeedDocuments says how documents become rows.
type SeedDocuments struct {
	// chunk says how documents are cut. Without it, each document is one row.
	// +optional
	Chunk *DocumentChunk `json:"chunk,omitempty"`

	// hiddenText says what becomes of text that a reader of the document can't see: hidden elements and comments, invisible characters, text
	// that is white on white, too small to read or off the page. Defaults to Omit.
	// +optional
	HiddenText HiddenText `json:"hiddenText,omitempty"`

	// pageMargins says what becomes of the headers and footers of PDFs: lines at the top and at the bottom that come again on most pages, such
	// as running titles and numbers of pages. Defaults to Omit.
	// +optional
	PageMargins PageMargins `json:"pageMargins,omitempty"`

	// onError says what a document that can't be read leads to: one that is damaged, encrypted, too large, or has no text. Defaults to Fail.
	// +optional
	OnError DocumentErrorPolicy `json:"onError,omitempty"`
}

// DocumentChunk says how documents are cut.
//
// +kubebuilder:validation:XValidation:rule="self.by == 'Headings' || has(self.size)",message="size is required, but by Headings"
// +kubebuilder:validation:XValidation:rule="!has(self.overlap) || has(self.size) && self.overlap * 2 <= self.size",message="overlap may be at most half of size"
type DocumentChunk struct {
	// by says what size and overlap count. By Headings, a chunk is a heading with what stands below it up to the next one, and size and
	// overlap count tokens.
	// +required
	By ChunkUnit `json:"by,omitempty"`

	// size is how much a chunk has at most. A chunk ends with a paragraph, a sentence or a word where one ends in its last quarter.
	// By Headings it may be left out: then what stands below a heading is one chunk, however long it is.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Size *int32 `json:"size,omitempty"`

	// overlap is how much of its end each chunk has in common with the next one: at most half of size. Defaults to 0.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=500000
	// +optional
	Overlap *int32 `json:"overlap,omitempty"`
}

// EffectiveHiddenText is what becomes of hidden text.
func (d *SeedDocuments) EffectiveHiddenText() HiddenText {
	if d.HiddenText == "" {
		return HiddenTextOmit
	}
	return d.HiddenText
}

// EffectivePageMargins is what becomes of headers and footers.
func (d *SeedDocuments) EffectivePageMargins() PageMargins {
	if d.PageMargins == "" {
		return PageMarginsOmit
	}
	return d.PageMargins
}

// SkipsErrors says that documents that can't be read are left out.
func (d *SeedDocuments) SkipsErrors() bool { return d.OnError == DocumentErrorSkip }

// EffectiveSize is how much a chunk has at most; 0 is any length.
func (c *DocumentChunk) EffectiveSize() int {
	if c.Size == nil {
		return 0
	}
	return int(*c.Size)
}

// EffectiveOverlap is how much chunks have in common.
func (c *DocumentChunk) EffectiveOverlap() int {
	if c.Overlap == nil {
		return 0
	}
	return int(*c.Overlap)
}
