package plan

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/table"
)

// columnName is what a column may be called. The custom resource has the same pattern; a spec that did not pass through the API
// server is held to it here.
var columnName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// Validate returns everything that is wrong with a spec, as far as it can be known without the data of the seed, in the order of
// the spec's fields: a name that no column has may be one of the seed's columns, and is then no violation here. Compile
// checks those too.
func Validate(spec *v1alpha1.DatasetGenerationSpec) []Violation {
	checks := newValidation(spec)
	checks.run(spec.Seed != nil)
	return checks.violations
}

// validation collects the violations of one spec, and what compiling needs of what it has found out on the way.
type validation struct {
	spec       *v1alpha1.DatasetGenerationSpec
	violations []Violation
	// seedNames are the columns of the seed, where they are known, and seedTypes their types.
	seedNames []string
	seedTypes map[string]table.Type
	// columns maps names to indexes in spec.columns. Of columns with one name it has the first.
	columns map[string]int
	// producers has also the names of side-effect columns, with the columns that they are made with.
	producers map[string]int
	// references are, for each column of the spec, what it reads.
	references [][]reference
	// links are the columns that constraints link.
	links *links
	// templates are those of the columns, each with its field.
	templates []fieldTemplate
}

// fieldTemplate is a template that parses, and the field that has it.
type fieldTemplate struct {
	field    string
	template *jinja.Template
}

func newValidation(spec *v1alpha1.DatasetGenerationSpec) *validation {
	spec = withCategories(spec)
	v := &validation{
		spec: spec, seedTypes: map[string]table.Type{}, columns: map[string]int{},
		producers: map[string]int{}, references: make([][]reference, len(spec.Columns)),
	}
	for i, column := range spec.Columns {
		if _, taken := v.columns[column.Name]; !taken {
			v.columns[column.Name] = i
			v.producers[column.Name] = i
		}
	}
	for i := range spec.Columns {
		for _, effect := range sideEffects(&spec.Columns[i]) {
			if _, taken := v.producers[effect.Name]; !taken {
				v.producers[effect.Name] = i
			}
		}
	}
	return v
}

func (v *validation) add(field, reason, format string, arguments ...any) {
	v.violations = append(v.violations, Violation{Field: field, Reason: reason, Message: fmt.Sprintf(format, arguments...)})
}

// run makes all checks. With unknownSeed, names that no column has are taken for columns of the seed.
func (v *validation) run(unknownSeed bool) {
	if v.spec.NumRecords < 1 && (v.spec.NumRecords < 0 || v.spec.SeedDataset() == nil) {
		v.add("spec.numRecords", ReasonInvalidValue, "must be at least 1, but is %d", v.spec.NumRecords)
	}
	v.providers()
	v.models()
	v.admission()
	v.toolServers()
	v.toolSets()
	v.seed()
	if len(v.spec.Columns) == 0 {
		v.add("spec.columns", ReasonRequired, "at least one column is needed")
	}
	for i := range v.spec.Columns {
		v.column(i, unknownSeed)
	}
	for _, checked := range v.templates {
		v.paths(checked.field, checked.template)
	}
	before := len(v.violations)
	v.constraints(unknownSeed)
	constraints := slices.Clone(v.violations[before:])
	v.violations = v.violations[:before]
	v.cycles()
	v.violations = append(v.violations, constraints...)
	v.processors(unknownSeed)
	if limits := v.spec.Limits; limits != nil && limits.MaxCost != nil && !v.spec.HasPrices() {
		v.add("spec.limits.maxCost", ReasonInvalidValue, "has no effect without a price: set models[].price of at least one model")
	}
	if size := v.spec.EffectiveRowGroupSize(); size < 1 {
		v.add("spec.run.rowGroupSize", ReasonInvalidValue, "must be at least 1, but is %d", size)
	}
	v.violations = slices.Concat(v.violations, ValidatePod("spec.pod", v.spec.Pod), validateSidecars(v.spec.ToolServers))
	if store := v.spec.SeedStore(); store != nil {
		v.violations = slices.Concat(v.violations, validateSeedStore("spec.seed.objectStore", store))
	}
	if repository := v.spec.SeedRepository(); repository != nil {
		v.violations = slices.Concat(v.violations, validateSeedRepository("spec.seed.huggingFace", repository))
	}
	if place := v.spec.Output.ObjectStore; place != nil {
		v.violations = slices.Concat(v.violations, ValidateObjectStore("spec.output.objectStore", place))
	}
	if repository := v.spec.HubRepository(); repository != nil {
		v.violations = slices.Concat(v.violations, ValidateRepository("spec.publish.huggingFace", repository))
	}
}

func (v *validation) providers() {
	seen := map[string]bool{}
	for i, provider := range v.spec.Providers {
		field := fmt.Sprintf("spec.providers[%d]", i)
		if provider.Name == "" {
			v.add(field+".name", ReasonRequired, "a provider needs a name")
		} else if seen[provider.Name] {
			v.add(field+".name", ReasonDuplicateProvider, "another provider is called %q too", provider.Name)
		}
		seen[provider.Name] = true
		if provider.Type != v1alpha1.ProviderOpenAI && provider.Type != v1alpha1.ProviderAnthropic {
			v.add(field+".type", ReasonInvalidValue, "must be %s or %s, but is %q", v1alpha1.ProviderOpenAI, v1alpha1.ProviderAnthropic,
				provider.Type)
		}
		v.extraHeaders(field+".extraHeaders", provider.ExtraHeaders)
		v.extraBody(field+".extraBody", provider.ExtraBody)
		if problem := endpointProblem(provider.Endpoint); problem != "" {
			v.add(field+".endpoint", ReasonInvalidValue, "%s", problem)
		}
		if most := provider.MaxParallelRequests; most != nil && *most < 1 {
			v.add(field+".maxParallelRequests", ReasonInvalidValue, "must be at least 1, but is %d", *most)
		}
		v.connection(field, &provider)
	}
}

// endpointProblem never quotes the endpoint: a password may have been written into it.
func endpointProblem(endpoint string) string {
	parsed, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return "is not a URL; write it like http://vllm.models.svc:8000/v1"
	case parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Host == "":
		return "must be an http or https URL with a host, like http://vllm.models.svc:8000/v1"
	case parsed.User != nil:
		return "must not hold a user or a password; put the API key into a Secret and name it in apiKeySecretRef"
	case parsed.RawQuery != "" || parsed.Fragment != "":
		return "must not have a query or a fragment"
	}
	return ""
}

func (v *validation) models() {
	var providers []string
	for _, provider := range v.spec.Providers {
		providers = append(providers, provider.Name)
	}
	seen := map[string]bool{}
	for i, model := range v.spec.Models {
		field := fmt.Sprintf("spec.models[%d]", i)
		if model.Alias == "" {
			v.add(field+".alias", ReasonRequired, "a model needs an alias")
		} else if seen[model.Alias] {
			v.add(field+".alias", ReasonDuplicateModel, "another model has the alias %q too", model.Alias)
		}
		seen[model.Alias] = true
		if !slices.Contains(providers, model.Provider) {
			v.add(field+".provider", ReasonUnknownProvider, "no provider is called %q%s", model.Provider, suggestion(model.Provider, providers))
		}
		if model.Model == "" {
			v.add(field+".model", ReasonRequired, "the name by which the provider knows the model is needed")
		}
		v.extraBody(field+".extraBody", model.ExtraBody)
		v.structuredOutput(field+".structuredOutput", model.StructuredOutput)
		v.schemaInPrompt(field+".schemaInPrompt", model.SchemaInPrompt)
		for _, provider := range v.spec.Providers {
			if provider.Name != model.Provider {
				continue
			}
			v.model(field, &model, &provider)
		}
	}
}

func (v *validation) cycles() {
	for _, cycle := range findCycles(v.producers, v.references, v.spec.Columns) {
		first := cycle[0]
		field := fmt.Sprintf("spec.columns[%d]", first)
		if len(cycle) == 1 {
			v.add(field, ReasonCycle, "the column %q depends on itself", v.spec.Columns[first].Name)
			continue
		}
		names := make([]string, 0, len(cycle)+1)
		for _, index := range append(cycle, first) {
			names = append(names, v.spec.Columns[index].Name)
		}
		v.add(field, ReasonCycle, "columns depend on each other in a circle: %s", strings.Join(names, " → "))
	}
}

// candidates are the names that a column may refer to, for suggestions.
func (v *validation) candidates(except int) []string {
	names := append([]string(nil), v.seedNames...)
	for i, column := range v.spec.Columns {
		if i != except && column.Name != "" {
			names = append(names, column.Name)
			for _, effect := range sideEffects(&v.spec.Columns[i]) {
				names = append(names, effect.Name)
			}
		}
	}
	return names
}

// listSet says which members of a union are set.
func listSet(members []string) string {
	if len(members) == 0 {
		return "none is"
	}
	return strings.Join(members, " and ") + " are"
}
