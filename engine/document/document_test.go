package document_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document"
	"seedloom.dev/seedloom/engine/document/format"
)

func read(t *testing.T, of format.Format, data string, hidden v1alpha1.HiddenText) *document.Document {
	t.Helper()
	found, err := document.Read(of, []byte(data), hidden)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestDocumentsBecomeText(t *testing.T) {
	for name, test := range map[string]struct {
		of       format.Format
		data     string
		want     string
		headings string
	}{
		"text":                   {format.Text, "one\r\ntwo\rthree\f", "one\ntwo\nthree\n", ""},
		"text with a mark":       {format.Text, "\xef\xbb\xbfone", "one", ""},
		"text in UTF-16":         {format.Text, "\xff\xfeh\x00\xe9\x00", "hé", ""},
		"noncharacters":          {format.Text, "a\uFDD0b\uFDD2c\x01", "abc", ""},
		"invisible characters":   {format.Text, "so\u00ADft \u200Bzero\uFEFF \u202Eabc\u202C", "soft zero abc", ""},
		"joiners of scripts":     {format.Text, "می\u200Cخواهم 👩\u200D🚀", "می\u200Cخواهم 👩\u200D🚀", ""},
		"right to left":          {format.Text, "שלום עולם 123", "שלום עולם 123", ""},
		"Markdown":               {format.Markdown, "# A *b*\n\ntext\n\nC\n---\n", "# A *b*\n\ntext\n\nC\n---\n", "1 A b@0, 2 C@15"},
		"front matter":           {format.Markdown, "---\ntitle: x\n---\n# A\n", "# A\n", "1 A@0"},
		"front matter in TOML":   {format.Markdown, "+++\ntitle = 1\n+++\ntext", "text", ""},
		"a rule is no settings":  {format.Markdown, "---\ntext", "---\ntext", ""},
		"headings in code":       {format.Markdown, "```\n# no\n```\n\n    # no\n\n## yes\n", "```\n# no\n```\n\n    # no\n\n## yes\n", "2 yes@24"},
		"HTML":                   {format.HTML, "<h1>A</h1><p>b <b>c</b><script>x</script>", "# A\n\nb **c**", "1 A@0"},
		"HTML without a head":    {format.HTML, "<title>t</title><nav>menu</nav><p>b</p>", "b", ""},
		"HTML in Latin-1":        {format.HTML, "<meta charset=iso-8859-1><p>caf\xe9", "café", ""},
		"HTML without a charset": {format.HTML, "<p>caf\xe9", "café", ""},
		"a table": {
			format.HTML, "<table><tr><th>A<th>B<tr><td>1<br>2<td>3|4</table>",
			"| A          | B    |\n|------------|------|\n| 1  <br />2 | 3\\|4 |", "",
		},
		"pictures are their descriptions": {format.HTML, `<p>a <img src="data:image/png;base64,AAAA" alt="a cat"> b`, "a a cat b", ""},
		"entities":                        {format.HTML, "<p>a &lt;b&gt; &amp;amp; &#x41;", "a &lt;b&gt; &amp; A", ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := read(t, test.of, test.data, "")
			var headings []string
			for _, heading := range found.Headings {
				headings = append(headings, fmt.Sprintf("%d %s@%d", heading.Level, heading.Text, heading.At))
			}
			if found.Text != test.want || strings.Join(headings, ", ") != test.headings {
				t.Errorf("got %q with %q, want %q with %q", found.Text, headings, test.want, test.headings)
			}
		})
	}
}

func TestTextThatIsNotSeen(t *testing.T) {
	tags := ""
	for _, letter := range "obey" {
		tags += string(letter + 0xE0000)
	}
	for name, test := range map[string]struct {
		of               format.Format
		data             string
		omit, mark, keep string
		characters       int
	}{
		"comment": {
			format.Markdown, "a <!-- b --> c", "a  c", "a [hidden text: <!-- b -->] c", "a <!-- b --> c", 10,
		},
		"comment by definition": {
			format.Markdown, "a\n\n[//]: # (obey)\n\nb", "a\n\n\n\nb", "a\n\n[hidden text: [//]: # (obey)]\n\nb", "a\n\n[//]: # (obey)\n\nb", 14,
		},
		"element of Markdown": {
			format.Markdown, `a <b hidden>obey <b>me</b></b> c`, "a  c", "a [hidden text: <b hidden>obey <b>me</b></b>] c",
			"a <b hidden>obey <b>me</b></b> c", 28,
		},
		"marks of its own in entities": {
			format.HTML, "a &#xFDD1;<i hidden>obey</i> c&#xFDD0;<a href='/&#xFDD2;' title='&#xFDD0;'>d</a>&#xFDD2;", "a  c[d](/)",
			"a [hidden text: obey] c[d](/)", "a *obey* c[d](/)", 4,
		},
		"comments in code are seen": {format.Markdown, "`<!-- b -->`", "`<!-- b -->`", "`<!-- b -->`", "`<!-- b -->`", 0},
		"attribute":                 {format.HTML, "a<i hidden>obey</i> c", "a c", "a[hidden text: obey] c", "a*obey* c", 4},
		"display":                   {format.HTML, "<p style='display: none !important'>obey</p><p>c", "c", "[hidden text: obey]\n\nc", "obey\n\nc", 4},
		"inside of hidden":          {format.HTML, "<div hidden><p>obey <b>me</b></p></div><p>c", "c", "[hidden text: obey me]\n\nc", "obey **me**\n\nc", 7},
		"white":                     {format.HTML, "a <i style='color:#FFF'>obey</i> c", "a  c", "a [hidden text: obey] c", "a *obey* c", 4},
		"white on blue is seen":     {format.HTML, "<p style='color:#fff;background:#00f'>c", "c", "c", "c", 0},
		"same as the background":    {format.HTML, "<p style='color:red; background-color: red'>obey<p>c", "c", "[hidden text: obey]\n\nc", "obey\n\nc", 4},
		"tiny":                      {format.HTML, "<p style='font-size:0px'>obey<p>c", "c", "[hidden text: obey]\n\nc", "obey\n\nc", 4},
		"by a style sheet": {
			format.HTML, "<style>.x { display: none } .y { color: #fff; background: #000 }</style><p class=x>obey</p><p class=y>c", "c",
			"[hidden text: obey]\n\nc", "obey\n\nc", 4,
		},
		"small is seen":             {format.HTML, "<p style='font-size:0.8em;opacity:0.5'>c", "c", "c", "c", 0},
		"off the page":              {format.HTML, "<p style='position:absolute;left:-9999px'>obey<p>c", "c", "[hidden text: obey]\n\nc", "obey\n\nc", 4},
		"indented a little is seen": {format.HTML, "<p style='text-indent:-20px'>c", "c", "c", "c", 0},
		"characters of tags":        {format.Text, "a" + tags + " b", "a b", "a[hidden text: obey] b", "a" + tags + " b", 4},
		"a flag is seen": {
			format.Text, "🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F!", "🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F!",
			"🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F!", "🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F!", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for mode, want := range map[v1alpha1.HiddenText]string{
				v1alpha1.HiddenTextOmit: test.omit, v1alpha1.HiddenTextMark: test.mark, v1alpha1.HiddenTextKeep: test.keep,
			} {
				if want == "" {
					continue
				}
				found := read(t, test.of, test.data, mode)
				characters := 0
				for _, hidden := range found.Hidden {
					characters += hidden.Characters
				}
				counted := mode == v1alpha1.HiddenTextKeep || characters == test.characters
				if strings.TrimSpace(found.Text) != want || !counted {
					t.Errorf("%s: got %q with %d characters hidden, want %q with %d", mode, found.Text, characters, want, test.characters)
				}
			}
		})
	}
}

func TestWhatIsWrongWithADocumentIsReported(t *testing.T) {
	for name, test := range map[string]struct {
		of         format.Format
		data, want string
	}{
		"empty":            {format.Text, "", "it is empty"},
		"white space":      {format.Markdown, " \n\n", "it has no text"},
		"hidden text":      {format.HTML, "<p hidden>a", "it has no text"},
		"Latin-1":          {format.Text, "caf\xe9", "it is not text in UTF-8: byte 3 is 0xe9; convert it, such as with iconv -f WINDOWS-1252 -t UTF-8"},
		"UTF-32":           {format.Text, "\xff\xfe\x00\x00a\x00\x00\x00", "it is text in UTF-32"},
		"zeros":            {format.Text, "a\x00b\x00c\x00", "many of its bytes are zero"},
		"a pointer":        {format.Markdown, "version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"},
		"deep elements":    {format.HTML, strings.Repeat("<div>", 20_000), "nested too deep"},
		"too much text":    {format.Text, strings.Repeat("a", 2*document.MaxText+1), "it has more than 16 MiB of text: split it"},
		"too many heading": {format.Markdown, strings.Repeat("# a\n", 100_001), "it has 100001 headings"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := document.Read(test.of, []byte(test.data), "")
			var problem *document.Problem
			if !errors.As(err, &problem) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("# a\n<!-- b -->\n<i hidden>c", 1)
	f.Add("<p style='color:white'>a<table><tr><td>b", 2)
	f.Add("a\U000E0041b\uFDD0", 0)
	formats := []format.Format{format.Text, format.Markdown, format.HTML}
	f.Fuzz(func(t *testing.T, data string, number int) {
		for _, mode := range []v1alpha1.HiddenText{v1alpha1.HiddenTextOmit, v1alpha1.HiddenTextMark, v1alpha1.HiddenTextKeep} {
			found, err := document.Read(formats[uint(number)%3], []byte(data), mode)
			var problem *document.Problem
			if err != nil && !errors.As(err, &problem) {
				t.Fatalf("%s: %v", mode, err)
			}
			if err == nil && found.Check() != nil {
				t.Fatalf("%s: %+v: %v", mode, found, found.Check())
			}
		}
	})
}
