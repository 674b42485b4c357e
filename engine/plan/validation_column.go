package plan

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/validate"
)

// validationColumn checks a column that judges others.
func (v *validation) validationColumn(index int, field string) {
	spec := v.spec.Columns[index].Validation
	if len(spec.Targets) == 0 {
		v.add(field+".targets", ReasonRequired, "name at least one column to judge")
	}
	for i, name := range spec.Targets {
		v.references[index] = append(v.references[index], reference{name: name, field: fmt.Sprintf("%s.targets[%d]", field, i)})
		if slices.Contains(spec.Targets[:i], name) {
			v.add(fmt.Sprintf("%s.targets[%d]", field, i), ReasonInvalidValue, "names %q a second time", name)
		}
	}
	policies := []v1alpha1.InvalidPolicy{v1alpha1.InvalidKeep, v1alpha1.InvalidDrop, v1alpha1.InvalidCorrect}
	if spec.OnInvalid != "" && !slices.Contains(policies, spec.OnInvalid) {
		v.add(field+".onInvalid", ReasonInvalidValue, "must be one of Keep, Drop, Correct, but is %q", spec.OnInvalid)
	}
	v.validator(index, field, spec)
	v.correction(index, field, spec)
}

// correction checks that there is a model that can correct something, and notes that its column reads what else is judged with it.
func (v *validation) correction(index int, field string, spec *v1alpha1.Validation) {
	if spec.OnInvalid != v1alpha1.InvalidCorrect {
		if spec.Correction != nil {
			v.add(field+".correction", ReasonInvalidValue, "is possible with onInvalid: Correct only")
		}
		return
	}
	if attempts := spec.EffectiveCorrections(); attempts < 1 || attempts > 20 {
		v.add(field+".correction.maxAttempts", ReasonInvalidValue, "must be between 1 and 20, but is %d", attempts)
	}
	written := CorrectedTargets(v.spec, spec)
	switch {
	case len(written) == 0:
		v.add(field+".onInvalid", ReasonInvalidValue, "Correct needs a target that a model writes (llmText, llmCode, llmStructured or llmJudge)")
	case validate.FormOf(spec) == validate.FormRow && len(written) > 1:
		v.add(field+".onInvalid", ReasonInvalidValue, "Correct needs exactly one target that a model writes where rows are judged as a whole, "+
			"but %s are: name one of them in targets, and have the expression read the others", strings.Join(written, " and "))
	case validate.FormOf(spec) == validate.FormRow:
		writer := v.columns[written[0]]
		for _, read := range v.references[index] {
			if _, known := v.producers[read.name]; read.name != written[0] && (known || v.isSeedName(read.name)) {
				v.references[writer] = append(v.references[writer], read)
			}
		}
	}
}

// CorrectedTargets are those targets of a validation that a model writes, and can write anew.
func CorrectedTargets(spec *v1alpha1.DatasetGenerationSpec, validation *v1alpha1.Validation) []string {
	var written []string
	for _, target := range validation.Targets {
		for i := range spec.Columns {
			if column := &spec.Columns[i]; column.Name == target && column.Prompt() != nil {
				written = append(written, target)
			}
		}
	}
	return written
}

// validator checks the kind of a validation.
func (v *validation) validator(index int, field string, spec *v1alpha1.Validation) {
	if set := validatorsOf(spec); len(set) != 1 {
		v.add(field, ReasonInvalidUnion, "exactly one of code, jsonSchema, expression, starlark, remote must be set, but %s", listSet(set))
	}
	if spec.Code != nil {
		v.codeValidator(field, spec)
	}
	if spec.JSONSchema != nil {
		v.exactSchema(field+".jsonSchema.schema", spec.JSONSchema.Schema)
	}
	if spec.Expression != nil {
		v.template(index, field+".expression.expr", spec.Expression.Expr)
		if spec.Expression.Message != "" {
			v.template(index, field+".expression.message", spec.Expression.Message)
		}
	}
	if spec.Starlark != nil {
		for _, problem := range sandbox.Check(spec.Starlark.Source, validate.EntryPoint) {
			v.add(field+".starlark.source", ReasonStarlarkSyntax, "%s", problem)
		}
		v.extraSchema(field+".starlark.schema", spec.Starlark.Schema)
	}
	if spec.Remote != nil {
		v.remoteValidator(field, spec)
	}
}

// validatorsOf are the kinds that a validation sets.
func validatorsOf(spec *v1alpha1.Validation) []string {
	var set []string
	for _, kind := range []struct {
		name  string
		isSet bool
	}{
		{"code", spec.Code != nil}, {"jsonSchema", spec.JSONSchema != nil}, {"expression", spec.Expression != nil},
		{"starlark", spec.Starlark != nil}, {"remote", spec.Remote != nil},
	} {
		if kind.isSet {
			set = append(set, kind.name)
		}
	}
	return set
}

// remoteValidator checks a validator on a server. It never quotes the endpoint: a password may have been written into it.
func (v *validation) remoteValidator(field string, spec *v1alpha1.Validation) {
	at := field + ".remote"
	parsed, err := url.Parse(spec.Remote.Endpoint)
	switch {
	case err != nil, parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Host == "":
		v.add(at+".endpoint", ReasonInvalidValue, "must be an http or https URL with a host, like http://checker.tools.svc:8000/validate")
	case parsed.User != nil:
		v.add(at+".endpoint", ReasonInvalidValue, "must not hold a user or a password")
	}
	if spec.OnInvalid == v1alpha1.InvalidDrop {
		v.add(field+".onInvalid", ReasonInvalidValue, "Drop is not possible for remote: let an expression drop the rows by what it says")
	}
	for _, limit := range []struct {
		name        string
		value       int
		least, most int
	}{
		{"batchSize", spec.Remote.EffectiveBatchSize(), 1, 1000}, {"maxParallelRequests", spec.Remote.EffectiveMaxParallelRequests(), 1, 256},
		{"timeoutSeconds", int(spec.Remote.EffectiveTimeout().Seconds()), 1, 3600}, {"maxRetries", spec.Remote.EffectiveMaxRetries(), 0, 20},
	} {
		if limit.value < limit.least || limit.value > limit.most {
			v.add(at+"."+limit.name, ReasonInvalidValue, "must be between %d and %d, but is %d", limit.least, limit.most, limit.value)
		}
	}
	v.requestHeaders(at+".headers", spec.Remote.Headers, "Content-Type")
	v.extraSchema(at+".schema", spec.Remote.Schema)
}

// validationExecution is where a validation runs: a server gets many rows of a row group at once.
func validationExecution(column *v1alpha1.Column) Execution {
	if column.Validation.Remote != nil {
		return Batch
	}
	return Local
}

// codeValidator checks that the language is known, and is the one in which the targets are written.
func (v *validation) codeValidator(field string, spec *v1alpha1.Validation) {
	language := string(spec.Code.Language)
	if !slices.Contains(validate.Languages(), language) {
		v.add(field+".code.language", ReasonInvalidValue, "must be one of %s, but is %q: what no parser here is true to, "+
			"such as other dialects of SQL, is judged by a server of yours with remote", strings.Join(validate.Languages(), ", "), language)
		return
	}
	v.pythonRules(field+".code.python", spec.Code)
	for i, name := range spec.Targets {
		target := v.spec.Column(name)
		if target != nil && target.LLMCode != nil && string(target.LLMCode.Language) != language {
			v.add(fmt.Sprintf("%s.targets[%d]", field, i), ReasonInvalidValue, "column %q is written in %s, but is judged as %s", name,
				target.LLMCode.Language, language)
		}
	}
}

// ruleName is the name of a rule of Ruff, or its beginning.
var ruleName = regexp.MustCompile(`^[A-Z]+[0-9]*$`)

// pythonRules checks the rules by which Python is judged, as far as it can be known without Ruff.
func (v *validation) pythonRules(field string, code *v1alpha1.CodeValidator) {
	rules := code.Python
	if rules == nil {
		return
	}
	if code.Language != validate.Python {
		v.add(field, ReasonInvalidValue, "is possible with language: python only")
	}
	if rules.Check != "" && rules.Check != v1alpha1.PythonCheckRules && rules.Check != v1alpha1.PythonCheckSyntax {
		v.add(field+".check", ReasonInvalidValue, "must be one of Rules, Syntax, but is %q", rules.Check)
	}
	if rules.Check == v1alpha1.PythonCheckSyntax && len(rules.Select) > 0 {
		v.add(field+".select", ReasonInvalidValue, "is possible with check: Rules only")
	}
	for i, rule := range rules.Select {
		if !ruleName.MatchString(rule) {
			v.add(fmt.Sprintf("%s.select[%d]", field, i), ReasonInvalidValue,
				"must be the name of a rule, such as F821, or its beginning, such as PL, but is %q", rule)
		}
	}
}

func (v *validation) exactSchema(field string, schema *apiextensionsv1.JSON) {
	if schema == nil {
		v.add(field, ReasonRequired, "the schema is needed")
		return
	}
	_, problems := structured.CompileExact(schema.Raw)
	v.schemaProblems(field, problems)
}

// extraSchema checks what a validator adds to its verdicts.
func (v *validation) extraSchema(field string, schema *apiextensionsv1.JSON) {
	if schema == nil {
		return
	}
	compiled, problems := structured.Compile(schema.Raw)
	v.schemaProblems(field, problems)
	if len(problems) > 0 {
		return
	}
	kind := compiled.Type()
	if kind.Kind != table.KindStruct {
		v.add(field, ReasonInvalidValue, "must describe an object with properties")
		return
	}
	for _, property := range kind.Fields {
		if property.Name == "is_valid" || property.Name == "error_messages" {
			v.add(field+".properties."+property.Name, ReasonInvalidValue, "is there without being described: remove it")
		}
	}
}

// validationType is the type of the verdicts of a column.
func validationType(column *v1alpha1.Column) (table.Type, error) {
	spec := column.Validation
	form := validate.FormOf(spec)
	if form == validate.FormRow {
		extra, err := extraFields(column)
		return form.Type(extra...), err
	}
	if len(spec.Targets) == 1 {
		return form.Type(), nil
	}
	kind := table.Type{Kind: table.KindStruct}
	for _, target := range spec.Targets {
		kind.Fields = append(kind.Fields, table.Field{Name: target, Type: form.Type()})
	}
	return kind, nil
}

// extraFields are those that a validator of whole rows adds to its verdicts.
func extraFields(column *v1alpha1.Column) ([]table.Field, error) {
	var document *apiextensionsv1.JSON
	switch spec := column.Validation; {
	case spec.Starlark != nil:
		document = spec.Starlark.Schema
	case spec.Remote != nil:
		document = spec.Remote.Schema
	}
	if document == nil {
		return nil, nil
	}
	schema, problems := structured.Compile(document.Raw)
	if len(problems) > 0 || schema.Type().Kind != table.KindStruct {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: the schema of what is added is not one of an object",
			column.Name)
	}
	return schema.Type().Fields, nil
}

func writeValidationDefaults(column *v1alpha1.Column) {
	spec := column.Validation
	if spec.Code != nil && spec.Code.Language == validate.Python {
		spec.Code.Python = &v1alpha1.PythonRules{Check: v1alpha1.PythonCheckRules, Select: spec.Code.PythonRules()}
	}
	if spec.OnInvalid == v1alpha1.InvalidKeep {
		spec.OnInvalid = ""
	}
	if spec.Remote != nil {
		// How rows are sent, and with which key, changes no verdict.
		spec.Remote.BatchSize, spec.Remote.MaxParallelRequests, spec.Remote.TimeoutSeconds, spec.Remote.MaxRetries = nil, nil, nil, nil
		spec.Remote.Headers = nil
	}
	if spec.OnInvalid == v1alpha1.InvalidCorrect {
		attempts, exhausted := spec.EffectiveCorrections(), v1alpha1.ExhaustedKeep
		if !spec.KeepsExhausted() {
			exhausted = v1alpha1.ExhaustedDrop
		}
		spec.Correction = &v1alpha1.Correction{MaxAttempts: &attempts, OnExhausted: exhausted}
	}
}
