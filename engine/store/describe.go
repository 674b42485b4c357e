package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"path"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/runreport"
)

// OutcomeRunning is in the metadata of a run that has not ended. No result has it.
const OutcomeRunning runreport.Outcome = "Running"

// Description is what metadata says beyond what the row groups tell, and how far the run is.
type Description struct {
	Namespace, Name, RunID, ConfigHash string
	Attempt                            int32
	Mode, Engine                       string
	Target, RowGroups, RowGroupSize    int64
	SeedColumns                        []string
	// SideEffects maps the names of side-effect columns to the columns that they are made with.
	SideEffects map[string]string
	Spec        json.RawMessage
	// PublishStarted says that it was begun, and not ended, to make the dataset from staged row groups.
	PublishStarted bool
	UpdatedAt      time.Time
	// Documents says what has become of the documents of the seed; nil where it is none of documents, or not read yet.
	Documents *Documents
	// SeedRepository says which files of a repository the seed is; nil where it is none of them, or not read yet.
	SeedRepository *SeedRepository
	// Cost says what the use of models has cost; empty where it is not known.
	Cost func(...runreport.Model) string
	// ColumnCost says what the requests of a column have cost; empty where it is not known.
	ColumnCost func(runreport.Column) string
}

func (d *Description) cost(models ...runreport.Model) string {
	if d.Cost == nil {
		return ""
	}
	return d.Cost(models...)
}

func (d *Description) columnCost(column runreport.Column) string {
	if d.ColumnCost == nil {
		return ""
	}
	return d.ColumnCost(column)
}

func (d *Description) publishState() string {
	if d.PublishStarted {
		return publishStarted
	}
	return ""
}

// State is how far a run is. Reason and message are empty while nothing has gone wrong.
type State struct {
	Phase           string
	Outcome         runreport.Outcome
	Reason, Message string
}

// Describe writes the metadata of a run that goes on, or that has ended before it could begin: it has no dataset yet, so that there is no
// mark of success. Row groups may be committed at the same time. Its error says that something could not be written or read; what could be
// read is described all the same. Until the layout is known, the columns are those of the metadata that is there.
func (s *Store) Describe(description *Description, state State) error {
	if err := s.guard(); err != nil {
		return err
	}
	// How the run has ended is true whatever can't be read now: what can't be read does not count, and an earlier success is none any more.
	if err := s.remove(successFile); err != nil {
		return err
	}
	manifests, unreadable := s.manifests()
	found, err := s.contents(description, manifests, description.publishState())
	if err != nil {
		unreadable = cmp.Or(unreadable, err)
		summary := s.summarize(nil, description.Target, description.RowGroups, description.RowGroupSize, nil)
		found = &contents{summary: summary, state: description.publishState()}
	}
	return cmp.Or(s.writeMetadata(description, found, state, false), unreadable)
}

// contents is what the dataset holds at one moment.
type contents struct {
	manifests []*Manifest
	summary   *Summary
	// state is that of the processing after the generation; empty before it.
	state string
	// exports are those that were written of it.
	exports []metadataExport
}

// contents returns what is in the dataset, and can be read: row groups of which a file is gone will be made again, and don't count.
func (s *Store) contents(description *Description, manifests []*Manifest, state string) (*contents, error) {
	merged, published, err := s.dataset(manifests)
	if err != nil {
		return nil, err
	}
	if merged, err = s.present(merged); err != nil {
		return nil, err
	}
	// Row groups beyond the target are those of an earlier, larger one: they are in the output, and count.
	summary := s.summarize(merged, description.Target, description.RowGroups, description.RowGroupSize, func(int64) bool { return true })
	summary.Output.RowsDigest = rowsDigest(merged)
	if state == "" && published && summary.Records.Missing == 0 {
		state = publishComplete // by an earlier process
	}
	return &contents{manifests: merged, summary: summary, state: state}, nil
}

// listing returns a function that says of a file whether it is there. It looks at each folder once.
func (s *Store) listing() func(name string) (bool, error) {
	listed := map[string]map[string]bool{}
	return func(name string) (bool, error) {
		folder := path.Dir(name)
		names, known := listed[folder]
		if !known {
			entries, err := s.list(folder)
			if err != nil {
				return false, err
			}
			names = make(map[string]bool, len(entries))
			for _, entry := range entries {
				names[entry.Name] = true
			}
			listed[folder] = names
		}
		return names[path.Base(name)], nil
	}
}

// present leaves out the row groups of which a file is not there. The manifests were read before: all files of one that is committed have
// their names by then.
func (s *Store) present(manifests []*Manifest) ([]*Manifest, error) {
	there := s.listing()
	present := make([]*Manifest, 0, len(manifests))
	for _, manifest := range manifests {
		complete := true
		for _, file := range manifest.all() {
			found, err := there(file.Path)
			if err != nil {
				return nil, err
			}
			complete = complete && found
		}
		if complete {
			present = append(present, manifest)
		}
	}
	return present, nil
}

// writeMetadata writes metadata.json; nothing else does. The mark of success of an earlier end goes away first, unless this end succeeds
// too.
func (s *Store) writeMetadata(description *Description, found *contents, state State, succeeded bool) error {
	if !succeeded {
		if err := s.remove(successFile); err != nil {
			return err
		}
	}
	document, err := s.metadata(description, found, state)
	if err != nil {
		return err
	}
	data, err := indented(document)
	if err != nil {
		return err
	}
	return s.putOwned(metadataFile, data)
}

func indented(document any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false) // people read the names of types in it
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding %s", metadataFile)
	}
	return buffer.Bytes(), nil
}
