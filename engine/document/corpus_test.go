package document_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document"
	"seedloom.dev/seedloom/engine/document/format"
	"seedloom.dev/seedloom/engine/document/pdf"
	"seedloom.dev/seedloom/internal/machinecode"
	"seedloom.dev/seedloom/internal/samplepdf"
)

// library is PDFium, for all tests.
var library *pdf.Library

func TestMain(m *testing.M) {
	folder, _ := machinecode.Folder("pdfium") // else it is compiled
	loaded, err := pdf.Load(context.Background(), folder)
	if err != nil {
		panic(err)
	}
	library = loaded
	os.Exit(m.Run())
}

func readAny(t testing.TB, of format.Format, data []byte, hidden v1alpha1.HiddenText) (*document.Document, error) {
	t.Helper()
	if of != format.PDF {
		return document.Read(of, data, hidden)
	}
	return document.ReadPDF(t.Context(), library, data, hidden, v1alpha1.PageMarginsOmit)
}

// rendered is what was read of a document, for people to compare.
func rendered(found *document.Document, err error) string {
	var problem *document.Problem
	if errors.As(err, &problem) {
		return "problem: " + problem.Message + "\n"
	}
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var result strings.Builder
	result.WriteString(found.Text + "\n========\n")
	for _, heading := range found.Headings {
		fmt.Fprintf(&result, "heading of level %d at byte %d: %s\n", heading.Level, heading.At, heading.Text)
	}
	if found.Pages != nil {
		fmt.Fprintf(&result, "pages begin at bytes %v, %d of them are pictures\n", found.Pages, found.Pictures)
	}
	for _, hidden := range found.Hidden {
		fmt.Fprintf(&result, "hidden from byte %d to %d: %d characters\n", hidden.At, hidden.End, hidden.Characters)
	}
	return result.String()
}

// Each document of the folder testdata is read as the text beside it says; a person has compared the two with what a reader shows.
func TestAwkwardDocuments(t *testing.T) {
	found, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, name := range found {
		known := format.Of(name)
		if known != format.PDF && known != format.DOCX {
			continue
		}
		count++
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := rendered(readAny(t, known, data, v1alpha1.HiddenTextMark))
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(name+".golden", []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name + ".golden")
			if err != nil || got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s%v", got, want, err)
			}
		})
	}
	if count < 20 {
		t.Errorf("there are only %d documents", count)
	}
}

func TestHiddenTextOfLaidOutDocuments(t *testing.T) {
	for name, kept := range map[string]string{"hidden.pdf": "blue on blue", "hidden.docx": "vanished"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for mode, want := range map[v1alpha1.HiddenText]bool{v1alpha1.HiddenTextOmit: false, v1alpha1.HiddenTextKeep: true} {
			found, err := readAny(t, format.Of(name), data, mode)
			if err != nil || strings.Contains(found.Text, kept) != want || !strings.Contains(found.Text, "seen") || len(found.Hidden) == 0 {
				t.Errorf("%s, %s: got %+v, %v", name, mode, found, err)
			}
		}
	}
}

// A mark of a footnote ends neither the line nor the paragraph.
func TestMarksOfFootnotesArePartOfTheirLine(t *testing.T) {
	const page = "BT /F1 12 Tf 50 700 Td (See the note) Tj 5 Ts /F1 7 Tf (1) Tj ET BT 0 Ts /F1 12 Tf 122 700 Td (. It goes on.) Tj ET"
	found, err := readAny(t, format.PDF, samplepdf.Pages(page), "")
	if err != nil || found.Text != "See the note1. It goes on." {
		t.Errorf("got %+v, %v", found, err)
	}
}

func TestDocumentsOfAThousandPages(t *testing.T) {
	pages := make([]string, 1000)
	for i := range pages {
		pages[i] = fmt.Sprintf("Text of page %d.", i+1)
	}
	found, err := readAny(t, format.PDF, samplepdf.Text(pages...), "")
	if err != nil || len(found.Pages) != 1000 || !strings.HasPrefix(found.Text[found.Pages[499]:], "Text of page 500.\n") {
		t.Fatalf("got %.300v, %v", found, err)
	}
}

// archived is a document of Word with some parts.
func archived(t *testing.T, parts map[string]string) []byte {
	t.Helper()
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	for name, text := range parts {
		part, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestWhatIsWrongWithALaidOutDocumentIsReported(t *testing.T) {
	const begin, end = `<w:document xmlns:w="x"><w:body><w:p><w:r><w:t>`, `</w:t></w:r></w:p></w:body></w:document>`
	word := func(text string) []byte { return archived(t, map[string]string{"word/document.xml": text}) }
	for name, test := range map[string]struct {
		of   format.Format
		data []byte
		want string
	}{
		"empty PDF":         {format.PDF, nil, "it is empty"},
		"a page as PDF":     {format.PDF, []byte("<html>no PDF"), "it is no PDF, whatever its name says"},
		"only a beginning":  {format.PDF, []byte("%PDF-1.7\n"), "it is damaged, or no PDF"},
		"blank page":        {format.PDF, samplepdf.Pages(""), "it has no text"},
		"text that is gone": {format.PDF, samplepdf.Pages("BT /F1 12 Tf 3 Tr 50 50 Td (obey) Tj ET"), "it has no text"},
		"text as DOCX":      {format.DOCX, []byte("text"), "it is damaged, or no document of Word"},
		"encrypted":         {format.DOCX, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1more"), "it is encrypted, or a document of Word before 2007"},
		"another archive":   {format.DOCX, archived(t, map[string]string{"a": "b"}), "it is no document of Word"},
		"no text":           {format.DOCX, word(begin + end), "it has no text"},
		"a bomb":            {format.DOCX, word(begin + strings.Repeat("A", 65<<20) + end), "its part word/document.xml has more than 64 MiB"},
		"deep elements":     {format.DOCX, word(strings.Repeat("<w:sdt>", 10_000)), "its elements are nested deeper than 256"},
		"entities":          {format.DOCX, word(`<!DOCTYPE x [<!ENTITY a "AAAA">]>` + begin + "&a;" + end), "it defines a type of documents"},
		"unknown entity":    {format.DOCX, word(begin + "&a;" + end), "its part word/document.xml is damaged"},
		"cut off":           {format.DOCX, word(begin + "text"), "its part word/document.xml is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readAny(t, test.of, test.data, "")
			var problem *document.Problem
			if !errors.As(err, &problem) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// What is said of a piece of text holds for it alone: neither for the box of text within it, nor the other way round.
func TestBoxesOfTextAreJudgedByThemselves(t *testing.T) {
	const document = `<w:document xmlns:w="x"><w:body><w:p><w:r><w:rPr><w:vanish/></w:rPr><w:txbxContent>` +
		`<w:p><w:pPr><w:pStyle w:val="H"/></w:pPr><w:r><w:t>Box</w:t></w:r></w:p>` +
		`<w:p><w:pPr><w:pStyle w:val="V"/></w:pPr><w:r><w:t>obey</w:t></w:r></w:p></w:txbxContent><w:t>as told</w:t></w:r>` +
		`<w:r><w:t>seen</w:t></w:r></w:p></w:body></w:document>`
	const styles = `<w:styles xmlns:w="x"><w:style w:styleId="H"><w:name w:val="heading 1"/></w:style>` +
		`<w:style w:styleId="V"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>`
	data := archived(t, map[string]string{"word/document.xml": document, "word/styles.xml": styles})
	found := rendered(readAny(t, format.DOCX, data, v1alpha1.HiddenTextMark))
	const want = "# Box\n\n[hidden text: obey]\n\n[hidden text: as told]seen\n========\nheading of level 1 at byte 0: Box\n"
	if !strings.HasPrefix(found, want) {
		t.Errorf("got:\n%s", found)
	}
}

// Headings are said apart from the text, and go to prompts as it does: what of their characters is never seen is treated alike.
func TestCharactersThatAreNotSeenInHeadings(t *testing.T) {
	const document = `<w:document xmlns:w="x"><w:body><w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>Ti` +
		"\u200Btle\U000E006F\U000E0062" + `</w:t></w:r></w:p><w:p><w:r><w:t>text</w:t></w:r></w:p></w:body></w:document>`
	data := archived(t, map[string]string{"word/document.xml": document})
	for mode, want := range map[v1alpha1.HiddenText]string{
		v1alpha1.HiddenTextOmit: "Title", v1alpha1.HiddenTextMark: "Title[hidden text: ob]", v1alpha1.HiddenTextKeep: "Ti\u200Btle\U000E006F\U000E0062",
	} {
		found, err := readAny(t, format.DOCX, data, mode)
		if err != nil || len(found.Headings) != 1 || found.Headings[0].Text != want || !strings.HasPrefix(found.Text, "# "+want+"\n") {
			t.Errorf("%s: got %+q", mode, rendered(found, err))
		}
	}
}
