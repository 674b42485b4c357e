package store

import (
	"bytes"
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/runreport"
)

// FinalizeInput is what a dataset is finalized with.
type FinalizeInput struct {
	Description
	// Judge says how the run has ended, given what is in the output.
	Judge func(*Summary) (outcome runreport.Outcome, reason, message string)
	// Publish makes the dataset from staged row groups; nil where that can't be done now.
	Publish Publisher
	// Exports are written when the run has ended with a dataset, and others are removed. Nil leaves those that are there.
	Exports []Export
}

// The states of the processing after the generation.
const (
	publishStarted  = "started"
	publishComplete = "complete"
)

// Finalize makes the dataset from staged row groups, where that is asked for, and describes it. It may be called any number of times. What
// its error says of the publisher is the publisher's own.
func (s *Store) Finalize(ctx context.Context, input FinalizeInput) (*Summary, error) {
	if err := s.guard(); err != nil {
		return nil, err
	}
	if err := s.completeCommits(); err != nil {
		return nil, err
	}
	manifests, cutOff, err := s.committed()
	if err != nil {
		return nil, err
	}
	if err := s.removeCutOff(cutOff); err != nil {
		return nil, err
	}
	if err := s.removeImages(manifests); err != nil {
		return nil, err
	}
	state := input.publishState()
	if s.layout.Staged && input.Publish != nil {
		working := input
		working.Judge = func(*Summary) (runreport.Outcome, string, string) { return OutcomeRunning, "", "" }
		if _, err := s.describe(ctx, working, manifests, publishStarted); err != nil {
			return nil, err
		}
		if err := s.publish(ctx, manifests, input.Attempt, input.Publish); err != nil {
			return nil, err
		}
		state = publishComplete
	}
	summary, err := s.describe(ctx, input, manifests, state)
	if err == nil && summary.Records.Missing == 0 {
		err = s.removeFences()
	}
	return summary, err
}

// describe writes what describes the dataset as a whole, from the manifests, whoever wrote them: the dropped rows, the configuration, the
// metadata, and the mark of success unless the run has failed or the dataset is not made yet.
func (s *Store) describe(ctx context.Context, input FinalizeInput, manifests []*Manifest, state string) (*Summary, error) {
	found, err := s.contents(&input.Description, manifests, state)
	if err != nil {
		return nil, err
	}
	summary := found.summary
	now := State{Phase: runreport.PhaseEnded}
	now.Outcome, now.Reason, now.Message = input.Judge(summary)
	if now.Outcome == OutcomeRunning {
		now.Phase = runreport.PhaseFinalizing
	}
	whole := !s.layout.Staged || found.state == publishComplete
	succeeded := whole && (now.Outcome == runreport.OutcomeComplete || now.Outcome == runreport.OutcomePartial)
	if succeeded && input.Exports != nil {
		if found.exports, err = s.export(ctx, input.Exports, found.manifests); err != nil {
			return nil, err
		}
	}
	if err := s.putDescriptions(&input.Description, found); err != nil {
		return nil, err
	}
	if err := s.writeMetadata(&input.Description, found, now, succeeded); err != nil {
		return nil, err
	}
	if whole || input.Publish == nil {
		if err := s.removeUnneeded(found); err != nil {
			return nil, err
		}
	}
	if !succeeded {
		return summary, nil
	}
	if err := s.putOwned(successFile, nil); err != nil {
		return nil, err
	}
	// It is for people, and nothing depends on it: a volume that lets nobody write beside the folder has its dataset all the same.
	_ = s.volume.Lead(latestName)
	return summary, nil
}

// putDescriptions writes the dropped rows, the configuration and the card.
func (s *Store) putDescriptions(description *Description, found *contents) error {
	dropped, err := droppedRows(found.manifests)
	if err != nil {
		return err
	}
	config, err := indentedConfig(description.Spec)
	if err != nil {
		return err
	}
	if err := s.putOwned(droppedFile, dropped); err != nil {
		return err
	}
	if err := s.putOwned(configFile, config); err != nil {
		return err
	}
	return s.putOwned(cardFile, s.card(description, found))
}

// removeUnneeded removes what is of no use once nothing more is written: neither what crashes have left over, nor the right to write is
// wanted any more, nor, when no row is missing, the journals.
func (s *Store) removeUnneeded(found *contents) error {
	if err := s.removeLeftovers(found.manifests); err != nil {
		return err
	}
	if found.summary.Records.Missing != 0 {
		return nil
	}
	return s.removeJournals()
}

// indentedConfig is the configuration as people read it.
func indentedConfig(spec []byte) ([]byte, error) {
	var config bytes.Buffer
	if err := json.Indent(&config, spec, "", "  "); err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding %s", configFile)
	}
	config.WriteByte('\n')
	return config.Bytes(), nil
}

func droppedRows(manifests []*Manifest) ([]byte, error) {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, manifest := range manifests {
		for _, row := range manifest.Dropped {
			if err := encoder.Encode(row); err != nil {
				return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding %s", droppedFile)
			}
		}
	}
	return lines.Bytes(), nil
}

// removeCutOff removes what is there of row groups whose commits were cut off: their files, and then the manifests that name these. No
// shard writes any more when a run is finalized.
func (s *Store) removeCutOff(manifests []*Manifest) error {
	for _, manifest := range manifests {
		for _, file := range manifest.Files {
			if err := s.remove(file.Path); err != nil {
				return err
			}
		}
		if err := s.remove(manifest.path()); err != nil {
			return err
		}
	}
	return nil
}

// removeLeftovers removes what crashes have left over. No shard writes any more when a run is finalized.
func (s *Store) removeLeftovers(manifests []*Manifest) error {
	if err := s.volume.Tidy(); err != nil {
		return fail(err, "removing what was left half written")
	}
	folders := []string{parquetFolder, droppedFolder, manifestFolder}
	for _, manifest := range manifests {
		for _, file := range manifest.Files {
			if folder := path.Dir(file.Path); !slices.Contains(folders, folder) {
				folders = append(folders, folder)
			}
		}
	}
	for _, folder := range folders {
		entries, err := s.list(folder)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if strings.HasSuffix(entry.Name, nextSuffix) {
				if err := s.remove(path.Join(folder, entry.Name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
