package store

import (
	"encoding/json"
	"fmt"
	"path"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/runreport"
)

// shardFolder holds how each of several shards has ended, or that it has not, for the one that finalizes the dataset.
const shardFolder = engineFolder + "/shards"

// ShardEnding is how a shard has ended.
type ShardEnding struct {
	Shard   int32             `json:"shard"`
	Attempt int32             `json:"attempt"`
	Outcome runreport.Outcome `json:"outcome"`
	Reason  string            `json:"reason,omitempty"`
	Message string            `json:"message,omitempty"`
}

// BeginShard notes that a shard is being made: how it has ended before says nothing any more.
func (s *Store) BeginShard(shard, attempt int32) error {
	return s.EndShard(ShardEnding{Shard: shard, Attempt: attempt, Outcome: OutcomeRunning})
}

// EndShard notes how a shard has ended.
func (s *Store) EndShard(ending ShardEnding) error {
	data, err := json.Marshal(ending)
	if err != nil {
		return failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding the ending of shard %d", ending.Shard)
	}
	return s.putOwned(path.Join(shardFolder, fmt.Sprintf("%05d.json", ending.Shard)), append(data, '\n'))
}

// ShardEndings returns how the shards of an attempt have ended, in their order. What can't be read is left out: the row groups say what is
// there, and this only why something is not.
func (s *Store) ShardEndings(attempt int32) []ShardEnding {
	entries, err := s.list(shardFolder)
	if err != nil {
		return nil
	}
	var endings []ShardEnding
	for _, entry := range entries {
		data, err := s.get(path.Join(shardFolder, entry.Name))
		if err != nil {
			continue
		}
		var ending ShardEnding
		if json.Unmarshal(data, &ending) == nil && ending.Attempt == attempt && ending.Outcome != OutcomeRunning {
			endings = append(endings, ending)
		}
	}
	return endings
}

// IsFresh says whether nothing was made yet: there is no row group, not even a cell of one.
func (s *Store) IsFresh() (bool, error) {
	for _, folder := range []string{manifestFolder, journalFolder} {
		entries, err := s.list(folder)
		if err != nil || len(entries) > 0 {
			return false, err
		}
	}
	return true, nil
}
