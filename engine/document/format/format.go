// Package format tells the formats of documents by their names. It reads nothing, so that whoever checks a spec may ask it.
package format

import (
	"path"
	"strings"
)

// Format is what a document is written in.
type Format string

// The formats that are read.
const (
	Text     Format = "Text"
	Markdown Format = "Markdown"
	HTML     Format = "HTML"
	PDF      Format = "PDF"
	DOCX     Format = "DOCX"
)

var endings = map[string]Format{
	".txt": Text, ".text": Text, ".rst": Text, ".adoc": Text, ".org": Text,
	".md": Markdown, ".markdown": Markdown,
	".html": HTML, ".htm": HTML, ".xhtml": HTML,
	".pdf":  PDF,
	".docx": DOCX,
}

// Endings are those that are known, as messages name them.
const Endings = ".txt, .text, .rst, .adoc, .org, .md, .markdown, .html, .htm, .xhtml, .pdf or .docx"

// Of is the format that the ending of a name tells; empty where it tells none.
func Of(name string) Format { return endings[strings.ToLower(path.Ext(name))] }
