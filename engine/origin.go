package engine

import (
	"encoding/json"

	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/plan"
)

// The keys of what each Parquet file says of where it comes from. docs/metadata.md describes the values.
const (
	originOfRun     = "seedloom.run"
	originOfColumns = "seedloom.columns"
)

type runOrigin struct {
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	Run        string `json:"run"`
	ConfigHash string `json:"config_hash"`
}

// columnOrigin says what a column is. Its kind is the member of the spec that defines it, or seed; a side-effect column names the one that
// it belongs to.
type columnOrigin struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Kind  string `json:"kind"`
	Model string `json:"model,omitempty"`
	Of    string `json:"of,omitempty"`
}

// origin is what the Parquet files say of where they come from. It is a function of the spec and the seed alone, so that files are the same
// whichever attempt or shard has written them.
func (o *opened) origin(compiled *plan.Plan) (parquetfile.Writer, error) {
	resolved := o.config.Run
	about, err := json.Marshal(runOrigin{resolved.Namespace, resolved.Name, resolved.RunID, resolved.ConfigHash})
	if err != nil {
		return parquetfile.Writer{}, err
	}
	columns, err := json.Marshal(columnOrigins(compiled))
	if err != nil {
		return parquetfile.Writer{}, err
	}
	return parquetfile.Writer{
		Version: o.config.Version, Metadata: map[string]string{originOfRun: string(about), originOfColumns: string(columns)},
	}, nil
}

func columnOrigins(compiled *plan.Plan) []columnOrigin {
	fields := compiled.Schema.Fields()
	origins := make([]columnOrigin, len(fields))
	for i, field := range fields {
		origins[i] = columnOrigin{Name: field.Name, Type: field.Type.String(), Kind: "seed"}
	}
	for _, column := range compiled.Columns {
		origin := &origins[column.Index]
		origin.Kind = column.Kind.String()
		origin.Model = column.ModelAlias()
		for _, sideEffect := range column.SideEffects {
			origins[sideEffect].Kind, origins[sideEffect].Of = origin.Kind, origin.Name
		}
	}
	return origins
}
