package visibility_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"seedloom.dev/seedloom/engine/document/visibility"
)

// seen is the text of a page without what is hidden.
func seen(t *testing.T, page string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := visibility.Hidden(root)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	var walk func(node *html.Node)
	walk = func(node *html.Node) {
		if hidden[node] || node.Type == html.ElementNode && node.Data == "style" {
			return
		}
		if node.Type == html.TextNode {
			text.WriteString(node.Data)
		}
		for child := range node.ChildNodes() {
			walk(child)
		}
	}
	walk(root)
	return strings.Join(strings.Fields(text.String()), " ")
}

func TestStyleSheetsHideText(t *testing.T) {
	for name, test := range map[string]struct{ sheet, body, want string }{
		"a class":                    {".x { display: none }", "a <i class=x>obey</i> b", "a b"},
		"an id in a list":            {"h1, #x, p > em { visibility: HIDDEN }", "<p>a <i id=x>obey</i> b <em>obey</em>", "a b"},
		"an attribute":               {"[data-note] { opacity: 0.0 }", "a <i data-note=1>obey</i>", "a"},
		"a state hides nothing":      {".x:hover, .x::before { display: none }", "<i class=x>a</i>", "a"},
		"a later rule shows":         {".x { display: none } .x { display: block }", "<i class=x>a</i>", "a"},
		"a stronger rule shows":      {"i.x.y { display: block } .x { display: none }", "<i class='x y'>a</i> <i class=x>obey</i>", "a"},
		"an important rule wins":     {".x { display: none !important } #x { display: block }", "<i class=x id=x>obey</i> a", "a"},
		"its own style wins":         {".x { display: none }", "<i class=x style='display: inline'>a</i>", "a"},
		"but over what is important": {".x { display: none ! important }", "<i class=x style='display: inline'>obey</i> a", "a"},
		"seen within invisible":      {".x { visibility: hidden } .y { visibility: visible }", "<p class=x>obey <i class=y>a</i> obey", "a"},
		"white on white":             {".x { color: #fff }", "<p class=x>obey <b>me</b></p> a", "a"},
		"white on blue":              {".x { background: #00f } .x a { color: white }", "<p class=x><a>a</a></p>", "a"},
		"blue on blue of the page":   {"body { background: navy none no-repeat } .x { color: navy }", "<p class=x>obey</p><p>a", "a"},
		"white on a picture":         {".x { color: #fff; background: #fff url(a.png) }", "<p class=x>a", "a"},
		"white, then black":          {".x { color: #fff } .y { color: #000 }", "<p class=x>obey <i class=y>a</i>", "a"},
		"transparent":                {".x { color: rgba(0, 0, 0, 0) }", "<p class=x>obey</p> a", "a"},
		"a gradient in letters":      {".x { color: transparent; background-clip: text; background-image: linear-gradient(red, blue) }", "<p class=x>a", "a"},
		"tiny":                       {".x { font-size: 0 } .y { font-size: 14px } .z { font-size: 2em }", "<p class=x>obey <i class=y>a</i> <i class=z>obey</i>", "a"},
		"far off":                    {".x { position: absolute; left: -9999px }", "<p class=x>obey</p> a", "a"},
		"centered as of old":         {".x { position: absolute; left: 50%; margin-left: -480px }", "<p class=x>a", "a"},
		"clipped":                    {".x { position: absolute; clip: rect(0 0 0 0) } .y { clip: rect(0, 0, 0, 0) }", "<p class=x>obey</p><p class=y>obey</p> a", "a"},
		"of a medium":                {"@media screen and (min-width: 40em) { .x { display: none } }", "<p class=x>obey</p> a", "a"},
		"of another medium":          {"@media print, (max-width: 600px) { .x { display: none } }", "<p class=x>a", "a"},
		"not for print":              {"@media not print { .x { display: none } }", "<p class=x>obey</p> a", "a"},
		"in a layer, supported":      {"@layer base { @supports (display: grid) { .x { display: none } } }", "<p class=x>obey</p> a", "a"},
		"a rule in a rule":           {".x { color: red; .y { display: none } &.z { display: none } }", "<p class=x>a <i class=y>obey</i></p><p class='x z'>obey", "a"},
		"after what is wrong":        {"@import url('a;b.css'); p { color: } .y) { /* } */ } .z { content: '}'; display: none }", "a <i class=z>obey</i>", "a"},
		"old attributes":             {"", "<table bgcolor=black><td><font color=white>a</font><td><font color='#000000'>obey</font></table>", "a"},
		"a picture's description":    {".x { display: none }", "<img class=x alt=obey> a", "a"},
		"of everything, and escaped": {`* { color: #fff } p.a\:b { color: #000 }`, "obey <p class='a:b'>a", "a"},
		"siblings":                   {"h1 + p ~ p > i:not(.y), :root .z:first-child { display: none }", "<h1>a</h1><p><i>b</i></p><p><i>obey</i><i class=y>c", "abc"},
		"without end":                {".x { display: none", "<p class=x>obey</p> a", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := seen(t, "<html><head><style>"+test.sheet+"</style></head><body>"+test.body); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestStyleSheetsOfOtherMediaHideNothing(t *testing.T) {
	page := "<style media=print>p { display: none }</style><style type=text/less>p { display: none }</style><p>a"
	if got := seen(t, page); got != "a" {
		t.Errorf("got %q", got)
	}
}

func TestSheetsThatAreTooMuchAreRefused(t *testing.T) {
	for name, page := range map[string]string{
		"many rules":   "<style>" + strings.Repeat(".a,.b,.c,.d{display:none}", 15_000) + "</style><p>a",
		"products":     "<style>" + strings.Repeat(strings.Repeat("a,", 99)+"a{", 6) + "display:none</style><p>a",
		"many of both": "<style>" + strings.Repeat("i{display:none}", 20_000) + "</style>" + strings.Repeat("<i>a</i>", 3_000),
	} {
		t.Run(name, func(t *testing.T) {
			root, err := html.Parse(strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := visibility.Hidden(root); err == nil || !strings.Contains(err.Error(), "too many to see what they hide") {
				t.Errorf("got %v", err)
			}
		})
	}
	if got := seen(t, "<style>"+strings.Repeat("a{", 100_000)+"</style><p>a"); got != "a" {
		t.Errorf("rules in each other: got %q", got)
	}
}

func BenchmarkHidden(b *testing.B) {
	var sheet strings.Builder
	for i := range 500 {
		fmt.Fprintf(&sheet, ".component-%d > a.link, .theme-%d .item { color: #333; background: #fff; display: block }\n", i, i%50)
	}
	page := "<style>" + sheet.String() + "</style>" +
		strings.Repeat("<div class='theme-7'><p class=item>text <a class=link>more</a></p></div>", 500)
	for b.Loop() {
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := visibility.Hidden(root); err != nil {
			b.Fatal(err)
		}
	}
}
