package store

import (
	"encoding/json"
	"path"
	"slices"
	"time"

	"seedloom.dev/seedloom/internal/runreport"
)

// metadataVersion is raised when a key of metadata.json changes its meaning. docs/metadata.md describes the keys.
const metadataVersion = 1

// maxListedRowGroups bounds the list of row groups in metadata.json; each has a manifest of its own in any case.
const maxListedRowGroups = 10_000

// metadata is the document that describes a dataset. The first part has the keys that tools of the field expect, the second part has ours.
type metadata struct {
	ConfigHash             string         `json:"config_hash"`
	ConfigHashAlgo         string         `json:"config_hash_algo"`
	ConfigHashVersion      int            `json:"config_hash_version"`
	PreserveDroppedColumns bool           `json:"preserve_dropped_columns"`
	TargetNumRecords       int64          `json:"target_num_records"`
	ActualNumRecords       int64          `json:"actual_num_records"`
	TotalNumBatches        int64          `json:"total_num_batches"`
	NumCompletedBatches    int64          `json:"num_completed_batches"`
	BufferSize             int64          `json:"buffer_size"`
	DatasetName            string         `json:"dataset_name"`
	FilePaths              metadataPaths  `json:"file_paths"`
	Schema                 metadataSchema `json:"schema"`
	// These two are there where processors work on the dataset after its generation.
	PostGenerationState     string `json:"post_generation_state,omitempty"`
	PostGenerationProcessed *bool  `json:"post_generation_processed,omitempty"`

	DroppedColumns []string           `json:"dropped_columns"`
	SchemaVersion  int                `json:"schema_version"`
	Namespace      string             `json:"namespace"`
	Run            metadataRun        `json:"run"`
	Records        metadataRecords    `json:"records"`
	Columns        []metadataColumn   `json:"columns"`
	Dropped        []metadataDrop     `json:"dropped"`
	Models         []metadataModel    `json:"models"`
	Usage          metadataUsage      `json:"usage"`
	Exports        []metadataExport   `json:"exports"`
	Documents      *Documents         `json:"documents,omitempty"`
	SeedRepository *SeedRepository    `json:"seed_repository,omitempty"`
	RowGroups      []metadataRowGroup `json:"row_groups"`
}

// metadataPaths are the files of the dataset. Those of processors are in a map by the names of the processors.
type metadataPaths struct {
	Parquet    []string            `json:"parquet-files"`
	Dropped    []string            `json:"dropped-columns-parquet-files"`
	Processors map[string][]string `json:"processor-files,omitempty"`
}

type metadataRun struct {
	ID            string            `json:"id"`
	Attempt       int32             `json:"attempt"`
	ExecutionMode string            `json:"execution_mode"`
	EngineVersion string            `json:"engine_version"`
	Phase         string            `json:"phase"`
	Outcome       runreport.Outcome `json:"outcome"`
	Reason        string            `json:"reason"`
	Message       string            `json:"message"`
	UpdatedAt     time.Time         `json:"updated_at"`
}

type metadataRecords struct {
	Target   int64 `json:"target"`
	Actual   int64 `json:"actual"`
	Dropped  int64 `json:"dropped"`
	Missing  int64 `json:"missing"`
	Added    int64 `json:"added"`
	Filtered int64 `json:"filtered"`
}

type metadataColumn struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Source    string `json:"source"`
	Succeeded int64  `json:"succeeded"`
	Failed    int64  `json:"failed"`
	Dropped   int64  `json:"dropped"`
	Skipped   int64  `json:"skipped"`
	// Draws are those of a column with constraints.
	Draws metadataDraws `json:"draws"`
	// The usage is that of all its requests, also for rows that were dropped.
	metadataUsage
}

// metadataDraws has the members of runreport.Draws, and the share of the draws that were accepted: nil where there were none.
type metadataDraws struct {
	Accepted       int64    `json:"accepted"`
	Rejected       int64    `json:"rejected"`
	AcceptanceRate *float64 `json:"acceptance_rate,omitempty"`
}

func drawsIn(draws runreport.Draws) metadataDraws {
	document := metadataDraws{Accepted: draws.Accepted, Rejected: draws.Rejected}
	if draws != (runreport.Draws{}) {
		rate := draws.Rate()
		document.AcceptanceRate = &rate
	}
	return document
}

// newMetadataColumn is a column of which nothing is counted yet.
func newMetadataColumn(name, of, source string) metadataColumn {
	return metadataColumn{Name: name, Type: of, Source: source, metadataUsage: usageIn(runreport.Usage{}, "")}
}

type metadataModel struct {
	Alias string `json:"alias"`
	metadataUsage
}

// metadataUsage counts requests and what they have used, over all attempts. Cost is empty where no model has a price.
type metadataUsage struct {
	RequestsSucceeded int64 `json:"requests_succeeded"`
	RequestsFailed    int64 `json:"requests_failed"`
	InputTokens       int64 `json:"input_tokens"`
	OutputTokens      int64 `json:"output_tokens"`
	CachedInputTokens int64 `json:"cached_input_tokens"`
	ReasoningTokens   int64 `json:"reasoning_tokens"`
	ToolCalls         int64 `json:"tool_calls"`
	Images            int64 `json:"images"`
	// UnusableAnswers counts, by reason, the answers that were paid for and could not be used; TruncatedAnswersKept those whose texts were cut
	// off and taken all the same.
	UnusableAnswers      map[string]int64 `json:"unusable_answers"`
	TruncatedAnswersKept int64            `json:"truncated_answers_kept"`
	// Corrections count the values that were not valid, and about which the model was asked again.
	Corrections metadataCorrections `json:"corrections"`
	// HedgedRequests counts the requests whose cells had their values from others first.
	HedgedRequests int64  `json:"hedged_requests"`
	Cost           string `json:"cost"`
}

// metadataCorrections has the members of runreport.Corrections.
type metadataCorrections struct {
	Corrected int64 `json:"corrected"`
	GivenUp   int64 `json:"given_up"`
	Kept      int64 `json:"kept"`
}

func usageIn(usage runreport.Usage, cost string) metadataUsage {
	return metadataUsage{
		RequestsSucceeded: usage.Succeeded, RequestsFailed: usage.Failed, InputTokens: usage.InputTokens, OutputTokens: usage.OutputTokens,
		CachedInputTokens: usage.CachedInputTokens, ReasoningTokens: usage.ReasoningTokens, ToolCalls: usage.ToolCalls,
		Images: usage.Images, UnusableAnswers: usage.Unusable.Counts(), TruncatedAnswersKept: usage.TruncatedKept,
		Corrections: metadataCorrections(usage.Corrections), HedgedRequests: usage.Hedged, Cost: cost,
	}
}

// metadataDrop has the same members for each cause: of those of processors the column is empty.
type metadataDrop struct {
	Reason  string `json:"reason"`
	Column  string `json:"column"`
	Count   int64  `json:"count"`
	Message string `json:"message"`
}

type metadataRowGroup struct {
	Index  int64  `json:"index"`
	Start  int64  `json:"start"`
	End    int64  `json:"end"`
	Rows   int64  `json:"rows"`
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

func (s *Store) metadata(input *Description, found *contents, state State) (*metadata, error) {
	summary := found.summary
	document := &metadata{
		ConfigHash: input.ConfigHash, ConfigHashAlgo: "sha256", ConfigHashVersion: 1, PreserveDroppedColumns: s.layout.Preserve,
		TargetNumRecords: input.Target, ActualNumRecords: summary.Records.Actual,
		TotalNumBatches: input.RowGroups, NumCompletedBatches: summary.Output.CompletedRowGroups, BufferSize: input.RowGroupSize,
		DatasetName: input.Name, FilePaths: metadataPaths{Parquet: []string{}, Dropped: []string{}}, Schema: metadataSchema{},
		DroppedColumns: []string{},
		SchemaVersion:  metadataVersion, Namespace: input.Namespace,
		Run: metadataRun{
			ID: input.RunID, Attempt: input.Attempt, ExecutionMode: input.Mode, EngineVersion: input.Engine,
			Phase: state.Phase, Outcome: state.Outcome, Reason: state.Reason, Message: state.Message,
			UpdatedAt: input.UpdatedAt.UTC().Truncate(time.Second),
		},
		Records: metadataRecords(summary.Records),
		Columns: []metadataColumn{}, Dropped: []metadataDrop{}, Models: []metadataModel{}, RowGroups: []metadataRowGroup{},
		Exports: append([]metadataExport{}, found.exports...), Documents: input.Documents,
		SeedRepository: input.SeedRepository,
	}
	if s.layout.Staged {
		processed := found.state == publishComplete
		document.PostGenerationState, document.PostGenerationProcessed = found.state, &processed
	}
	for _, drop := range summary.Dropped {
		document.Dropped = append(document.Dropped, metadataDrop(drop))
	}
	if err := s.nameColumns(document, input); err != nil {
		return nil, err
	}
	countColumns(document, input, summary)
	var all runreport.Usage
	for _, model := range summary.Models {
		all.Add(model.Usage)
		document.Models = append(document.Models, metadataModel{model.Alias, usageIn(model.Usage, input.cost(model))})
	}
	document.Usage = usageIn(all, input.cost(summary.Models...))
	for _, manifest := range found.manifests {
		document.FilePaths.add(manifest)
		if len(document.RowGroups) < maxListedRowGroups {
			document.RowGroups = append(document.RowGroups, metadataRowGroup{
				Index: manifest.Index, Start: int64(manifest.Start), End: int64(manifest.End), Rows: manifest.Rows,
				File: manifest.File, SHA256: manifest.SHA256, Bytes: manifest.Bytes,
			})
		}
	}
	return document, nil
}

func (p *metadataPaths) add(manifest *Manifest) {
	if manifest.File != "" {
		p.Parquet = append(p.Parquet, manifest.File)
	}
	for _, file := range manifest.Files {
		folder := path.Dir(file.Path)
		switch {
		case folder == droppedFolder:
			p.Dropped = append(p.Dropped, file.Path)
		case path.Dir(folder) == formsFolder:
			if p.Processors == nil {
				p.Processors = map[string][]string{}
			}
			processor := path.Base(folder)
			p.Processors[processor] = append(p.Processors[processor], file.Path)
		}
	}
}

// Where the values of a column come from.
const (
	sourceSeed      = "seed"
	sourceGenerated = "generated"
)

// nameColumns adds the columns in their order, those that are dropped too, without their counts; the schema is that of the files with the
// rows. While only the spec is known, the columns are those of the metadata that is there; without any, there are no files either.
func (s *Store) nameColumns(document *metadata, input *Description) error {
	if s.layout.Schema == nil {
		var earlier metadata
		data, err := s.get(metadataFile)
		if err != nil {
			return err
		}
		if data == nil || json.Unmarshal(data, &earlier) != nil || earlier.ConfigHash != input.ConfigHash {
			return nil
		}
		document.Schema = append(document.Schema, earlier.Schema...)
		document.DroppedColumns = append(document.DroppedColumns, earlier.DroppedColumns...)
		for _, column := range earlier.Columns {
			document.Columns = append(document.Columns, newMetadataColumn(column.Name, column.Type, column.Source))
		}
		return nil
	}
	for _, field := range s.layout.columns(s.layout.output()) {
		document.Schema = append(document.Schema, metadataField{field.Name, field.Type.String()})
	}
	for _, field := range s.layout.dropped() {
		document.DroppedColumns = append(document.DroppedColumns, field.Name)
	}
	for _, field := range s.layout.Schema.Fields() {
		source := sourceGenerated
		if slices.Contains(input.SeedColumns, field.Name) {
			source = sourceSeed
		}
		document.Columns = append(document.Columns, newMetadataColumn(field.Name, field.Type.String(), source))
	}
	return nil
}

// countColumns counts the cells of the columns. Those of the seed are never made, so that their cells share the rows' fate.
func countColumns(document *metadata, input *Description, summary *Summary) {
	for i := range document.Columns {
		column := &document.Columns[i]
		if column.Source == sourceSeed {
			column.Succeeded, column.Dropped = summary.Records.Actual, summary.Records.Dropped
		}
		producedBy := column.Name
		producer, isSideEffect := input.SideEffects[column.Name]
		if isSideEffect {
			producedBy = producer
		}
		for _, counted := range summary.Columns {
			if counted.Name == producedBy {
				column.Succeeded, column.Failed, column.Dropped, column.Skipped = counted.Succeeded, counted.Failed, counted.Dropped, counted.Skipped
				if !isSideEffect { // which costs nothing beside its column
					column.Draws = drawsIn(counted.Draws)
					column.metadataUsage = usageIn(counted.Usage, input.columnCost(counted))
				}
			}
		}
	}
}
