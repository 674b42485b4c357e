package pdf

import (
	"bytes"
	"context"
	"fmt"

	"seedloom.dev/seedloom/engine/document/block"
)

func problem(message string, arguments ...any) error {
	return &block.Problem{Message: fmt.Sprintf(message, arguments...)}
}

// What a document may have at most.
const (
	maxPages = 100_000
	maxChars = 16 << 20
)

// sheet is a page as it was read.
type sheet struct {
	lines []line
	// rules are the places of lines that are drawn.
	rules []box
	// image says that it has a picture.
	image bool
}

// Read reads a document, without its headers and footers unless they are kept. What is wrong with it is a *block.Problem.
func (l *Library) Read(ctx context.Context, data []byte, keepMargins bool) (*Document, error) {
	if !bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) {
		return nil, problem("it is no PDF, whatever its name says: it does not begin as one")
	}
	reader, err := l.start(ctx)
	if err != nil {
		return nil, err
	}
	defer reader.close()
	document, err := reader.read(data, keepMargins)
	if reader.err != nil {
		return nil, problem("it can't be read within %d MiB of memory: it is damaged, made to do harm, or too large; split it", MaxMemory>>20)
	}
	return document, err
}

func (i *instance) read(data []byte, keepMargins bool) (*Document, error) {
	address := i.put(data)
	if address == 0 {
		return nil, problem("it needs more than %d MiB of memory: split it", MaxMemory>>20)
	}
	if i.document = i.call(loadDocument, address, uint64(len(data)), 0); i.document == 0 {
		return nil, i.refusal()
	}
	count := i.number(pageCount, i.document)
	if count < 1 || count > maxPages {
		return nil, problem("it has %d pages by what it says of itself, and may have from 1 to %d", count, maxPages)
	}
	sheets := make([]sheet, count)
	chars := 0
	for number := range sheets {
		if err := i.readSheet(&sheets[number], number, count, &chars); err != nil {
			return nil, err
		}
	}
	if !keepMargins {
		dropMargins(sheets)
	}
	return arrange(sheets, i.readOutline(count)), nil
}

// What FPDF_GetLastError says.
const (
	errorPassword = 4
	errorSecurity = 5
)

func (i *instance) refusal() error {
	switch i.number(lastError) {
	case errorPassword:
		return problem("it is encrypted, and can't be read without its password: store it without one (qpdf --decrypt --password=… IN OUT)")
	case errorSecurity:
		return problem("it is encrypted in a way that is not known: store it without encryption")
	}
	return problem("it is damaged, or no PDF: its pages can't be found; open and store it anew, or repair it (qpdf IN OUT)")
}

// readSheet reads a page.
func (i *instance) readSheet(into *sheet, number, count int, chars *int) error {
	page := i.call(loadPage, i.document, uint64(number))
	if page == 0 {
		return problem("its page %d of %d can't be read: it is damaged; repair it (qpdf IN OUT) or take the page out", number+1, count)
	}
	defer i.call(closePage, page)
	text := i.call(loadText, page)
	if text == 0 {
		return problem("the text of its page %d of %d can't be read: it is damaged", number+1, count)
	}
	defer i.call(closeText, text)
	quarters := i.number(pageRotation, page)
	reader := &pageReader{instance: i, text: text, quarters: quarters, objects: map[uint32]*object{}}
	if i.isTrue(pageBox, page, i.at(0)) {
		reader.page = box{i.real(0), i.real(3), i.real(2), i.real(1)}.turned(quarters)
	}
	reader.shapes = i.readShapes(page, quarters)
	reader.levels = i.readLevels(page)
	amount := i.number(textCount, text)
	if *chars += amount; *chars > maxChars {
		return problem("it has more than %d million characters: split it", maxChars>>20)
	}
	into.lines = reader.readLines(amount)
	into.rules, into.image = reader.shapes.lines, reader.shapes.images > 0
	return nil
}
