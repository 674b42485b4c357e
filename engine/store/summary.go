package store

import (
	"cmp"
	"slices"

	"seedloom.dev/seedloom/internal/runreport"
)

// Summary is what the committed row groups hold in all.
type Summary struct {
	Records runreport.Records
	Columns []runreport.Column
	Models  []runreport.Model
	// Dropped are ordered by their count, the largest first.
	Dropped []runreport.Drop
	Output  runreport.Output
}

// Summarize adds up the manifests of a part of the row groups: those for which include is true. target is the number of rows that were
// asked for of the part, rowGroups the number of its row groups.
func (s *Store) Summarize(target, rowGroups, rowGroupSize int64, include func(index int64) bool) (*Summary, error) {
	manifests, err := s.manifests()
	if err != nil {
		return nil, err
	}
	return s.summarize(manifests, target, rowGroups, rowGroupSize, include), nil
}

func (s *Store) summarize(manifests []*Manifest, target, rowGroups, rowGroupSize int64, include func(index int64) bool) *Summary {
	summary := &Summary{
		Records: runreport.Records{Target: target},
		Output:  runreport.Output{Path: s.folder, RowGroups: rowGroups, RowGroupSize: rowGroupSize},
	}
	for _, manifest := range manifests {
		if include(manifest.Index) {
			summary.add(manifest)
		}
	}
	records := &summary.Records
	records.Missing = max(0, records.Target+records.Added-records.Filtered-records.Actual-records.Dropped)
	slices.SortStableFunc(summary.Dropped, func(a, b runreport.Drop) int { return cmp.Compare(b.Count, a.Count) })
	return summary
}

func (s *Summary) add(manifest *Manifest) {
	s.Records.Actual += manifest.Rows
	s.Records.Dropped += int64(len(manifest.Dropped))
	s.Records.Added += manifest.Added
	s.Records.Filtered += manifest.Filtered
	s.Output.CompletedRowGroups++
	if manifest.File != "" {
		s.Output.Files++
		s.Output.Bytes += manifest.Bytes
	}
	s.Columns = runreport.AddColumns(s.Columns, manifest.Columns...)
	s.Models = runreport.AddModels(s.Models, manifest.Models...)
	for _, row := range manifest.Dropped {
		s.Dropped = runreport.AddDrops(s.Dropped, runreport.Drop{Reason: row.Reason, Column: row.Column, Count: 1, Message: row.Message})
	}
}
