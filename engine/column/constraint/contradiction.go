package constraint

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// Support is what is known of the values that a column can have. The zero value says nothing.
type Support struct {
	// Values are all that there can be, of one form; nil where they are not listed.
	Values []any
	// Low and High are where the values end; nil where they don't, or where that is not known.
	Low, High *Bound
	// Whole says that values are whole numbers, Continuous that no single value has a chance of its own.
	Whole, Continuous bool
}

// Bound is an end of values. It is none of them itself where it is open.
type Bound struct {
	Value any
	Open  bool
}

// Union is what is known of the values of either support.
func Union(a, b Support) Support {
	union := Support{Whole: a.Whole && b.Whole, Continuous: a.Continuous && b.Continuous}
	if a.Values != nil && b.Values != nil {
		union.Values = slices.Concat(a.Values, b.Values)
		return union
	}
	if a.low() != nil && b.low() != nil {
		union.Low = a.low()
		if lower(*b.low(), *union.Low) {
			union.Low = b.low()
		}
	}
	if a.high() != nil && b.high() != nil {
		union.High = a.high()
		if higher(*b.high(), *union.High) {
			union.High = b.high()
		}
	}
	return union
}

// lower and higher say whether a bound lets in what the other one doesn't: at the low end, and at the high one.
func lower(a, b Bound) bool {
	order := Compare(a.Value, b.Value)
	return order < 0 || order == 0 && !a.Open && b.Open
}

func higher(a, b Bound) bool {
	order := Compare(a.Value, b.Value)
	return order > 0 || order == 0 && !a.Open && b.Open
}

func (s Support) low() *Bound {
	if len(s.Values) > 0 {
		return &Bound{Value: slices.MinFunc(s.Values, Compare)}
	}
	return s.Low
}

func (s Support) high() *Bound {
	if len(s.Values) > 0 {
		return &Bound{Value: slices.MaxFunc(s.Values, Compare)}
	}
	return s.High
}

// Relation is a constraint whose sides have one form.
type Relation struct {
	// Path is the field of the constraint.
	Path     string
	Left     string
	Operator v1alpha1.ConstraintOperator
	// Right is the other column; empty where the left one is compared with Value.
	Right string
	Value any
}

// Problem is a constraint that can never be met, alone or beside the ones before it.
type Problem struct{ Path, Message string }

// Contradictions are the constraints that can't be met by columns with such supports. It finds what follows from the ends and the lists of
// values, and nothing that follows from how columns depend on each other.
func Contradictions(supports map[string]Support, relations []Relation) []Problem {
	a := &analysis{domains: map[string]*domain{}, order: ordering{}}
	for name, support := range supports {
		a.domains[name] = newDomain(name, support)
	}
	for _, relation := range relations {
		if relation.Right == "" {
			a.restrict(relation)
		}
	}
	var between []Relation
	for _, relation := range relations {
		if relation.Right != "" && a.relate(relation) {
			between = append(between, relation)
		}
	}
	// A bound goes along at most all constraints.
	for range between {
		for _, relation := range between {
			a.propagate(relation)
		}
	}
	return a.problems
}

type analysis struct {
	domains  map[string]*domain
	order    ordering
	problems []Problem
}

func (a *analysis) report(path, format string, arguments ...any) {
	a.problems = append(a.problems, Problem{path, fmt.Sprintf(format, arguments...)})
}

// domain is what is left of a column's values.
type domain struct {
	name string
	Support
	low, high *limit
	excluded  []any
	// broken says that nothing is left, which was reported.
	broken bool
}

// limit is a bound, and where it comes from.
type limit struct {
	Bound
	source string
}

func newDomain(name string, support Support) *domain {
	d := &domain{name: name, Support: support}
	if low := support.low(); low != nil {
		d.low = &limit{*low, "its sampler"}
	}
	if high := support.high(); high != nil {
		d.high = &limit{*high, "its sampler"}
	}
	return d
}

// restrict takes into account the comparison of a column with a value.
func (a *analysis) restrict(r Relation) {
	d := a.domains[r.Left]
	switch r.Operator {
	case v1alpha1.ConstraintLessThan, v1alpha1.ConstraintLessThanOrEqual:
		d.lowerHigh(limit{Bound{r.Value, r.Operator == v1alpha1.ConstraintLessThan}, r.Path})
	case v1alpha1.ConstraintGreaterThan, v1alpha1.ConstraintGreaterThanOrEqual:
		d.raiseLow(limit{Bound{r.Value, r.Operator == v1alpha1.ConstraintGreaterThan}, r.Path})
	case v1alpha1.ConstraintNotEqual:
		d.excluded = append(d.excluded, r.Value)
	case v1alpha1.ConstraintEqual:
		if d.Continuous {
			d.broken = true
			a.report(r.Path, "is never met: %q is drawn from a continuum, in which a single value has no chance; round it with decimalPlaces, "+
				"or bound it from both sides", d.name)
			return
		}
		d.lowerHigh(limit{Bound{Value: r.Value}, r.Path})
		d.raiseLow(limit{Bound{Value: r.Value}, r.Path})
	}
	a.check(d, r.Path)
}

// relate takes into account the order of two columns, and says whether it can be.
func (a *analysis) relate(r Relation) bool {
	left, right := a.domains[r.Left], a.domains[r.Right]
	equal := a.order.equal(r.Left, r.Right)
	switch r.Operator {
	case v1alpha1.ConstraintNotEqual:
		if equal {
			a.report(r.Path, "can never be met: the constraints before it make %q and %q equal", r.Left, r.Right)
		}
		return !equal
	case v1alpha1.ConstraintEqual:
		if left.Continuous || right.Continuous {
			a.report(r.Path, "is never met: two values of which one is drawn from a continuum are never equal; round it with decimalPlaces")
			return false
		}
		if a.order.strict(r.Left, r.Right) || a.order.strict(r.Right, r.Left) {
			a.report(r.Path, "can never be met: the constraints before it make %q and %q differ", r.Left, r.Right)
			return false
		}
		a.order.add(r.Left, r.Right, false)
		a.order.add(r.Right, r.Left, false)
		return a.share(r, left, right)
	}
	low, high, strict := sides(r)
	if a.order.strict(high, low) || strict && a.order.atMost(high, low) {
		a.report(r.Path, "can never be met: the constraints before it make %q the lower one of the two, or an equal one", high)
		return false
	}
	a.order.add(low, high, strict)
	return true
}

// share leaves two columns that are to be equal only the values that both can have.
func (a *analysis) share(r Relation, left, right *domain) bool {
	if left.Values == nil || right.Values == nil {
		return true
	}
	shared := slices.DeleteFunc(slices.Clone(left.Values), func(value any) bool {
		return !slices.ContainsFunc(right.Values, func(other any) bool { return Compare(value, other) == 0 })
	})
	if len(shared) == 0 {
		a.report(r.Path, "can never be met: %q and %q have no value in common", r.Left, r.Right)
		return false
	}
	left.Values, right.Values = shared, shared
	return true
}

// sides are the columns of an inequality, the lower one first.
func sides(r Relation) (low, high string, strict bool) {
	switch r.Operator {
	case v1alpha1.ConstraintGreaterThan, v1alpha1.ConstraintGreaterThanOrEqual:
		return r.Right, r.Left, r.Operator == v1alpha1.ConstraintGreaterThan
	}
	return r.Left, r.Right, r.Operator == v1alpha1.ConstraintLessThan
}

// propagate takes what bounds one column to the other one.
func (a *analysis) propagate(r Relation) {
	switch r.Operator {
	case v1alpha1.ConstraintNotEqual:
		return
	case v1alpha1.ConstraintEqual:
		a.push(r, r.Left, r.Right, false)
		a.push(r, r.Right, r.Left, false)
	default:
		low, high, strict := sides(r)
		a.push(r, low, high, strict)
	}
}

func (a *analysis) push(r Relation, low, high string, strict bool) {
	lower, higher := a.domains[low], a.domains[high]
	if lower.broken || higher.broken {
		return
	}
	if lower.low != nil {
		higher.raiseLow(limit{Bound{lower.low.Value, lower.low.Open || strict}, fmt.Sprintf("%s, for %q", r.Path, low)})
	}
	if higher.high != nil {
		lower.lowerHigh(limit{Bound{higher.high.Value, higher.high.Open || strict}, fmt.Sprintf("%s, for %q", r.Path, high)})
	}
	if !a.check(lower, r.Path) {
		higher.broken = true // of which no more is to be said
		return
	}
	lower.broken = !a.check(higher, r.Path)
}

func (d *domain) raiseLow(to limit) {
	if d.Whole {
		to.Bound = wholeBound(to.Bound, 1)
	}
	if d.low == nil || lower(d.low.Bound, to.Bound) {
		d.low = &to
	}
}

func (d *domain) lowerHigh(to limit) {
	if d.Whole {
		to.Bound = wholeBound(to.Bound, -1)
	}
	if d.high == nil || higher(d.high.Bound, to.Bound) {
		d.high = &to
	}
}

// wholeBound is the first whole number inside a bound, where inside is in a direction.
func wholeBound(bound Bound, direction int64) Bound {
	switch value := bound.Value.(type) {
	case int64:
		if bound.Open && value != math.MaxInt64 && value != math.MinInt64 {
			return Bound{Value: value + direction}
		}
	case float64:
		if math.Abs(value) >= 1<<53 {
			return bound
		}
		whole := math.Ceil(value)
		if direction < 0 {
			whole = math.Floor(value)
		}
		return wholeBound(Bound{Value: int64(whole), Open: bound.Open && whole == value}, direction)
	}
	return bound
}

// check reports a column of whose values none is left.
func (a *analysis) check(d *domain, path string) bool {
	if d.broken {
		return false
	}
	if d.low != nil && d.high != nil {
		order := Compare(d.low.Value, d.high.Value)
		alone := order == 0 && !d.low.Open && !d.high.Open
		d.broken = order > 0 || order == 0 && (!alone || d.Continuous || d.excludes(d.low.Value))
	}
	if d.broken {
		a.report(path, "can never be met: %q would have to be %s (%s) and %s (%s)%s", d.name, d.low.text("at least", "above"), d.low.source,
			d.high.text("at most", "below"), d.high.source, d.exclusions())
		return false
	}
	if d.Values != nil && !slices.ContainsFunc(d.Values, d.admits) {
		d.broken = true
		a.report(path, "can never be met: no value that %q can have is %s and %s%s", d.name, d.low.text("at least", "above"),
			d.high.text("at most", "below"), d.exclusions())
	}
	return !d.broken
}

func (l *limit) text(closed, open string) string {
	if l.Open {
		return open + " " + Text(l.Value)
	}
	return closed + " " + Text(l.Value)
}

func (d *domain) exclusions() string {
	var texts []string
	for _, value := range d.excluded {
		texts = append(texts, Text(value))
	}
	if texts == nil {
		return ""
	}
	return ", and not " + strings.Join(texts, " or ")
}

func (d *domain) excludes(value any) bool {
	return slices.ContainsFunc(d.excluded, func(other any) bool { return Compare(value, other) == 0 })
}

// admits says whether a value is left.
func (d *domain) admits(value any) bool {
	return !d.excludes(value) && !lower(Bound{Value: value}, d.low.Bound) && !higher(Bound{Value: value}, d.high.Bound)
}

// ordering is what is known of the order of columns: for the names of two, whether the first is at most the second (1), or below it (2).
type ordering map[[2]string]int

func (o ordering) atMost(a, b string) bool { return o[[2]string{a, b}] > 0 }

func (o ordering) strict(a, b string) bool { return o[[2]string{a, b}] == 2 }

func (o ordering) equal(a, b string) bool { return o.atMost(a, b) && o.atMost(b, a) }

// add notes that a is at most b, or below it, with all that follows.
func (o ordering) add(a, b string, strict bool) {
	degree := 1
	if strict {
		degree = 2
	}
	before, after := map[string]int{a: 1}, map[string]int{b: 1}
	for pair, known := range o {
		if pair[1] == a {
			before[pair[0]] = known
		}
		if pair[0] == b {
			after[pair[1]] = known
		}
	}
	for first, one := range before {
		for last, two := range after {
			pair := [2]string{first, last}
			o[pair] = max(o[pair], degree, one, two)
		}
	}
}
