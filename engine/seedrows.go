package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/run"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/seedrows"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
)

// seedRows are the rows of the seed in the order of the dataset.
type seedRows struct {
	dataset  *seed.Dataset
	selector *seed.Selector
	// index says which row of the seed a row follows from; nil where each row of the seed is one row.
	index *seedrows.Index
	// numbered says that a last column has the number of a row among those that follow from the same row of the seed.
	numbered bool
	// samples says which further rows of the seed a row has; nil where it has none.
	samples *seed.Samples
}

// openSeed opens the seed, and sees that enough rows follow from it.
func (p *prepared) openSeed(ctx context.Context) (_ *seedRows, err error) {
	expansion, err := seedrows.New(p.spec)
	if err != nil {
		return nil, err
	}
	if p.seed, err = p.loadSeed(ctx, seedLimit(p.spec, expansion)); err != nil {
		return nil, err
	}
	rows := &seedRows{dataset: p.seed, selector: seed.NewSelector(p.seed.Len(), p.spec.Seed.Order, p.spec.RandomSeed)}
	if rows.samples, err = seed.NewSamples(p.spec, p.seed.Len()); err != nil {
		return nil, err
	}
	if expansion == nil {
		return rows, nil
	}
	rows.numbered = p.spec.Seed.RowsPerSeedRow.NumberColumn != ""
	rows.index = seedrows.NewIndex(expansion, func(position int64) int64 {
		return rows.dataset.Number(rows.selector.Index(table.RowIndex(position)))
	})
	return rows, p.checkExpansion(rows)
}

// checkExpansion sees that as many rows follow from the seed as are asked for.
func (p *prepared) checkExpansion(rows *seedRows) error {
	length := int64(rows.dataset.Len())
	if rows.index.Positions(p.spec.NumRecords, length) < length {
		return nil
	}
	total := rows.index.Total(length)
	if total == 0 {
		return failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun,
			"no row follows from the %d rows of the seed, by spec.seed.rowsPerSeedRow", length)
	}
	if total < p.spec.NumRecords && p.config.Few {
		p.spec.NumRecords = total
	}
	if total < p.spec.NumRecords {
		advice := ""
		if p.spec.SeedDataset() != nil {
			advice = ", or leave it out"
		}
		return failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun,
			"%d rows follow from the %d rows of the seed, by spec.seed.rowsPerSeedRow, and spec.numRecords asks for %d: lower it to %d%s", total,
			length, p.spec.NumRecords, total, advice)
	}
	return nil
}

// maxAhead is for how many rows of a seed at most the numbers of their rows are drawn to tell how much of the seed is wanted.
const maxAhead = 20_000_000

// seedLimit is how many rows of the seed are wanted, of one that is taken in its order; 0 is any number.
func seedLimit(spec *v1alpha1.DatasetGenerationSpec, expansion *seedrows.Expansion) int64 {
	if len(spec.SeedCategories()) > 0 {
		return 0 // whose values are those of all rows
	}
	if expansion == nil {
		return spec.NumRecords
	}
	offset := int64(0)
	if selection := spec.Seed.Selection; selection != nil {
		offset = selection.EffectiveOffset()
	}
	index := seedrows.NewIndex(expansion, func(position int64) int64 { return offset + position })
	if wanted := index.Positions(spec.NumRecords, maxAhead); wanted < maxAhead {
		return wanted
	}
	return 0
}

// loadSeed reads the seed, from where it lies.
func (p *prepared) loadSeed(ctx context.Context, rows int64) (*seed.Dataset, error) {
	if p.spec.SeedDataset() != nil {
		return p.loadDataset(ctx, rows)
	}
	client := p.seedClient()
	defer client.CloseIdleConnections()
	options := seed.Options{
		Directory: p.config.SeedDirectory, Remote: p.openSeedPlace, Client: client, Header: p.config.SeedHeader, Rows: rows,
		Few: p.config.Few, Document: p.reportDocument,
	}
	load := func() (*seed.Dataset, error) { return seed.Load(ctx, p.spec.Seed, options) }
	if p.spec.Seed.Documents == nil && p.spec.Seed.AgentRollouts == nil {
		return load()
	}
	return p.loadDocuments(load)
}

// seedDescription says in words which data the seed is, where they tell it from others.
func (p *prepared) seedDescription() string {
	if p.seed == nil {
		return ""
	}
	return p.seed.Version()
}

// openRows finds the files of the dataset that is the seed.
func (p *prepared) openRows(ctx context.Context, folder, form string) (*store.RowFiles, error) {
	if place := p.config.SeedStore; place != nil {
		return store.OpenRowsInBucket(ctx, p.config.bucket(place), folder, form)
	}
	return store.OpenRows(p.config.SeedDirectory, folder, form)
}

// loadDataset reads the dataset of another resource, which must be as it was when this run was started.
func (p *prepared) loadDataset(ctx context.Context, rows int64) (*seed.Dataset, error) {
	resolved := p.config.Run.SeedDataset
	if resolved == nil {
		return nil, failure.New(v1alpha1.ReasonInternalError, failure.EndRun,
			"the run does not say where the dataset of spec.seed.datasetRef lies")
	}
	source := fmt.Sprintf("dataset %q", resolved.Name)
	found, err := p.openRows(ctx, resolved.Path, p.spec.Seed.DatasetRef.Form)
	switch {
	case errors.Is(err, store.ErrNoDataset):
		return nil, failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun, "the seed %s can't be used: %v; was it deleted?", source, err)
	case err != nil:
		failed := failure.Wrap(err, v1alpha1.ReasonSeedFailed, failure.EndRun, "the seed %s can't be read", source)
		failed.Temporary = true
		return nil, failed
	}
	defer func() { _ = found.Close() }() // was only read
	if strings.HasPrefix(resolved.RowsDigest, store.RowsDigestPrefix) && found.Digest != resolved.RowsDigest {
		changed := failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun,
			"the rows of the seed %s have changed since this run was started; it begins anew once that dataset is complete", source)
		changed.Temporary = true
		return nil, changed
	}
	if form := p.spec.Seed.DatasetRef.Form; form != "" && len(found.Files) == 0 {
		return nil, failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun,
			"the seed %s has no form %q: no processor of it that makes a form is called so; correct spec.seed.datasetRef.form", source, form)
	}
	parts := make([]seed.Part, len(found.Files))
	for i, file := range found.Files {
		parts[i] = seed.Part{Name: file.Name, Rows: file.Rows, Read: func() ([]byte, error) { return found.Read(file) }}
	}
	return seed.LoadDataset(ctx, p.spec.Seed, source, strings.TrimPrefix(found.Digest, store.RowsDigestPrefix), parts, rows)
}

// Fetch reads the seed's rows that belong to rows of the dataset, or the first of them.
func (s *seedRows) Fetch(rows []table.RowIndex) (run.SeedRows, error) {
	positions, numbers := s.positions(rows)
	var fetched run.SeedRows
	var err error
	if s.samples == nil {
		fetched, err = s.fetchOwn(positions)
	} else {
		fetched, err = s.fetchSampled(rows, positions)
	}
	if err != nil || !s.numbered {
		return fetched, err
	}
	return &numberedRows{fetched, s.dataset.Schema().Len(), numbers}, nil
}

// fetchOwn reads the rows of the seed at some positions.
func (s *seedRows) fetchOwn(positions []int) (run.SeedRows, error) {
	rows, err := s.dataset.Fetch(positions)
	if err != nil || !rows.HasColumns() {
		return rows, err
	}
	return columnRows{rows}, nil
}

// columnRows are rows of the seed that can be decoded column by column.
type columnRows struct{ *seed.Rows }

// Columns implements run.SeedColumns.
func (c columnRows) Columns() ([]*table.Column, error) { return c.Rows.Columns() }

// Part implements run.SeedColumns.
func (c columnRows) Part(start, end int) run.SeedColumns { return columnRows{c.Rows.Part(start, end)} }

// positions are those of the rows of the seed that rows of the dataset follow from. Where several may follow from the same one, numbers has
// those of the rows among them, from 1.
func (s *seedRows) positions(rows []table.RowIndex) (positions []int, numbers []int64) {
	positions = make([]int, len(rows))
	if s.index == nil {
		for i, row := range rows {
			positions[i] = s.selector.Index(row)
		}
		return positions, nil
	}
	numbers = make([]int64, len(rows))
	var place seedrows.Place
	for i, row := range rows {
		if i > 0 && row == rows[i-1]+1 {
			place = s.index.Next(place)
		} else {
			place = s.index.Find(int64(row))
		}
		positions[i] = s.selector.Index(table.RowIndex(place.Position))
		numbers[i] = place.Number + 1
	}
	return positions, numbers
}

// Number is the number of the seed's row that belongs to a row of the dataset.
func (s *seedRows) Number(row table.RowIndex) int64 {
	if s.index != nil {
		row = table.RowIndex(s.index.Find(int64(row)).Position)
	}
	return s.dataset.Number(s.selector.Index(row))
}

// numberedRows are rows of the seed with a last column: their numbers among those that follow from the same row of the seed.
type numberedRows struct {
	run.SeedRows
	// column is the place of that column.
	column  int
	numbers []int64
}

// Row implements run.SeedRows.
func (n *numberedRows) Row(number int, cells []any) ([]string, error) {
	cells[n.column] = n.numbers[number]
	return n.SeedRows.Row(number, cells)
}
