package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/samplepdf"
)

// commandsOf are those of the program in the fenced blocks of a page.
func commandsOf(t *testing.T, page string) [][]string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var commands [][]string
	for _, line := range regexp.MustCompile(`(?m)^seedloom (.*)$`).FindAllStringSubmatch(string(text), -1) {
		commands = append(commands, strings.Fields(line[1]))
	}
	return commands
}

// Every command of the page does what the page says, with the sample and PDFs that are good, damaged and pictures.
func TestTheCommandsOfThePageOnRetrieval(t *testing.T) {
	commands := commandsOf(t, "../../docs/retrieval.md")
	manifest, err := os.ReadFile("../../config/samples/retrieval.yaml")
	if err != nil {
		t.Fatal(err)
	}
	scan, err := os.ReadFile("../../engine/document/testdata/scanned.pdf")
	if err != nil {
		t.Fatal(err)
	}
	const chapter = "BT /F1 24 Tf 50 750 Td (Chapter) Tj /F1 12 Tf 0 -40 Td (Much is to be said of this, and here it is said.) Tj " +
		"0 -14 Td (There is one more line to it, so that it is the text.) Tj ET"
	folder := t.TempDir()
	t.Chdir(folder)
	for name, data := range map[string][]byte{
		"retrieval.yaml":     manifest,
		"handbook/one.pdf":   samplepdf.Pages(chapter, chapter, chapter),
		"handbook/scan.pdf":  scan,
		"handbook/two.pdf":   samplepdf.Pages(chapter, chapter, chapter),
		"handbook/notes.txt": nil,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("OPENAI_API_KEY", "none")
	models := simtest.Start(t, llmsim.Config{})
	var last string
	for _, command := range commands {
		if command[0] == "preview" || command[0] == "run" {
			command = append(command, "--endpoint", "openai="+models.Endpoint())
		}
		printed, err := executed(t, command...)
		if err != nil {
			t.Fatalf("%q has ended with %v: %s", command, err, printed)
		}
		if command[0] == "run" {
			last = printed
		}
	}
	const leftOut = `2 of 4 documents of the seed were left out, the first is "handbook/notes.txt": it is empty`
	if len(commands) != 5 || !strings.Contains(last, leftOut) {
		t.Errorf("of %d commands, the last run says %s", len(commands), last)
	}
	lines, err := os.ReadFile("triplets.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var triplet struct{ Anchor, Positive, Negative string }
	if err := json.Unmarshal(lines[:strings.Index(string(lines), "\n")], &triplet); err != nil {
		t.Fatal(err)
	}
	if triplet.Anchor == "" || !strings.HasPrefix(triplet.Positive, "# Chapter\n\nMuch is to be said") || triplet.Negative == "" ||
		strings.Count(string(lines), "\n") != 6 {
		t.Errorf("got the triplets %s", lines)
	}
	described, err := filepath.Glob("datasets/*/retrieval/[0-9a-f]*/metadata.json")
	if err != nil || len(described) != 1 {
		t.Fatalf("got %v, %v", described, err)
	}
	data, err := os.ReadFile(described[0])
	for _, part := range []string{"it has no text: 2 of its 2 pages are images", `"chunks": 6`} {
		if !strings.Contains(string(data), part) {
			t.Errorf("metadata.json does not say %q: %s, %v", part, data, err)
		}
	}
}
