package schedule

import (
	"math"
	"time"

	"seedloom.dev/seedloom/engine/admission"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/reason"
)

// Lane is what waits for one kind of requests to one model, with a limit on how many of its tasks run at once.
type Lane struct {
	// Limit is the largest number of tasks that run at once.
	Limit int
	// Endpoint is the index of the endpoint whose health counts for the lane, or -1.
	Endpoint int
	// Adaptive has the limit follow what the endpoint can take.
	Adaptive bool
	// Ramp is the time over which the limit grows from 1 when the run begins.
	Ramp time.Duration
	// Gentle has an adaptive limit begin with few requests, which are doubled as long as none is refused.
	Gentle bool
	// Pool is the position in Config.Pools of what the lane shares with others; it says nothing where there are no pools.
	Pool int
	// Ceiling is the one of Config.Ceilings that all lanes of an endpoint are under; it says nothing where there are none.
	Ceiling int
}

type lane struct {
	Lane
	limiter *admission.Limiter
	// columns are the positions of the columns that are made in the lane.
	columns []int
	// wanted counts the cells (and batches) that are ready, without those of attempts that have failed since.
	wanted int
	// hedgeAt is when Hedge may have a task, unless something else happens before; the zero time where that is not known.
	hedgeAt time.Time
}

// backlog has the cells of a column that are ready.
type backlog struct {
	ready  queue[queuedCell]
	weight float64
	// credit is how many tasks the column is behind its share of the lane; negative when it is ahead.
	credit float64
}

func newLanes(config Config, ceilings []admission.Ceiling) []lane {
	var pools []*admission.Pool
	for _, spec := range config.Pools {
		pools = append(pools, admission.NewPool(spec))
	}
	lanes := make([]lane, len(config.Lanes))
	for i, spec := range config.Lanes {
		var pool *admission.Pool
		if spec.Endpoint >= 0 && spec.Pool < len(pools) {
			pool = pools[spec.Pool]
		}
		var ceiling *admission.Ceiling
		if spec.Endpoint >= 0 && spec.Ceiling < len(ceilings) {
			ceiling = &ceilings[spec.Ceiling]
		}
		limits := admission.Config{Cap: spec.Limit, Adaptive: spec.Adaptive, Ramp: spec.Ramp, Gentle: spec.Gentle, Classes: len(config.Columns)}
		lanes[i] = lane{Lane: spec, limiter: admission.New(limits, pool, ceiling)}
	}
	return lanes
}

// choose returns the column whose first cell is next in a lane. That is the first one in the order of cells, so that rows are finished
// early, as long as no other column that has something ready is behind its share by as many tasks as the lane holds; then it is the one
// that is most behind. So each column that always has cells ready gets its share in the long run, and none waits for ever. The last rows
// come to their end all the same, and go by their ways alone.
func (c *Core) choose(current *lane) (column int, found bool) {
	slack := math.Inf(1)
	if current.Endpoint >= 0 && !c.last {
		slack = float64(current.Limit)
	}
	column, behind := -1, -1
	for _, i := range current.columns {
		candidate := &c.backlogs[i]
		if candidate.ready.len() == 0 {
			candidate.credit = min(candidate.credit, 0)
			continue
		}
		if column < 0 || candidate.ready.items[0].before(c.backlogs[column].ready.items[0]) {
			column = i
		}
		if candidate.credit >= slack && (behind < 0 || candidate.credit > c.backlogs[behind].credit) {
			behind = i
		}
	}
	if behind >= 0 {
		column = behind
	}
	return column, column >= 0
}

// charge gives each column that waits its share of a task, and takes the task from the one that gets it.
func (c *Core) charge(current *lane, column int) {
	if len(current.columns) == 1 || current.Endpoint < 0 {
		return
	}
	total := c.backlogs[column].weight
	for _, i := range current.columns {
		if i != column && c.backlogs[i].ready.len() > 0 {
			total += c.backlogs[i].weight
		}
	}
	for _, i := range current.columns {
		if i == column || c.backlogs[i].ready.len() > 0 {
			c.backlogs[i].credit += c.backlogs[i].weight / total
		}
	}
	spent := &c.backlogs[column]
	spent.credit = max(spent.credit-1, -float64(current.Limit))
}

// resultOf says what the end of a task tells of the load of its endpoint.
func resultOf(task Task, cause *failure.Error) admission.Result {
	cost := task.Cost
	result := admission.Result{Requests: cost.Requests, Tokens: cost.Tokens, OutputTokens: cost.OutputTokens}
	switch {
	case cause == nil || (cause.Consequence == failure.DropRow && cost.OutputTokens > 0):
		result.Outcome = admission.Passed
	case cause.Overloaded:
		result.Outcome, result.RetryAfter = admission.Refused, cause.RetryAfter
	case cause.Traits().Signal == reason.SignalSlow:
		result.Outcome = admission.TimedOut
	}
	return result
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
