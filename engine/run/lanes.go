package run

import (
	"runtime"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/admission"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/schedule"
)

// lanes are those of some steps.
type lanes struct {
	lanes []schedule.Lane
	pools []admission.PoolConfig
	// names join the aliases that use the lanes.
	names []string
	// of is the lane of each step.
	of []int
}

// turns are the lanes that wait for the same endpoint, each of which gets its turn where not all can be served.
func (l *lanes) turns() []turn {
	turns := []turn{{lanes: []int{schedule.Local}}}
	of := map[int]int{}
	for i := schedule.Local + 1; i < len(l.lanes); i++ {
		at, known := of[l.lanes[i].Ceiling]
		if !known {
			at = len(turns)
			of[l.lanes[i].Ceiling] = at
			turns = append(turns, turn{})
		}
		turns[at].lanes = append(turns[at].lanes, i)
	}
	return turns
}

// turn says which of some lanes is next.
type turn struct {
	lanes []int
	next  int
}

// take returns the lane whose turn it is, and goes on to the one after it.
func (t *turn) take() (lane int) {
	lane = t.lanes[t.next]
	t.next = (t.next + 1) % len(t.lanes)
	return lane
}

func providerIndex(spec *v1alpha1.DatasetGenerationSpec, name string) int {
	for i := range spec.Providers {
		if spec.Providers[i].Name == name {
			return i
		}
	}
	return -1
}

func lanesOf(spec *v1alpha1.DatasetGenerationSpec, steps []*step) lanes {
	all := lanes{
		lanes: []schedule.Lane{{Limit: runtime.GOMAXPROCS(0), Endpoint: -1}}, names: []string{"local"}, of: make([]int, len(steps)),
	}
	keys, pools := map[plan.Lane]int{}, map[plan.Lane]int{}
	for i, step := range steps {
		column := step.columns[0]
		if column.Execution != plan.Remote {
			continue
		}
		key := column.Lane
		shared := plan.Lane{Provider: key.Provider, Model: key.Model}
		lane, known := keys[key]
		if !known {
			pool, known := pools[shared]
			limits, lent := limitsOf(spec, shared)
			if !known {
				pool = len(all.pools)
				pools[shared] = pool
				all.pools = append(all.pools, limits)
			}
			lent.Pool = pool
			lent.Gentle = lent.Gentle && spec.NumRecords >= gentleRounds*int64(lent.Limit)
			lane = len(all.lanes)
			keys[key] = lane
			all.lanes = append(all.lanes, lent)
			all.names = append(all.names, nameOf(steps, key))
		}
		all.of[i] = lane
	}
	return all
}

// gentleRounds is from how many rows for each slot on a run begins gently: the fraction of a second that it may cost is nothing to such a
// run, and a shorter one sends little more at once than it has rows.
const gentleRounds = 32

// limitsOf returns what all aliases of a model share: the least of their limits, and the longest of their ramps.
func limitsOf(spec *v1alpha1.DatasetGenerationSpec, key plan.Lane) (admission.PoolConfig, schedule.Lane) {
	var pool admission.PoolConfig
	lane := schedule.Lane{Endpoint: providerIndex(spec, key.Provider), Adaptive: true, Gentle: true}
	if lane.Endpoint >= 0 {
		lane.Ceiling = slices.Index(spec.Endpoints(), spec.Providers[lane.Endpoint].EndpointIdentity())
	}
	for i := range spec.Models {
		model := &spec.Models[i]
		if model.Provider != key.Provider || model.Model != key.Model {
			continue
		}
		pool.Cap = least(pool.Cap, model.EffectiveMaxParallelRequests())
		if rules := model.Admission; rules != nil {
			lane.Adaptive = lane.Adaptive && rules.Policy != v1alpha1.AdmissionFixed
			lane.Ramp = max(lane.Ramp, rules.StartupRamp())
			lane.Gentle = lane.Gentle && rules.StartupRampSeconds == nil
			pool.RequestsPerMinute = least(pool.RequestsPerMinute, rules.MaxRequestsPerMinute())
			pool.TokensPerMinute = least(pool.TokensPerMinute, rules.MaxTokensPerMinute())
		}
	}
	lane.Limit = pool.Cap
	return pool, lane
}

// least is the smaller of two limits; 0 is none.
func least[T int | int64](a, b T) T {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// nameOf names a lane after the aliases that use it, and the kind of its requests where that is not chat.
func nameOf(steps []*step, key plan.Lane) string {
	var aliases []string
	for _, step := range steps {
		column := step.columns[0]
		if alias := column.ModelAlias(); column.Execution == plan.Remote && column.Lane == key && !slices.Contains(aliases, alias) {
			aliases = append(aliases, alias)
		}
	}
	name := strings.Join(aliases, "+")
	if key.Requests != plan.RequestsChat {
		name += " (" + string(key.Requests) + ")"
	}
	return name
}
