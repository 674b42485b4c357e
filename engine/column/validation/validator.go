package validation

import (
	"context"
	"errors"
	"net/http"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/validate"
	"seedloom.dev/seedloom/engine/validate/process"
	"seedloom.dev/seedloom/engine/validate/ruff"
	"seedloom.dev/seedloom/engine/validate/syntax"
)

// Checkers are what the validators of a run share: the processes that parse, Ruff, and connections. They are started as they are needed;
// Close ends them. Who makes them closes them.
type Checkers struct {
	parsers *process.Pool
	python  *ruff.Linter
	http    *http.Client
	header  HeaderOf
}

// HeaderOf returns the value of the header with an index in validation.remote of a column, where it comes from a Secret.
type HeaderOf func(column string, index int) string

// NewCheckers returns checkers of which nothing runs yet. endpoints says where requests may be sent; nil is anywhere. header may be nil
// where no header of a server comes from a Secret.
func NewCheckers(endpoints *connection.Endpoints, header HeaderOf) *Checkers {
	if header == nil {
		header = func(string, int) string { return "" }
	}
	return &Checkers{parsers: process.NewPool(), python: ruff.New(), http: newHTTPClient(endpoints), header: header}
}

// Close ends what was started. Nothing may be validated any more.
func (c *Checkers) Close() {
	c.parsers.Close()
	c.python.Close()
	c.http.CloseIdleConnections()
}

// valueValidator judges values one by one. It is called from many goroutines at once.
type valueValidator interface {
	// judge says what is wrong with a value, which is not null. Its error is that of the context, or a failure.Error.
	judge(ctx context.Context, kind table.Type, value any) (validate.Verdict, error)
}

// newValueValidator makes the validator of a column that judges its targets one by one.
func newValueValidator(name string, spec *v1alpha1.Validation, checkers *Checkers) (valueValidator, error) {
	switch {
	case spec.Code != nil && spec.Code.Language == validate.Python:
		return newPythonValidator(name, spec.Code.PythonRules(), checkers)
	case spec.Code != nil && syntax.Knows(string(spec.Code.Language)):
		return &codeValidator{language: string(spec.Code.Language), checkers: checkers}, nil
	case spec.JSONSchema != nil:
		schema, problems := structured.CompileExact(spec.JSONSchema.Schema.Raw)
		if len(problems) > 0 {
			return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: jsonSchema.schema.%s %s", name, problems[0].Path,
				problems[0].Message)
		}
		return &schemaValidator{schema: schema}, nil
	}
	return nil, failure.New(v1alpha1.ReasonInternalError, failure.EndRun, "column %q: no validator is known for its kind", name)
}

// textOf is a value as a text: texts as they are, all others as JSON.
func textOf(kind table.Type, value any) (string, error) {
	if text, isText := value.(string); isText && kind.Kind == table.KindString {
		return text, nil
	}
	data, err := table.AppendJSON(nil, kind, value)
	return string(data), err
}

// pythonValidator judges Python by rules of Ruff, or its syntax alone.
type pythonValidator struct {
	rules    []string
	checkers *Checkers
}

// newPythonValidator starts Ruff, so that rules that it does not know are found before the first row.
func newPythonValidator(name string, rules []string, checkers *Checkers) (valueValidator, error) {
	err := checkers.python.Prepare(context.Background(), rules)
	var unknown *ruff.RulesError
	if errors.As(err, &unknown) {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: code.python.select: Ruff refuses it: %s", name,
			unknown.Message)
	}
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "column %q", name)
	}
	return &pythonValidator{rules: rules, checkers: checkers}, nil
}

func (v *pythonValidator) judge(ctx context.Context, kind table.Type, value any) (validate.Verdict, error) {
	code, err := textOf(kind, value)
	if err != nil {
		return validate.Undecided("the value can't be read as a text: %v", err), nil
	}
	verdict, err := v.checkers.python.Check(ctx, v.rules, code)
	if err != nil && ctx.Err() == nil {
		err = failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "judging Python")
	}
	return verdict, err
}

// codeValidator judges the syntax of code.
type codeValidator struct {
	language string
	checkers *Checkers
}

func (v *codeValidator) judge(ctx context.Context, kind table.Type, value any) (validate.Verdict, error) {
	code, err := textOf(kind, value)
	if err != nil {
		return validate.Undecided("the value can't be read as a text: %v", err), nil
	}
	verdict, err := v.checkers.parsers.Check(ctx, v.language, code)
	if err != nil && ctx.Err() == nil {
		err = failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "judging %s", v.language)
	}
	return verdict, err
}

// maxMistakes is how many mistakes of a document are listed.
const maxMistakes = 20

// schemaValidator judges documents by a JSON Schema.
type schemaValidator struct{ schema *structured.Exact }

func (v *schemaValidator) judge(_ context.Context, kind table.Type, value any) (validate.Verdict, error) {
	document, err := textOf(kind, value)
	if err != nil {
		return validate.Undecided("the value can't be read as a document: %v", err), nil
	}
	if len(document) > process.MaxBytes {
		return validate.Undecided("the document has %d bytes; at most %d are judged", len(document), process.MaxBytes), nil
	}
	var messages []validate.Message
	for _, mistake := range v.schema.Mistakes(document, maxMistakes) {
		messages = append(messages, validate.Message{Text: mistake})
	}
	return validate.Judge(messages), nil
}
