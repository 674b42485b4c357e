package plan

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
)

// identityVersion is raised when the same spec begins to give other rows, so that no run goes on in the files of an older engine.
const identityVersion = 3

// ConfigHash returns the identity of a run as "sha256:" and 64 hexadecimal digits: two specs with the same hash give the same rows,
// and may go on in each other's files.
//
// In it: randomSeed; the seed's source, format, order and samples; the columns in their order; for each model column the provider's type
// and endpoint, the name of the model, its parameters, extra body, rowSeed and dimensions of embeddings, and how the model is brought to
// answer in a schema, where it is to; for each column with tools the servers (type and endpoint, or image, command and environment),
// allowTools and maxTurns; the constraints and the processors in their order; the size of row groups, since a row group is the unit in
// which files are resumed, and the unit on which processors and Batch code work; rowColumn, since all files of a dataset have the same
// columns.
//
// Not in it: numRecords, so that a run can be extended, but where a column of exact balance goes by it; parallelism, suspend,
// completionPolicy, limits, output, publish, pod, the headers of requests for the seed, the credentials for its bucket, the token for
// its repository, and of run all but rowGroupSize and rowColumn; a provider's name, API key, extra headers, TLS, proxy and
// maxParallelRequests, a model's alias, streaming, encoding of embeddings, maxParallelRequests, admission and timeoutSeconds; a column's
// weight; the names, API keys and timeouts of tools; the failurePolicy of a processor; models, providers, and tools that no column uses; a
// default that is written out.
// The contents of what a reference names (a ConfigMap, a file, a URL) are not looked at either: whoever replaces the data behind a seed
// and wants new rows changes randomSeed.
func ConfigHash(spec *v1alpha1.DatasetGenerationSpec) string { return RunHash(spec, "") }

// RunHash is the same for a spec whose seed is the dataset of another resource: the digest of that dataset's rows is a part of the
// identity.
func RunHash(spec *v1alpha1.DatasetGenerationSpec, rowsDigest string) string {
	sum := sha256.Sum256(canonical(spec, rowsDigest))
	return "sha256:" + hex.EncodeToString(sum[:])
}

type identity struct {
	Version      int              `json:"version"`
	RandomSeed   int64            `json:"randomSeed"`
	Seed         *v1alpha1.Seed   `json:"seed,omitempty"`
	Columns      []columnIdentity `json:"columns"`
	RowGroupSize int64            `json:"rowGroupSize"`

	Constraints []v1alpha1.Constraint `json:"constraints,omitempty"`
	// Processors are without what a failure of them leads to.
	Processors []v1alpha1.Processor `json:"processors,omitempty"`
	RowColumn  bool                 `json:"rowColumn,omitempty"`
	// SeedRows is the digest of the rows of the dataset that is the seed.
	SeedRows string `json:"seedRows,omitempty"`
	// NumRecords is set where values go by it.
	NumRecords int64 `json:"numRecords,omitempty"`
}

type columnIdentity struct {
	Column v1alpha1.Column `json:"column"`
	Model  *modelIdentity  `json:"model,omitempty"`
	Tools  *toolsIdentity  `json:"tools,omitempty"`
}

type modelIdentity struct {
	ProviderType v1alpha1.ProviderType     `json:"providerType"`
	Endpoint     string                    `json:"endpoint"`
	Model        string                    `json:"model"`
	Parameters   *v1alpha1.ModelParameters `json:"parameters,omitempty"`
	ExtraBody    map[string]any            `json:"extraBody,omitempty"`
	RowSeed      bool                      `json:"rowSeed,omitempty"`
	Dimensions   *int32                    `json:"dimensions,omitempty"`

	StructuredOutput v1alpha1.StructuredOutputMethod `json:"structuredOutput,omitempty"`
	SchemaInPrompt   bool                            `json:"schemaInPrompt,omitempty"`
}

// toolsIdentity is what of the tools of a column shapes its rows.
type toolsIdentity struct {
	Servers    []toolServerIdentity `json:"servers"`
	AllowTools []string             `json:"allowTools,omitempty"`
	MaxTurns   int                  `json:"maxTurns"`
}

type toolServerIdentity struct {
	Type     v1alpha1.ToolServerType `json:"type"`
	Endpoint string                  `json:"endpoint,omitempty"`
	Image    string                  `json:"image,omitempty"`
	Command  []string                `json:"command,omitempty"`
	// Env has the values of variables; those from a Secret have their name only.
	Env map[string]string `json:"env,omitempty"`
}

// canonical returns what shapes rows as JSON with sorted keys and without spaces, in which equal meanings have equal bytes.
func canonical(spec *v1alpha1.DatasetGenerationSpec, rowsDigest string) []byte {
	spec = withCategories(spec.DeepCopy())
	description := identity{
		Version:      identityVersion,
		RandomSeed:   spec.RandomSeed,
		Seed:         spec.Seed,
		RowGroupSize: spec.EffectiveRowGroupSize(),
		RowColumn:    spec.HasRowColumn(),
		Constraints:  spec.Constraints,
		SeedRows:     rowsDigest,
	}
	if len(spec.SeedHeaders()) > 0 {
		spec.Seed.HTTP.Headers = nil // what they lead to is looked at when it is read
	}
	if store := spec.SeedStore(); store != nil { // how it is reached is no part of what is read
		*store = v1alpha1.ObjectStoreSeed{URL: store.URL, Endpoint: store.Endpoint}
	}
	if repository := spec.SeedRepository(); repository != nil {
		repository.TokenSecretRef = nil
		repository.Endpoint, repository.Revision = strings.TrimSuffix(repository.EffectiveEndpoint(), "/"), repository.EffectiveRevision()
	}
	writeSeedDefaults(spec.Seed)
	for _, column := range spec.Columns {
		if column.Sampler != nil && column.Sampler.Category.IsBalanced() {
			description.NumRecords = spec.NumRecords
		}
		entry := columnIdentity{Model: identifyModel(spec, &column), Tools: identifyTools(spec, &column)}
		writeDefaults(&column)
		column.Weight = nil
		if alias := column.ModelAlias(); alias != nil {
			// The alias only names the model, which stands beside the column.
			*alias = ""
		}
		if prompt := column.Prompt(); prompt != nil {
			prompt.Tools = "" // as the model
		}
		entry.Column = column
		description.Columns = append(description.Columns, entry)
	}
	for _, processor := range spec.Processors {
		processor.FailurePolicy = ""
		description.Processors = append(description.Processors, processor)
	}
	return sortedJSON(description)
}

func writeSeedDefaults(seed *v1alpha1.Seed) {
	if seed == nil {
		return
	}
	if seed.Order == "" {
		seed.Order = v1alpha1.SeedOrdered
	}
	for i := range seed.SampleRows {
		seed.SampleRows[i].From = seed.SampleRows[i].EffectiveFrom()
	}
	if asked := seed.Files; asked != nil {
		asked.Content, asked.Encoding = asked.EffectiveContent(), asked.EffectiveEncoding()
	}
	writeDocumentDefaults(seed.Documents)
	if asked := seed.AgentRollouts; asked != nil {
		asked.OnError = asked.EffectiveOnError()
	}
	if rows := seed.RowsPerSeedRow; rows != nil && rows.Sampler != nil && len(sampler.Validate(rows.Sampler)) == 0 {
		sampler.WriteDefaults(rows.Sampler)
	}
}

// identifyModel returns what shapes the answers of a column's model; nil for a column without a (known) one.
func identifyModel(spec *v1alpha1.DatasetGenerationSpec, column *v1alpha1.Column) *modelIdentity {
	alias := column.ModelAlias()
	if alias == nil {
		return nil
	}
	model := spec.Model(*alias)
	if model == nil {
		return nil
	}
	result := &modelIdentity{Model: model.Model, Parameters: model.Parameters, RowSeed: model.RowSeed == v1alpha1.RowSeedEnabled}
	if row := rowOf(column); row != nil {
		if row.requests == RequestsEmbedding && model.Embedding != nil {
			result.Dimensions = model.Embedding.Dimensions
		}
		if row.inSchema && model.StructuredOutput != v1alpha1.StructuredOutputPrompt {
			result.StructuredOutput = model.StructuredOutput
		}
	}
	if provider := spec.Provider(model.Provider); provider != nil {
		result.ProviderType, result.Endpoint = provider.Type, provider.Endpoint
		result.ExtraBody = provider.ExtraBodyOf(model)
	}
	return result
}

// identifyTools returns what shapes the answers of a column through its tools; nil for a column without (known) ones. Sets have no order.
func identifyTools(spec *v1alpha1.DatasetGenerationSpec, column *v1alpha1.Column) *toolsIdentity {
	prompt := column.Prompt()
	if prompt == nil || prompt.Tools == "" {
		return nil
	}
	at := slices.IndexFunc(spec.Tools, func(set v1alpha1.ToolSet) bool { return set.Alias == prompt.Tools })
	if at < 0 {
		return nil
	}
	set := &spec.Tools[at]
	result := &toolsIdentity{AllowTools: slices.Sorted(slices.Values(set.AllowTools)), MaxTurns: set.EffectiveMaxTurns()}
	for i := range spec.ToolServers {
		server := &spec.ToolServers[i]
		if !slices.Contains(set.Servers, server.Name) {
			continue
		}
		entry := toolServerIdentity{Type: server.Type, Endpoint: server.Endpoint}
		if server.Stdio != nil {
			entry.Image, entry.Command = server.Stdio.Image, server.Stdio.Command
			for _, variable := range server.Stdio.Env {
				if entry.Env == nil {
					entry.Env = map[string]string{}
				}
				entry.Env[variable.Name] = ""
				if variable.Value != nil {
					entry.Env[variable.Name] = *variable.Value
				}
			}
		}
		result.Servers = append(result.Servers, entry)
	}
	slices.SortFunc(result.Servers, func(a, b toolServerIdentity) int { return cmp.Compare(string(sortedJSON(a)), string(sortedJSON(b))) })
	return result
}

// writeDefaults sets the defaults of a column's fields, so that writing one out changes no hash.
func writeDefaults(column *v1alpha1.Column) {
	if column.AllowResize != nil && !*column.AllowResize {
		column.AllowResize = nil
	}
	if !column.IsDropped() {
		column.Drop = nil
	}
	if column.PropagatesSkip() {
		column.PropagateSkip = nil
	}
	if column.Skip != nil && column.Skip.Value != nil && string(bytes.TrimSpace(column.Skip.Value.Raw)) == "null" {
		column.Skip.Value = nil
	}
	if row := rowOf(column); row != nil && row.writeDefaults != nil {
		row.writeDefaults(column)
	}
}

// sortedJSON writes a value as JSON with the keys of every object sorted, also those of JSON that a user wrote freely, and with
// numbers as they were written.
func sortedJSON(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		// Only JSON that is not valid, which no decoder of a spec lets in, can't be marshalled; what is left still tells specs apart.
		return []byte(err.Error())
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return data
	}
	var canonical bytes.Buffer
	encoder := json.NewEncoder(&canonical)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(tree); err != nil {
		return data
	}
	return bytes.TrimRight(canonical.Bytes(), "\n")
}
