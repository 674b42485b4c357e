package store

import "encoding/json"

// Documents says what has become of the documents of a seed, as metadata has it.
type Documents struct {
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

// Documents are those that the metadata of the same configuration has; nil where it has none.
func (s *Store) Documents(configHash string) *Documents {
	data, err := s.get(metadataFile)
	if err != nil || data == nil {
		return nil
	}
	var earlier metadata
	if json.Unmarshal(data, &earlier) != nil || earlier.ConfigHash != configHash {
		return nil
	}
	return earlier.Documents
}
