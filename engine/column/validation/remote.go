package validation

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/validate"
)

// remoteValidator judges rows by a server of the user's. What can't be asked is not judged, and no failure of the row.
type remoteValidator struct {
	judge
	spec   *v1alpha1.RemoteValidator
	client *remoteClient
	// extra is the schema of what the server adds to its verdicts; nil where it adds nothing.
	extra *structured.Schema
}

func newRemoteValidator(config Config) (*remoteValidator, error) {
	spec := config.Spec.Remote
	extra, err := column.SchemaOf(config.Name, spec.Schema)
	if err != nil {
		return nil, err
	}
	headers, err := connection.NewHeaders(spec.Headers, func(index int) string { return config.Checkers.header(config.Name, index) })
	if err != nil {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: validation.remote: %v", config.Name, err)
	}
	return &remoteValidator{
		judge: newJudge(config), spec: spec, client: &remoteClient{spec: spec, http: config.Checkers.http, headers: headers}, extra: extra,
	}, nil
}

// verdictOn judges one row.
func (v *remoteValidator) verdictOn(ctx context.Context, record *table.Record) (validate.Verdict, error) {
	verdicts, err := v.ask(ctx, []*table.Record{record})
	if err != nil {
		return validate.Verdict{}, err
	}
	return verdicts[0], nil
}

// GenerateBatch judges the rows of a row group, some of them with each request. It never resizes.
func (v *remoteValidator) GenerateBatch(ctx context.Context, records []*table.Record, _ bool) ([]column.BatchValue, error) {
	values := make([]column.BatchValue, len(records))
	size := v.spec.EffectiveBatchSize()
	places := make(chan struct{}, v.spec.EffectiveMaxParallelRequests())
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	for first := 0; first < len(records) && ctx.Err() == nil; first += size {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		group.Go(func() {
			defer func() { <-places }()
			batch := records[first:min(first+size, len(records))]
			verdicts, err := v.ask(ctx, batch)
			if err != nil {
				cancel(err)
				return
			}
			for i, verdict := range verdicts {
				values[first+i] = column.BatchValue{Source: first + i, Value: v.form.Cell(verdict)}
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return values, nil
}

// ask has the server judge rows. Its error is that of the context, or ends the run.
func (v *remoteValidator) ask(ctx context.Context, records []*table.Record) ([]validate.Verdict, error) {
	body, err := v.body(records)
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "column %q: writing rows as JSON", v.name)
	}
	items, err := v.client.post(ctx, body, len(records))
	var refused *connection.EndpointRefusal
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &refused):
		return nil, failure.New(v1alpha1.ReasonEndpointNotAllowed, failure.EndRun, "column %q: its validator may not be asked: %v", v.name,
			refused)
	}
	verdicts := make([]validate.Verdict, len(records))
	for i := range verdicts {
		if err != nil {
			verdicts[i] = v.complete(validate.Undecided("the validator could not be asked: %v", err))
			continue
		}
		verdicts[i] = v.read(items[i])
	}
	return verdicts, nil
}

// body is a request about rows: their targets by name.
func (v *remoteValidator) body(records []*table.Record) ([]byte, error) {
	fields := make([]table.Field, len(v.targets))
	for i, target := range v.targets {
		fields[i] = table.Field{Name: target.name, Type: target.kind}
	}
	body := []byte(`{"data":[`)
	for i, record := range records {
		if i > 0 {
			body = append(body, ',')
		}
		cells := make([]any, len(v.targets))
		for position, target := range v.targets {
			cells[position] = record.Cells[target.index]
		}
		var err error
		if body, err = table.AppendRecordJSON(body, fields, cells); err != nil {
			return nil, err
		}
	}
	return append(body, "]}"...), nil
}

// read reads what the server says of a row.
func (v *remoteValidator) read(said remoteVerdict) validate.Verdict {
	verdict := validate.Verdict{}
	if said.valid != nil {
		verdict.Outcome = validate.Invalid
		if *said.valid {
			verdict.Outcome = validate.Valid
		}
	}
	if said.messages != "" {
		verdict.Messages = validate.Bounded([]validate.Message{{Text: said.messages}})
	}
	if v.extra == nil {
		return verdict
	}
	converted, err := v.extra.Convert(string(said.rest))
	if err != nil {
		return v.complete(validate.Undecided("what the validator has answered does not match the schema: %v", err))
	}
	verdict.Extra, _ = converted.([]any) // as the schema is one of an object
	return v.complete(verdict)
}

// complete gives a verdict a value for each field that the schema describes.
func (v *remoteValidator) complete(verdict validate.Verdict) validate.Verdict {
	if v.extra != nil && verdict.Extra == nil {
		verdict.Extra = make([]any, len(v.extra.Type().Fields))
	}
	return verdict
}

// Batch is what judges the rows of a row group at once; nil for a generator that judges them one by one.
func (g *Generator) Batch() column.BatchGenerator {
	if remote, isRemote := g.rows.(*remoteValidator); isRemote {
		return remote
	}
	return nil
}

var errAnswer = errors.New("its answer is not as it must be")

func answerError(format string, arguments ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errAnswer}, arguments...)...)
}
