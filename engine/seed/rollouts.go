package seed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed/files"
	"seedloom.dev/seedloom/engine/seed/rollout"
	"seedloom.dev/seedloom/engine/table"
)

// maxRollout bounds a file with a recorded session, which is read into memory.
const maxRollout = 64 << 20

// RolloutColumns are those of a seed in which each recorded session of an agent is a row, whatever the sessions are.
func RolloutColumns(spec *v1alpha1.Seed) ([]table.Field, error) {
	return Columns(spec, rollout.Fields())
}

// loadRollouts opens recorded sessions of agents as a seed in which each is a row. Each that was read, or left out, is reported in its
// order.
func loadRollouts(ctx context.Context, spec *v1alpha1.Seed, options Options) (*Dataset, error) {
	from := severalOf(spec, options)
	if from == nil && spec.ConfigMap != nil {
		from = &filePlace{
			fmt.Sprintf("%q of ConfigMap %q", spec.ConfigMap.Key, spec.ConfigMap.Name), []string{spec.ConfigMap.Key},
			openDirectory(options.Directory),
		}
	}
	if from == nil {
		return nil, invalid("of spec.seed.agentRollouts", errors.New("agentRollouts are in a ConfigMap, on a volume or in a bucket"))
	}
	return keepRowsOfFolder(ctx, from, func(folder Folder, dataset *Dataset, encode *encoder) error {
		into := &rollouts{
			dataset: dataset, spec: spec, folder: folder, limits: wanted(spec, options.Rows), encode: encode, sum: sha256.New(),
			index: rollout.Index{}, report: options.Document,
		}
		if into.report == nil {
			into.report = func(DocumentResult) {}
		}
		return into.load(ctx, from.patterns)
	})
}

// rollouts turns recorded sessions into rows.
type rollouts struct {
	dataset *Dataset
	spec    *v1alpha1.Seed
	folder  Folder
	columns []chosen
	limits  limits
	passed  int64
	encode  *encoder
	index   rollout.Index
	report  func(DocumentResult)
	// sum is over what tells the files from others.
	sum hash.Hash
	// skipped counts the files that were left out; first is what was wrong with the first of them.
	skipped int
	first   error
}

func (r *rollouts) load(ctx context.Context, patterns []string) error {
	columns, fields, err := chooseFields(r.spec, rollout.Fields())
	if err != nil {
		return err
	}
	r.columns, r.dataset.schema = columns, table.NewSchema(fields...)
	r.dataset.useSpool(r.encode.to, r.dataset.schema.Fields())
	sessions, err := r.list(ctx, patterns)
	if err != nil {
		return err
	}
	for number := range sessions {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.dataset.index.count == r.limits.count {
			break
		}
		if err := r.session(&sessions[number]); err != nil {
			return err
		}
	}
	if err := r.encode.to.flush(); err != nil {
		return err
	}
	switch {
	case r.dataset.index.count > 0:
	case r.skipped == len(sessions):
		return fmt.Errorf("none of its %d files can be read as a session of %s; the first is %w", len(sessions), r.format(), r.first)
	case r.limits.offset > 0:
		return fmt.Errorf("there are no sessions after the first %d, which spec.seed.selection.offset passes over", r.limits.offset)
	}
	r.dataset.version = fmt.Sprintf("%d files", len(sessions))
	return r.dataset.finish(r.spec, hex.EncodeToString(r.sum.Sum(nil)))
}

func (r *rollouts) format() v1alpha1.AgentRolloutFormat { return r.spec.AgentRollouts.Format }

// list finds the files with sessions in the order of their paths, and reads those that say more of them. All of them tell a run from
// others, and not only those whose rows are wanted. Other files beside them are passed over.
func (r *rollouts) list(ctx context.Context, patterns []string) ([]files.File, error) {
	found, err := r.folder.List(ctx, patterns...)
	if err != nil {
		return nil, err
	}
	var sessions []files.File
	for _, one := range found {
		isIndex := rollout.IsIndex(r.format(), one.Path)
		if !isIndex && !rollout.Handles(r.format(), one.Path) {
			continue
		}
		_, _ = fmt.Fprintf(r.sum, "%q %d %s %q\n", one.Path, one.Size, one.Modified.UTC(), one.Version) // a hash takes all
		if !isIndex {
			sessions = append(sessions, one)
			continue
		}
		data, err := r.read(&one)
		if err == nil {
			err = r.index.Add(r.format(), data)
		}
		if err := r.leaveOut(one.Path, err); err != nil {
			return nil, err
		}
	}
	if len(sessions) == 0 {
		return nil, fmt.Errorf("none of its %d files is a session of %s by its name, which is %s; a pattern such as sessions/** names all "+
			"files below a folder", len(found), r.format(), rollout.Files(r.format()))
	}
	return sessions, nil
}

// read reads a file whole, but one that is too large.
func (r *rollouts) read(from *files.File) ([]byte, error) {
	if from.Size > maxRollout { // before it is fetched
		return nil, tooLargeRollout(from.Size)
	}
	content, size, err := r.folder.Open(from.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }() // was only read
	if size > maxRollout {
		return nil, tooLargeRollout(size)
	}
	data := make([]byte, size)
	count, err := content.ReadAt(data, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return data[:count], err
}

func tooLargeRollout(size int64) error {
	return &rollout.Problem{Message: fmt.Sprintf("it has %d MiB, and a recorded session may have %d", size>>20, maxRollout>>20)}
}

// leaveOut takes what is wrong with a file: it is an error, unless it is of the file and such files are left out.
func (r *rollouts) leaveOut(name string, err error) error {
	if err == nil {
		return nil
	}
	var problem *rollout.Problem
	switch {
	case errors.Is(err, fs.ErrPermission):
		err = errors.New("user 65532 may not read it; change its mode")
	case !errors.As(err, &problem):
		return fmt.Errorf("%q: %w", name, err)
	}
	if !r.spec.AgentRollouts.SkipsErrors() {
		return fmt.Errorf("%q: %w; mend or remove it, or set spec.seed.agentRollouts.onError to Skip", name, err)
	}
	r.report(DocumentResult{Name: name, Problem: err.Error()})
	if r.first == nil {
		r.first = fmt.Errorf("%q: %w", name, err)
	}
	return nil
}

// session keeps a session as a row, as far as it is within the limits.
func (r *rollouts) session(from *files.File) error {
	data, err := r.read(from)
	var all []any
	if err == nil {
		all, err = rollout.Read(r.format(), from.Path, data, r.index)
	}
	if err != nil {
		r.skipped++
		return r.leaveOut(from.Path, err)
	}
	r.report(DocumentResult{Name: from.Path, Chunks: 1})
	if r.passed++; r.passed <= r.limits.offset {
		return nil
	}
	cells := make([]any, len(r.columns))
	for i, column := range r.columns {
		if cells[i], err = retyped(column.asked, all[column.source]); err != nil {
			return fmt.Errorf("column %q, %q: %w", column.name, from.Path, err)
		}
	}
	start, end, err := r.encode.row(r.dataset.schema.Fields(), cells)
	if err == nil {
		r.dataset.index.add(start, end)
	}
	return err
}
