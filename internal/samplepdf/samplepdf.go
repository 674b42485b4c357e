// Package samplepdf writes small PDFs for tests and measurements. What reads PDFs never uses it.
package samplepdf

import (
	"bytes"
	"fmt"
	"strings"
)

// Text returns a PDF with a page of lines for each text, in Helvetica of 12 points.
func Text(pages ...string) []byte {
	contents := make([]string, len(pages))
	var escape = strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`)
	for i, page := range pages {
		var content strings.Builder
		content.WriteString("BT /F1 12 Tf 14 TL 50 750 Td")
		for line := range strings.Lines(page) {
			_, _ = fmt.Fprintf(&content, " (%s) Tj T*", escape.Replace(strings.TrimSuffix(line, "\n"))) // a builder takes all
		}
		content.WriteString(" ET")
		contents[i] = content.String()
	}
	return Pages(contents...)
}

// Pages returns a PDF with a page for each content, in the operators of PDF.
func Pages(contents ...string) []byte {
	const first = 4 // the number of the first page's object
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>", "",
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
	}
	var kids strings.Builder
	for i, content := range contents {
		number := first + 2*i
		_, _ = fmt.Fprintf(&kids, "%d 0 R ", number) // a builder takes all
		objects = append(objects,
			fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>>>", number+1),
			fmt.Sprintf("<</Length %d>>stream\n%s\nendstream", len(content), content))
	}
	objects[1] = fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids.String(), len(contents))
	var file bytes.Buffer
	file.WriteString("%PDF-1.4\n")
	places := make([]int, len(objects))
	for i, object := range objects {
		places[i] = file.Len()
		_, _ = fmt.Fprintf(&file, "%d 0 obj\n%s\nendobj\n", i+1, object) // a buffer takes all
	}
	table := file.Len()
	_, _ = fmt.Fprintf(&file, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, place := range places {
		_, _ = fmt.Fprintf(&file, "%010d 00000 n \n", place)
	}
	_, _ = fmt.Fprintf(&file, "trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return file.Bytes()
}
