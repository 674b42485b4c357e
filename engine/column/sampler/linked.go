package sampler

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/constraint"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// maxRejections bounds how many draws of a record constraints may reject.
const maxRejections = 10_000

// Member is a column that is drawn together with others.
type Member struct {
	Name string
	Spec *v1alpha1.Sampler
}

// Restriction is a valid constraint between a member and a value or another column, and its field.
type Restriction struct {
	Path string
	v1alpha1.Constraint
}

// linked are columns that constraints link. They are drawn together until all of these hold, so that a record has values of the joint
// distribution under the condition that they do. What is drawn is a function of the record and of what the columns read of it: each column
// draws all of them anew, rather than that one depends on when another was drawn.
type linked struct {
	members []member
	// names are those of the members, for people.
	names string
}

// member is a sampler, and the restrictions that can be looked at once its value is there.
type member struct {
	*Sampler
	index int
	// alone are those that look at no other member; the value is drawn again by itself for them where it depends on none.
	alone, beside []restriction
}

// restriction is a constraint as it is looked at.
type restriction struct {
	number      int
	left, right side
	holds       func(order int) bool
	text        string
}

// side is one side of a constraint: a cell with what reads it, or a value.
type side struct {
	index int
	read  func(cell any) (any, error)
	value any
}

// Link returns the generators of columns that restrictions link, in their order: each stands after those of them that it reads.
func Link(members []Member, restrictions []Restriction, dataset Dataset) ([]*Linked, error) {
	group := &linked{}
	var names []string
	for _, configured := range members {
		drawn, err := New(configured.Name, configured.Spec, dataset)
		if err != nil {
			return nil, err
		}
		index, _ := dataset.Schema.Index(configured.Name)
		group.members = append(group.members, member{Sampler: drawn, index: index})
		names = append(names, fmt.Sprintf("%q", configured.Name))
	}
	group.names = strings.Join(names, ", ")
	for number, one := range restrictions {
		if err := group.add(number, one, members, dataset); err != nil {
			return nil, err
		}
	}
	generators := make([]*Linked, len(members))
	for i := range members {
		generators[i] = &Linked{group, group.members[i].index}
	}
	return generators, nil
}

// add has a restriction looked at as soon as both of its sides are there.
func (l *linked) add(number int, one Restriction, members []Member, dataset Dataset) error {
	position := func(name string) int {
		return slices.IndexFunc(members, func(m Member) bool { return m.Name == name })
	}
	left, right := position(one.Column), position(one.OtherColumn)
	if left < 0 {
		return failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "%s: column %q is not drawn with the others", one.Path, one.Column)
	}
	form := FormOf(members[left].Spec)
	compiled := restriction{
		number: number, holds: constraint.Test(one.Operator), text: one.Path + ", " + TextOf(one.Constraint),
		left: side{index: l.members[left].index, read: readerOf(members[left].Spec, form)},
	}
	switch {
	case one.OtherColumn == "":
		value, err := constraint.Value(one.Value.Raw, form)
		if err != nil {
			return failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "%s.value: %v", one.Path, err)
		}
		compiled.right = side{value: value}
	case right >= 0:
		compiled.right = side{index: l.members[right].index, read: readerOf(members[right].Spec, form)}
	default:
		index, known := dataset.Schema.Index(one.OtherColumn)
		if !known {
			return failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "%s: there is no column %q", one.Path, one.OtherColumn)
		}
		compiled.right = side{index: index, read: readerOf(nil, form)}
	}
	if reads := References(members[left].Spec); right < 0 && len(reads) == 0 && members[left].Spec.Conditional == nil {
		l.members[left].alone = append(l.members[left].alone, compiled)
		return nil
	}
	last := max(left, right)
	l.members[last].beside = append(l.members[last].beside, compiled)
	return nil
}

// TextOf is a constraint for people, such as `"shipped" > "ordered"`.
func TextOf(c v1alpha1.Constraint) string {
	right := fmt.Sprintf("%q", c.OtherColumn)
	if c.OtherColumn == "" && c.Value != nil {
		right = string(c.Value.Raw)
	}
	return fmt.Sprintf("%q %s %s", c.Column, constraint.Symbol(c.Operator), right)
}

// readerOf reads the cells of a sampled column, or of another one, in a form.
func readerOf(spec *v1alpha1.Sampler, form constraint.Form) func(cell any) (any, error) {
	if spec != nil && spec.Format != "" {
		read := momentsOf(spec, time.UTC)
		return func(cell any) (any, error) { return read(cell) }
	}
	return func(cell any) (any, error) { return constraint.Read(form, cell) }
}

// of is the value of a side in a record; nil where it is null.
func (s *side) of(record *table.Record) (any, error) {
	if s.read == nil {
		return s.value, nil
	}
	cell := record.Cells[s.index]
	if cell == nil {
		return nil, nil //nolint:nilnil // a null is a value
	}
	return s.read(cell)
}

func (r *restriction) met(record *table.Record) (bool, error) {
	left, err := r.left.of(record)
	if err != nil {
		return false, fmt.Errorf("%s: %w", r.text, err)
	}
	right, err := r.right.of(record)
	if err != nil {
		return false, fmt.Errorf("%s: %w", r.text, err)
	}
	return left == nil || right == nil || r.holds(constraint.Compare(left, right)), nil
}

// Linked draws one of the columns that constraints link.
type Linked struct {
	group *linked
	index int
}

// Generate draws the value of a record, and those of the other columns with it. It waits for nothing.
func (l *Linked) Generate(ctx context.Context, record *table.Record) (any, error) {
	value, _, err := l.Draw(ctx, record)
	return value, err
}

// Draw draws as Generate does, and counts the draws.
func (l *Linked) Draw(ctx context.Context, record *table.Record) (value any, draws runreport.Draws, err error) {
	scratch := *record
	scratch.Cells = slices.Clone(record.Cells)
	tally := tally{most: maxRejections}
	met, err := l.group.draw(ctx, &scratch, &tally)
	draws.Rejected = int64(tally.rejected)
	switch {
	case err != nil:
		return nil, draws, err
	case !met:
		return nil, draws, l.group.hopeless(&tally)
	}
	draws.Accepted = 1
	return scratch.Cells[l.index], draws, nil
}

// draw draws all columns into a record. It says whether they meet the restrictions in the end.
func (l *linked) draw(ctx context.Context, record *table.Record, tally *tally) (bool, error) {
	for try := uint64(0); tally.rejected < tally.most; try++ {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		met := true
		for i := 0; i < len(l.members) && met; i++ {
			var err error
			if met, err = l.members[i].try(ctx, record, try, tally); err != nil {
				return false, err
			}
		}
		if met {
			return true, nil
		}
	}
	return false, nil
}

// try draws the value of a member, and says whether it may stand beside those that were drawn before.
func (m *member) try(ctx context.Context, record *table.Record, try uint64, tally *tally) (met bool, err error) {
	stream := m.key.Of(record)
	if try > 0 {
		stream = stream.Sub(try)
	}
	for {
		if record.Cells[m.index], err = m.drawFrom(ctx, &stream, record); err != nil {
			return false, err
		}
		met, err = m.look(m.alone, record, tally)
		if met || err != nil || tally.rejected >= tally.most || ctx.Err() != nil {
			break
		}
	}
	if !met || err != nil {
		return false, err
	}
	return m.look(m.beside, record, tally)
}

// look says whether restrictions are met.
func (m *member) look(restrictions []restriction, record *table.Record, tally *tally) (bool, error) {
	for i := range restrictions {
		met, err := restrictions[i].met(record)
		if err != nil {
			return false, failure.New(v1alpha1.ReasonConversionFailed, failure.DropRow, "%v", err)
		}
		if tally.count(&restrictions[i], met); !met {
			return false, nil
		}
	}
	return true, nil
}

// tally counts, of the draws of a record, how often each restriction was looked at and not met.
type tally struct {
	// most is how many draws may be rejected, and rejected how many were.
	most, rejected int
	looks          []looks
}

type looks struct {
	of            *restriction
	all, rejected int
}

func (t *tally) count(of *restriction, met bool) {
	if met && t.rejected == 0 {
		return // as nearly always; a count of the first looks changes no rate that is reported
	}
	at := slices.IndexFunc(t.looks, func(l looks) bool { return l.of == of })
	if at < 0 {
		at = len(t.looks)
		t.looks = append(t.looks, looks{of: of})
	}
	t.looks[at].all++
	if !met {
		t.looks[at].rejected++
		t.rejected++
	}
}

// hopeless says which restriction was met least often.
func (l *linked) hopeless(tally *tally) *failure.Error {
	text, share := tally.least()
	return failure.New(v1alpha1.ReasonConstraintsNotMet, failure.DropRow, "columns %s: %d draws for the row, and none meets all constraints; "+
		"%s is met by %.2g %% of them: draw from what meets it more often, or loosen it", l.names, tally.rejected, text, 100*share)
}

// least is the restriction that was met least often, for people, and how often it was.
func (t *tally) least() (text string, share float64) {
	met := func(of looks) float64 { return float64(of.all-of.rejected) / float64(of.all) }
	least := slices.MinFunc(t.looks, func(a, b looks) int { return cmp.Compare(met(a), met(b)) })
	return least.of.text, met(least)
}

// Rarity says how many draws of linked columns are rejected for each row, where these are many, and which restriction is met least often;
// nothing where they are few. The columns read no other ones.
func Rarity(members []Member, restrictions []Restriction, dataset Dataset) string {
	generators, err := Link(members, restrictions, dataset)
	if err != nil {
		return "" // reported where constraints are checked
	}
	group, tally := generators[0].group, tally{most: maxSampled}
	rows, drawn := 0, true
	for ; drawn && rows < maxSampled/rareDraws; rows++ {
		record := table.NewRecord(dataset.Schema, table.RowIndex(rows), 0)
		if drawn, err = group.draw(context.Background(), record, &tally); err != nil {
			return ""
		}
	}
	if drawn {
		return ""
	}
	text, share := tally.least()
	return fmt.Sprintf("of %d draws of %s, only %d meet all constraints, so that rows take long and may be dropped; "+
		"%s is met by %.2g %% of draws", maxSampled, group.names, rows-1, text, 100*share)
}

// Of so many draws, fewer than one in rareDraws that meets all constraints is worth a warning.
const (
	maxSampled = 20_000
	rareDraws  = 100
)
