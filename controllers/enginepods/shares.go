package enginepods

import "slices"

// sharer is a Pod that sends requests to an endpoint whose limit it shares with others.
type sharer struct {
	// run tells Pods of different resources apart.
	run string
	// wanted is how many requests the Pod could have in flight, held how many it may have at most by now: what it was sent and has not
	// yet given back is in it.
	wanted, held int
	// lost says that the Pod has not been reached for so long that it goes on by itself with what it holds.
	lost bool
}

// divide returns how many requests each Pod may have in flight at an endpoint that takes so many of all of them. Runs get equal parts,
// but no run more than it wants while another wants more, and so do the Pods of a run; what nobody wants is spread over all. A Pod that is
// to get more gets it only once others have given it back, so that all together never have more than the limit, lost Pods aside: those
// count for their fair part, since nobody else must wait for a Pod that nobody hears of. What can't be divided goes to the first ones:
// where there are more Pods than requests, the last have to wait.
func divide(limit int, sharers []sharer) []int {
	aims := aim(limit, sharers)
	free := limit
	for i, each := range sharers {
		if each.lost {
			each.held = min(each.held, aims[i])
		}
		free -= each.held
	}
	shares := make([]int, len(sharers))
	for i, each := range sharers {
		shares[i] = aims[i]
		if more := aims[i] - each.held; more > 0 {
			more = min(more, max(0, free))
			free -= more
			shares[i] = each.held + more
		}
	}
	return shares
}

// aim returns what each Pod is to have in the end.
func aim(limit int, sharers []sharer) []int {
	aims := make([]int, len(sharers))
	var runs []string
	pods := map[string][]int{} // positions, by run
	for i, each := range sharers {
		if len(pods[each.run]) == 0 {
			runs = append(runs, each.run)
		}
		pods[each.run] = append(pods[each.run], i)
	}
	wantedOf := make([][]int, len(runs))
	ofRuns := make([]int, len(runs))
	for i, run := range runs {
		for _, pod := range pods[run] {
			wanted := max(1, sharers[pod].wanted)
			wantedOf[i] = append(wantedOf[i], wanted)
			ofRuns[i] += wanted
		}
	}
	for i, part := range fairParts(limit, ofRuns) {
		for j, share := range fairParts(part, wantedOf[i]) {
			aims[pods[runs[i]][j]] = share
		}
	}
	return aims
}

// fairParts divides a total so that nobody gets more than it wants while another that wants more has less (max-min fairness). What is left
// when all have what they want is spread evenly, and what can't be divided goes to the first ones.
func fairParts(total int, wanted []int) []int {
	rest := max(0, total)
	parts := make([]int, len(wanted))
	level, met := fairLevel(rest, wanted)
	var open []int // positions of those that may get one more
	for i := range parts {
		parts[i] = min(wanted[i], level)
		rest -= parts[i]
		if met || parts[i] < wanted[i] {
			open = append(open, i)
		}
	}
	for i, at := range open {
		parts[at] += rest / len(open)
		if i < rest%len(open) {
			parts[at]++
		}
	}
	return parts
}

// fairLevel returns the largest part that all who want as much can have; met says that everybody has then what it wants.
func fairLevel(total int, wanted []int) (level int, met bool) {
	for i, want := range slices.Sorted(slices.Values(wanted)) {
		left := len(wanted) - i
		if want > total/left {
			return total / left, false
		}
		level = want
		total -= want
	}
	return level, true
}
