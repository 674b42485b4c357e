package enginepods

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestDivide(t *testing.T) {
	pod := func(run string, wanted, held int) sharer { return sharer{run: run, wanted: wanted, held: held} }
	tests := map[string]struct {
		limit   int
		sharers []sharer
		want    []int
	}{
		"one Pod gets all":                              {16, []sharer{pod("a", 4, 0)}, []int{16}},
		"runs get equal parts":                          {16, []sharer{pod("a", 64, 0), pod("b", 64, 0)}, []int{8, 8}},
		"whatever the number of their Pods":             {16, []sharer{pod("a", 64, 0), pod("a", 64, 0), pod("a", 64, 0), pod("b", 64, 0)}, []int{3, 3, 2, 8}},
		"what one does not want another gets":           {16, []sharer{pod("a", 2, 0), pod("b", 64, 0)}, []int{2, 14}},
		"within a run too":                              {16, []sharer{pod("a", 2, 0), pod("a", 64, 0), pod("b", 64, 0)}, []int{2, 6, 8}},
		"what nobody wants is spread":                   {16, []sharer{pod("a", 2, 0), pod("b", 3, 0)}, []int{8, 8}},
		"who wants nothing may begin":                   {16, []sharer{pod("a", 0, 0), pod("b", 64, 0)}, []int{1, 15}},
		"nothing is given twice":                        {16, []sharer{pod("a", 64, 16), pod("b", 64, 0)}, []int{8, 0}},
		"only what was given back":                      {16, []sharer{pod("a", 64, 11), pod("b", 64, 3)}, []int{8, 5}},
		"who is lost counts for what it holds":          {16, []sharer{{"a", 3, 3, true}, pod("b", 64, 0), pod("c", 64, 0)}, []int{3, 7, 6}},
		"with less than Pods the last ones wait":        {2, []sharer{pod("a", 9, 0), pod("b", 9, 0), pod("c", 9, 0)}, []int{1, 1, 0}},
		"a lower limit is kept to by who has too much":  {4, []sharer{pod("a", 9, 8), pod("b", 9, 8)}, []int{2, 2}},
		"but for no more than its part":                 {4, []sharer{{"a", 6, 6, true}, pod("b", 9, 0)}, []int{2, 2}},
		"a Pod that still has more is not told to stop": {9, []sharer{pod("a", 64, 5), pod("b", 1, 4)}, []int{5, 1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := divide(test.limit, test.sharers); !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

// TestDividingNeverExceedsTheLimit plays Pods that follow what they are told late, and requests that end by and by.
func TestDividingNeverExceedsTheLimit(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		limit, count := 1+random.IntN(40), 1+random.IntN(8)
		type pod struct{ told, limit, running, wanted int }
		pods := make([]pod, count)
		for round := range 60 {
			sharers := make([]sharer, count)
			for i, p := range pods {
				sharers[i] = sharer{run: string(rune('a' + i%3)), wanted: p.wanted, held: max(p.told, p.limit, p.running)}
			}
			for i, share := range divide(limit, sharers) {
				pods[i].told = share
			}
			together := 0
			for i := range pods {
				p := &pods[i]
				if random.IntN(3) > 0 {
					p.limit = p.told
				}
				if round%20 == 0 {
					p.wanted = random.IntN(60)
				}
				p.running -= random.IntN(p.running + 1)
				p.running = max(p.running, min(p.limit, p.wanted))
				together += p.running
			}
			if together > limit {
				t.Fatalf("seed %d, round %d: %d requests in flight, and the limit is %d: %+v", seed, round, together, limit, pods)
			}
		}
	}
}
