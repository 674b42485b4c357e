package document_test

import (
	"fmt"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document/format"
	"seedloom.dev/seedloom/internal/samplepdf"
)

// sheetOf is the content of a page with texts at heights, each in 12 points.
func sheetOf(texts map[int]string) string {
	var content strings.Builder
	for height := 800; height > 0; height-- {
		if text := texts[height]; text != "" {
			fmt.Fprintf(&content, "BT /F1 12 Tf 50 %d Td (%s) Tj ET ", height, text)
		}
	}
	return content.String()
}

func TestHeadersAndFootersAreLeftOut(t *testing.T) {
	for name, test := range map[string]struct {
		// page are the texts of a page, by its number from 1.
		page func(number int) map[int]string
		// lost and kept are parts of the text of three pages and of six.
		lost, kept []string
	}{
		"titles and numbers of pages": {
			page: func(number int) map[int]string {
				return map[int]string{770: "The handbook, edition 7", 600: fmt.Sprintf("Body number %d.", number*number), 586: "It goes on.", 30: fmt.Sprintf("Page %d of 6", number)}
			},
			lost: []string{"handbook", "Page"}, kept: []string{"Body number 1.", "Body number 9.", "It goes on."},
		},
		"two lines": {
			page: func(number int) map[int]string {
				return map[int]string{770: "Title", 756: "Chapter", 600: fmt.Sprintf("Body %d.", number*number)}
			},
			lost: []string{"Title", "Chapter"}, kept: []string{"Body 4."},
		},
		"other titles on left pages": {
			page: func(number int) map[int]string {
				return map[int]string{770: []string{"Left", "Right"}[number%2], 600: fmt.Sprintf("Body %d.", number*number)}
			},
			kept: []string{"Body 4."},
		},
		"a head of a table": {
			page: func(number int) map[int]string {
				return map[int]string{770: "Name, price", 756: fmt.Sprintf("Ann, %d", number*number), 742: "and others"}
			},
			kept: []string{"Name, price", "Ann, 9"},
		},
		"numbers of things": {
			page: func(number int) map[int]string {
				return map[int]string{770: fmt.Sprintf("Invoice %d", number*number*17), 600: "Body."}
			},
			kept: []string{"Invoice 17", "Invoice 153"},
		},
		"nothing else": {
			page: func(number int) map[int]string { return map[int]string{400: fmt.Sprintf("Part %d", number)} },
			kept: []string{"Part 1", "Part 3"},
		},
		"another height": {
			page: func(number int) map[int]string {
				return map[int]string{770 - 20*number: "Same words", 300: fmt.Sprintf("Body %d.", number*number)}
			},
			kept: []string{"Same words"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, count := range []int{3, 6} {
				pages := make([]string, count)
				for i := range pages {
					pages[i] = sheetOf(test.page(i + 1))
				}
				found, err := readAny(t, format.PDF, samplepdf.Pages(pages...), "")
				if err != nil {
					t.Fatal(err)
				}
				for _, text := range test.lost {
					if strings.Contains(found.Text, text) {
						t.Errorf("of %d pages, %q is in the text: %q", count, text, found.Text)
					}
				}
				for _, text := range test.kept {
					if !strings.Contains(found.Text, text) {
						t.Errorf("of %d pages, %q is not in the text: %q", count, text, found.Text)
					}
				}
			}
			// On two pages, nothing comes again often enough.
			pages := []string{sheetOf(test.page(1)), sheetOf(test.page(2))}
			found, err := readAny(t, format.PDF, samplepdf.Pages(pages...), "")
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range test.page(2) {
				if !strings.Contains(found.Text, text) {
					t.Errorf("of two pages, %q is not in the text: %q", text, found.Text)
				}
			}
		})
	}
}

// A header of which a part can't be seen stays with the text, where that part is counted and marked.
func TestHiddenPartsOfHeadersAreCounted(t *testing.T) {
	pages := make([]string, 3)
	for i := range pages {
		pages[i] = "BT /F1 12 Tf 50 770 Td (The handbook ) Tj 1 1 1 rg (obey) Tj ET 0 0 0 rg " +
			sheetOf(map[int]string{600: fmt.Sprintf("Body %d.", i*i)})
	}
	for mode, obeys := range map[v1alpha1.HiddenText]bool{v1alpha1.HiddenTextOmit: false, v1alpha1.HiddenTextMark: true} {
		found, err := readAny(t, format.PDF, samplepdf.Pages(pages...), mode)
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Hidden) != len(pages) || strings.Contains(found.Text, "[hidden text: obey]") != obeys ||
			!strings.Contains(found.Text, "Body 4.") {
			t.Errorf("%s: %d hidden parts in %q", mode, len(found.Hidden), found.Text)
		}
	}
}
