// Package docx reads the text of documents of Word: headings, lists, tables, notes, and what of it a reader can't see. It works on bytes in
// memory alone; pictures, macros and whatever a document refers to elsewhere are never looked at.
package docx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"seedloom.dev/seedloom/engine/document/block"
)

// What a document may have at most.
const (
	maxPart  = 64 << 20
	maxDepth = 256
)

func problem(message string, arguments ...any) error {
	return &block.Problem{Message: fmt.Sprintf(message, arguments...)}
}

// compound is how files of Word before 2007, and encrypted ones, begin.
var compound = []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")

// Read reads a document. What is wrong with it is a *block.Problem.
func Read(data []byte) ([]block.Block, error) {
	if bytes.HasPrefix(data, compound) {
		return nil, problem("it is encrypted, or a document of Word before 2007: store it as .docx without a password")
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, problem("it is damaged, or no document of Word: it can't be opened as an archive")
	}
	opened := &parts{files: map[string]*zip.File{}}
	for _, file := range archive.File {
		if name := strings.ToLower(file.Name); opened.files[name] == nil {
			opened.files[name] = file
		}
	}
	main := opened.main()
	folder := path.Dir(main)
	known, err := opened.styles(folder)
	if err != nil {
		return nil, err
	}
	reader := &reader{styles: known, counters: map[string]int{}}
	if err := opened.read(main, reader); err != nil {
		return nil, err
	}
	for _, notes := range []string{"footnotes.xml", "endnotes.xml"} {
		if err := opened.read(path.Join(folder, notes), reader); err != nil && !errors.Is(err, errNoPart) {
			return nil, err
		}
	}
	return reader.blocks, nil
}

// parts are those of a document, by their names in small letters.
type parts struct{ files map[string]*zip.File }

var errNoPart error = &block.Problem{Message: "it is no document of Word: it has no part with a text"}

// handler takes the pieces of a part. Text is what stands between elements.
type handler interface {
	start(name string, attributes []xml.Attr) error
	end(name string)
	text(text []byte)
}

// read goes through a part.
func (p *parts) read(name string, to handler) error {
	file := p.files[strings.ToLower(name)]
	if file == nil {
		return errNoPart
	}
	content, err := file.Open()
	if err != nil {
		return problem("its part %s can't be opened: it is damaged or encrypted", name)
	}
	defer func() { _ = content.Close() }() // was only read
	limited := &io.LimitedReader{R: content, N: maxPart}
	decoder := xml.NewDecoder(transform.NewReader(limited, unicode.BOMOverride(transform.Nop)))
	// Its text is in UTF-8 here, whatever it names: parts are in UTF-8 or UTF-16.
	decoder.CharsetReader = func(_ string, from io.Reader) (io.Reader, error) { return from, nil }
	err = walk(decoder, to)
	var known *block.Problem
	switch {
	case limited.N == 0:
		return problem("its part %s has more than %d MiB: split it", name, maxPart>>20)
	case err == nil, errors.As(err, &known):
		return err
	}
	return problem("its part %s is damaged: %v", name, err)
}

// walk hands over the pieces until the part ends.
func walk(decoder *xml.Decoder, to handler) error {
	depth := 0
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) && depth == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		switch typed := token.(type) {
		case xml.Directive:
			return problem("it defines a type of documents, which none of Word does")
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return problem("its elements are nested deeper than %d", maxDepth)
			}
			if err := to.start(typed.Name.Local, typed.Attr); err != nil {
				return err
			}
		case xml.EndElement:
			depth--
			to.end(typed.Name.Local)
		case xml.CharData:
			to.text(typed)
		}
	}
}

// value is an attribute by its name.
func value(attributes []xml.Attr, name string) string {
	for _, attribute := range attributes {
		if attribute.Name.Local == name {
			return attribute.Value
		}
	}
	return ""
}

// isOn says whether an element that stands for a truth value is true.
func isOn(attributes []xml.Attr) bool {
	switch value(attributes, "val") {
	case "0", "false", "off":
		return false
	}
	return true
}

// main is the name of the part with the text.
func (p *parts) main() string {
	found := &relations{}
	if err := p.read("_rels/.rels", found); err != nil || found.target == "" {
		return "word/document.xml"
	}
	return strings.TrimPrefix(path.Clean("/"+found.target), "/")
}

// relations finds the one that leads to the text.
type relations struct{ target string }

func (r *relations) start(name string, attributes []xml.Attr) error {
	if name == "Relationship" && strings.HasSuffix(value(attributes, "Type"), "/officeDocument") {
		r.target = value(attributes, "Target")
	}
	return nil
}

func (r *relations) end(string)  {}
func (r *relations) text([]byte) {}
