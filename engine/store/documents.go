package store

import "encoding/json"

// Documents says what has become of the documents of a seed, or of the sessions of agents that are one, as metadata has it.
type Documents struct {
	// Kind is runreport.KindAgentRollouts of recorded sessions, and empty of documents.
	Kind string `json:"kind,omitempty"`
	// Count is how many there are, Skipped how many of them were left out, and Chunks how many rows the others give.
	Count   int64 `json:"count"`
	Skipped int64 `json:"skipped"`
	Chunks  int64 `json:"chunks"`
	// PagesWithoutText is how many pages have no text and a picture, in which there may be some.
	PagesWithoutText int64 `json:"pages_without_text"`
	// Problems are the first of those that were left out.
	Problems []DocumentProblem `json:"problems"`
}

// DocumentProblem is why a document was left out.
type DocumentProblem struct {
	Document string `json:"document"`
	Problem  string `json:"problem"`
}

// SeedRepository says which files of a repository of a hub the seed is, as metadata has it.
type SeedRepository struct {
	// Address is the page of the repository, and Commit what was read of it.
	Address string `json:"address"`
	Commit  string `json:"commit"`
	// Config and Split are there where the files are theirs, and not named by their paths.
	Config string `json:"config,omitempty"`
	Split  string `json:"split,omitempty"`
	// FileCount is how many files there are, and Files are the paths of the first of them.
	FileCount int      `json:"file_count"`
	Files     []string `json:"files"`
}

// Seed is what the metadata of the same configuration says of its seed; both are nil where it says nothing.
func (s *Store) Seed(configHash string) (*Documents, *SeedRepository) {
	data, err := s.get(metadataFile)
	if err != nil || data == nil {
		return nil, nil
	}
	var earlier metadata
	if json.Unmarshal(data, &earlier) != nil || earlier.ConfigHash != configHash {
		return nil, nil
	}
	return earlier.Documents, earlier.SeedRepository
}
