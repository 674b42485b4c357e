// Package block has the pieces that documents with a layout are read as: headings, paragraphs, items of lists and tables. How they are
// found, and what text is made of them, is known elsewhere.
package block

// Block is a heading, a paragraph, an item of a list or a table.
type Block struct {
	// Level is that of a heading; 0 for other blocks.
	Level int
	// Lead is what an item of a list begins with, such as "- "; empty for other blocks.
	Lead string
	// Runs are the text of what is no table.
	Runs []Run
	// Rows are the cells of a table, row by row.
	Rows [][][]Run
}

// Run is a piece of text that is seen, or is not.
type Run struct {
	Text   string
	Hidden bool
}

// Problem is what is wrong with a document, as a sentence about "it".
type Problem struct{ Message string }

// Error returns the message.
func (p *Problem) Error() string { return p.Message }
