package runreport_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/runreport"
)

func TestWhatPeopleShouldKnowOfDocuments(t *testing.T) {
	var none *runreport.Documents
	for want, of := range map[string]*runreport.Documents{
		"": none,
		"1 of 3 documents of the seed were left out, the first is \"a.pdf\": it is empty": {
			Count: 3, Skipped: 1, Chunks: 10, FirstProblem: "\"a.pdf\": it is empty",
		},
		"1 of 3 recorded sessions of the seed were left out, the first is \"a.jsonl\": it is empty": {
			Kind: runreport.KindAgentRollouts, Count: 3, Skipped: 1, Chunks: 2, FirstProblem: "\"a.jsonl\": it is empty",
		},
		"2 pages of the seed's documents are pictures without text; " +
			"the documents of the seed have 11 chunks, more than the 10 records that are asked for": {Count: 3, Chunks: 11, PagesWithoutText: 2},
	} {
		if got := of.Note(10); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := (&runreport.Documents{Chunks: 10}).Note(10); got != "" {
		t.Errorf("where all chunks are used, got %q", got)
	}
	long := runreport.Result{Documents: &runreport.Documents{Count: 1, Skipped: 1, FirstProblem: strings.Repeat("a", 10_000)}}
	read, err := runreport.ParseResult(string(long.Encode()))
	if err != nil || read.Documents == nil || len(read.Documents.FirstProblem) > 300 || read.Documents.Skipped != 1 {
		t.Errorf("got %+v, %v", read, err)
	}
}
