package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"seedloom.dev/seedloom/engine/document/format"
	"seedloom.dev/seedloom/engine/document/process"
	"seedloom.dev/seedloom/internal/samplepdf"
)

// documentPages is how many pages the documents have, of linesOfPage lines each.
const (
	documentPages = 1_000
	linesOfPage   = 45
)

// documents are documents that one process reads, as it does those of a seed, once it is started.
func documents() []workload {
	var all []workload
	for _, of := range []format.Format{format.PDF, format.DOCX, format.HTML, format.Markdown, format.Text} {
		all = append(all, workload{
			name: "documents/" + strings.ToLower(string(of)),
			run:  func(ctx context.Context, _ workload) (sample, error) { return readDocument(ctx, of) },
			figures: []measured{
				{name: "pages read by one process", unit: "pages/s", from: func(s sample) float64 { return float64(s.Rows) / s.Seconds }},
				{name: "text read by one process", unit: "MiB/s", from: func(s sample) float64 { return float64(s.Cells) / (1 << 20) / s.Seconds }},
			},
		})
	}
	return all
}

// readDocument measures the reading of a document, after another one for which the process was started. Rows are pages, and cells bytes
// of text.
func readDocument(ctx context.Context, of format.Format) (sample, error) {
	pool := process.NewPool()
	defer pool.Close()
	first, err := documentOf(of, 1)
	if err != nil {
		return sample{}, err
	}
	if _, err := pool.Read(ctx, of, first, ""); err != nil {
		return sample{}, err
	}
	data, err := documentOf(of, documentPages)
	if err != nil {
		return sample{}, err
	}
	began := time.Now()
	found, err := pool.Read(ctx, of, data, "")
	if err != nil {
		return sample{}, err
	}
	return sample{Rows: documentPages, Cells: int64(len(found.Text)), Seconds: time.Since(began).Seconds()}, nil
}

// documentOf is a document of so many pages, each with a heading and a text.
func documentOf(of format.Format, pages int) ([]byte, error) {
	var all []string
	for page := range pages {
		var text strings.Builder
		for line := range linesOfPage {
			_, _ = fmt.Fprintf(&text, "Line %d of page %d, with about as many words as a line of a book has.\n", line, page) // a builder takes all
		}
		all = append(all, text.String())
	}
	switch of {
	case format.PDF:
		return samplepdf.Text(all...), nil
	case format.DOCX:
		return wordOf(all)
	case format.HTML:
		return []byte("<h1>A page</h1><p>" + strings.Join(all, "</p><h1>A page</h1><p>") + "</p>"), nil
	}
	return []byte("# A page\n\n" + strings.Join(all, "\n# A page\n\n")), nil
}

// wordOf is a document of Word with texts without marks of XML.
func wordOf(pages []string) ([]byte, error) {
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	part, err := archive.Create("word/document.xml")
	if err != nil {
		return nil, err
	}
	const begin, end = `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`, `</w:body></w:document>`
	var text strings.Builder
	for _, page := range pages {
		text.WriteString(`<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>A page</w:t></w:r></w:p>`)
		for line := range strings.Lines(page) {
			text.WriteString("<w:p><w:r><w:t>" + line + "</w:t></w:r></w:p>")
		}
	}
	if _, err := part.Write([]byte(begin + text.String() + end)); err != nil {
		return nil, err
	}
	err = archive.Close()
	return file.Bytes(), err
}
