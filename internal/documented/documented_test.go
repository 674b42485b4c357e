package documented

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const checkout = "../.."

// asks is what a test has that runs commands: it asks this package, or, in another module, reads the page itself.
var asks = regexp.MustCompile(`documented\.(Of|Commands)\(|"docs", "installing\.md"`)

// TestEveryCommandIsRunByATest holds that each block with a command is on a page whose commands are run, that some test claims each
// command, and that the test asks for those that it is said to run.
func TestEveryCommandIsRunByATest(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(checkout, "docs", "*.md"))
	if err != nil || len(paths) < 20 {
		t.Fatalf("found %d pages: %v", len(paths), err)
	}
	runners := map[Runner]int{}
	for _, path := range paths {
		page := filepath.Base(path)
		found, err := Commands(checkout, page)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(found) > 0 && !slices.Contains(Pages, page) {
			t.Errorf("docs/%s has the command %q, and none of its commands is run: add the page to Pages", page, found[0].Text)
		}
		for _, command := range found {
			runners[command.Runner]++
		}
	}
	for runner, count := range runners {
		t.Logf("%3d commands are run by %s", count, runner)
		text, err := os.ReadFile(filepath.Join(checkout, string(runner)))
		if err != nil {
			t.Errorf("%d commands are to be run by a test that is not there: %v", count, err)
		} else if !asks.Match(text) {
			t.Errorf("%s does not ask for the %d commands that it is said to run", runner, count)
		}
	}
	if runners[APIServer] < 30 || runners[Cluster] < 3 || runners[Helm] < 3 || runners[Archive] < 1 {
		t.Errorf("too few commands were found: %v", runners)
	}
}

// TestBlocksOfOtherProgramsAreKnown holds that a block for a console has no line that is not a command of a program that is looked for.
func TestBlocksOfOtherProgramsAreKnown(t *testing.T) {
	block := regexp.MustCompile("(?s)```console\n(.*?)```")
	program := regexp.MustCompile(`^(` + programs + `) `)
	for _, page := range Pages {
		text, err := os.ReadFile(filepath.Join(checkout, "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range block.FindAllStringSubmatch(string(text), -1) {
			for line := range strings.Lines(match[1]) {
				if !program.MatchString(line) {
					t.Errorf("docs/%s: who runs %q?", page, strings.TrimSpace(line))
				}
			}
		}
	}
}

func TestCommandsAreFoundWhereverTheyStand(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	page := "See `kubectl get` and `kubectl get pods`.\n```\nkubectl apply -k config/default    # all of it\nmake image\n```\n" +
		"- `helm uninstall seedloom`\n"
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(folder, "docs", "page.md"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(page)
	got, err := Commands(folder, "page.md")
	want := []Command{
		{"page.md", "kubectl get pods", APIServer}, {"page.md", "kubectl apply -k config/default", APIServer},
		{"page.md", "make image", Archive}, {"page.md", "helm uninstall seedloom", Helm},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("found %q (%v)", got, err)
	}
	write(page + "```\nmake mischief\n```\n")
	if _, err := Commands(folder, "page.md"); err == nil || !strings.Contains(err.Error(), "make mischief") {
		t.Errorf("a command that nobody runs: %v", err)
	}
}
