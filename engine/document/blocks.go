package document

import (
	"context"
	"fmt"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document/block"
	"seedloom.dev/seedloom/engine/document/docx"
	"seedloom.dev/seedloom/engine/document/pdf"
)

// ReadPDF reads a PDF by a library that was loaded for it. What is wrong with the document is a *Problem.
func ReadPDF(
	ctx context.Context, library *pdf.Library, data []byte, hidden v1alpha1.HiddenText, margins v1alpha1.PageMargins,
) (*Document, error) {
	if err := recognize(data); err != nil {
		return nil, err
	}
	found, err := library.Read(ctx, data, margins == v1alpha1.PageMarginsKeep)
	if err != nil {
		return nil, err
	}
	var raw blockWriter
	pictures := 0
	for i := range found.Pages {
		page := &found.Pages[i]
		raw.gap("\n\n")
		raw.WriteRune(pageBegin)
		for _, bookmark := range page.Bookmarks {
			raw.heading(bookmark.Level, bookmark.Title)
		}
		raw.blocks(page.Blocks)
		if len(page.Blocks) == 0 && page.Image {
			pictures++
		}
	}
	read, err := finish(raw.String(), hidden)
	if err != nil {
		return nil, err
	}
	read.Pictures = pictures
	if strings.TrimSpace(read.Text) == "" && pictures > 0 {
		return nil, problem("it has no text: %d of its %d pages are images; have their text recognized first (OCR), such as with ocrmypdf",
			pictures, len(found.Pages))
	}
	return read, read.bound()
}

// readDOCX reads a document of Word.
func readDOCX(data []byte) (string, error) {
	blocks, err := docx.Read(data)
	if err != nil {
		return "", err
	}
	var raw blockWriter
	raw.blocks(blocks)
	return raw.String(), nil
}

// blockWriter writes blocks with the marks that finish turns into places: headings and tables as Markdown has them.
type blockWriter struct{ strings.Builder }

// gap writes what stands between blocks.
func (w *blockWriter) gap(between string) {
	if w.Len() > 0 {
		w.WriteString(between)
	}
}

func (w *blockWriter) heading(level int, title string) {
	_, _ = fmt.Fprintf(w, "%c%d%s%c", headingBegin, level, clean(title), headingEnd) // a builder takes all
}

func (w *blockWriter) blocks(all []block.Block) {
	for i := range all {
		switch {
		case i > 0 && all[i].Lead != "" && all[i-1].Lead != "":
			w.WriteByte('\n')
		case i > 0:
			w.WriteString("\n\n")
		}
		w.block(&all[i])
	}
}

func (w *blockWriter) block(one *block.Block) {
	if one.Rows != nil {
		w.table(one.Rows)
		return
	}
	if title := seen(one.Runs); one.Level > 0 && title != "" {
		w.heading(one.Level, title)
		w.WriteString(strings.Repeat("#", one.Level) + " ")
	}
	w.WriteString(one.Lead)
	w.runs(one.Runs)
}

// seen is the text of runs without what is hidden.
func seen(runs []block.Run) string {
	var text strings.Builder
	for _, one := range runs {
		if !one.Hidden {
			text.WriteString(one.Text)
		}
	}
	return strings.TrimSpace(text.String())
}

func (w *blockWriter) runs(runs []block.Run) {
	for _, one := range runs {
		if text := clean(one.Text); one.Hidden {
			w.WriteString(enclosed(text))
		} else {
			w.WriteString(text)
		}
	}
}

// inCell is a text as it stands in a cell of a table.
var inCell = strings.NewReplacer("|", `\|`, "\n", " ")

func (w *blockWriter) table(rows [][][]block.Run) {
	columns := 0
	for _, row := range rows {
		columns = max(columns, len(row))
	}
	for i, row := range rows {
		if i > 0 {
			w.WriteByte('\n')
		}
		w.row(row, columns)
		if i == 0 {
			w.WriteString("\n|" + strings.Repeat("---|", columns))
		}
	}
}

func (w *blockWriter) row(cells [][]block.Run, columns int) {
	w.WriteByte('|')
	for column := range columns {
		w.WriteByte(' ')
		if column < len(cells) {
			for _, one := range cells[column] {
				w.runs([]block.Run{{Text: inCell.Replace(one.Text), Hidden: one.Hidden}})
			}
		}
		w.WriteString(" |")
	}
}
