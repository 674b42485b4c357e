// Package document reads the text of documents, with its structure: headings, pages, and what of it a reader can't see. It works on bytes
// in memory alone, opens nothing, and is meant to run in a process that may fail (package process).
package document

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document/block"
	"seedloom.dev/seedloom/engine/document/format"
)

// What a document may have at most.
const (
	MaxBytes = 64 << 20
	MaxText  = 16 << 20
	// maxPlaces bounds the headings of a document, and its hidden parts.
	maxPlaces = 100_000
)

// Document is the text of a document. Places are in bytes of the text.
type Document struct {
	Text string `json:"text"`
	// Headings are in the order of the text.
	Headings []Heading `json:"headings,omitempty"`
	// Pages says where each page begins; it is empty where the format has none.
	Pages []int `json:"pages,omitempty"`
	// Pictures is how many pages have no text and a picture, in which there may be some.
	Pictures int `json:"pictures,omitempty"`
	// Hidden are the parts that a reader can't see, in the order of the text.
	Hidden []Hidden `json:"hidden,omitempty"`
}

// Heading is a line that says what follows.
type Heading struct {
	At    int    `json:"at"`
	Level int    `json:"level"`
	Text  string `json:"text"`
}

// Hidden is a part of a document that a reader can't see. Where it was left out, it begins and ends at the place where it was.
type Hidden struct {
	At  int `json:"at"`
	End int `json:"end"`
	// Characters is how many there are.
	Characters int `json:"characters"`
}

// Problem is what is wrong with a document, as a sentence about "it".
type Problem = block.Problem

func problem(message string, arguments ...any) error {
	return &Problem{Message: fmt.Sprintf(message, arguments...)}
}

// Read reads a document of any format but PDF. What is wrong with it is a *Problem.
func Read(of format.Format, data []byte, hidden v1alpha1.HiddenText) (*Document, error) {
	if err := recognize(data); err != nil {
		return nil, err
	}
	var raw string
	var err error
	markdown := false
	switch of {
	case format.Text:
		raw, err = readText(data)
	case format.Markdown:
		markdown = true
		raw, err = readMarkdown(data)
	case format.HTML:
		markdown = true
		raw, err = readHTML(data, hidden == v1alpha1.HiddenTextKeep)
	case format.DOCX:
		raw, err = readDOCX(data)
	default:
		err = problem("its format is not known")
	}
	if err != nil {
		return nil, err
	}
	read, err := finish(raw, hidden)
	if err != nil {
		return nil, err
	}
	if markdown {
		read.Headings = markdownHeadings(read.Text)
	}
	return read, read.bound()
}

// bound says what is wrong with a document that was read.
func (d *Document) bound() error {
	if len(d.Headings) > maxPlaces || len(d.Hidden) > maxPlaces {
		return problem("it has %d headings and %d hidden parts, and may have %d of each: split it", len(d.Headings), len(d.Hidden),
			maxPlaces)
	}
	return d.Check()
}

// recognize says what is wrong with bytes that can't be a document, whatever its name is.
func recognize(data []byte) error {
	start := data[:min(len(data), 1024)]
	switch {
	case len(data) > MaxBytes:
		return problem("it has %d MiB, and a document may have %d: split it", len(data)>>20, MaxBytes>>20)
	case len(data) == 0:
		return problem("it is empty")
	case bytes.HasPrefix(start, []byte("version https://git-lfs.github.com/spec/")):
		return problem("it is a pointer of Git LFS, not the document: fetch the data (git lfs pull)")
	}
	return nil
}

var errBroken = errors.New("the document does not hold together")

// Check says whether places are in order and within the text: a document may come from a process that was led astray.
func (d *Document) Check() error {
	if strings.TrimSpace(d.Text) == "" {
		return problem("it has no text")
	}
	last := 0
	inOrder := func(place int) bool {
		fits := place >= last && place <= len(d.Text)
		last = place
		return fits
	}
	for _, heading := range d.Headings {
		if !inOrder(heading.At) {
			return errBroken
		}
	}
	last = 0
	for _, page := range d.Pages {
		if !inOrder(page) {
			return errBroken
		}
	}
	last = 0
	for _, hidden := range d.Hidden {
		if !inOrder(hidden.At) || !inOrder(hidden.End) {
			return errBroken
		}
	}
	return nil
}
