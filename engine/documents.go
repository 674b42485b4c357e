package engine

import (
	"fmt"

	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/runreport"
)

// maxListedProblems bounds the documents that metadata lists which were left out; the log has all of them.
const maxListedProblems = 100

// reportDocument counts a document of the seed, or a recorded session, and says of one that it was left out, or what of it can't be seen or
// read.
func (p *prepared) reportDocument(result seed.DocumentResult) {
	all := p.reading
	all.Count++
	all.Chunks += int64(result.Chunks)
	all.PagesWithoutText += int64(result.Pictures)
	if result.Problem != "" {
		all.Skipped++
		if len(all.Problems) < maxListedProblems {
			all.Problems = append(all.Problems, store.DocumentProblem{Document: result.Name, Problem: result.Problem})
		}
		p.config.Logger.Warn("a document of the seed is left out", "document", result.Name, "problem", result.Problem)
		return
	}
	if result.Hidden > 0 {
		p.config.Logger.Info("a document of the seed has text that a reader can't see", "document", result.Name,
			"hiddenCharacters", result.Hidden, "chunks", result.Chunks)
	}
	if result.Pictures > 0 {
		p.config.Logger.Warn("a document of the seed has pages that are pictures without text; recognize it first (OCR)",
			"document", result.Name, "pages", result.Pictures, "ofPages", result.Pages)
	}
}

// loadDocuments reads a seed of documents or of recorded sessions, and says how many rows they give.
func (p *prepared) loadDocuments(load func() (*seed.Dataset, error)) (*seed.Dataset, error) {
	p.reading = &store.Documents{Problems: []store.DocumentProblem{}}
	if p.spec.Seed.AgentRollouts != nil {
		p.reading.Kind = runreport.KindAgentRollouts
	}
	found, err := load()
	if err != nil {
		return nil, err
	}
	p.documents = p.reading
	p.config.Logger.Info("the documents of the seed are read", "documents", p.documents.Count, "leftOut", p.documents.Skipped,
		"chunks", p.documents.Chunks, "pagesWithoutText", p.documents.PagesWithoutText, "records", p.spec.NumRecords)
	return found, nil
}

// firstProblem is the first of the documents that were left out, and why it was.
func firstProblem(of *store.Documents) string {
	if len(of.Problems) == 0 {
		return ""
	}
	return fmt.Sprintf("%q: %s", of.Problems[0].Document, of.Problems[0].Problem)
}
