package run

import (
	"testing"

	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

func TestLargeValuesKeepRowGroupsFromBeingOpened(t *testing.T) {
	groups := &openGroups{byIndex: map[int64]*rowGroup{}, commits: &commits{}}
	groups.add(&rowGroup{index: 0, todo: make([]schedule.Todo, 10)})
	for _, step := range []struct {
		grows      int64
		committing int
		want       bool
	}{
		{0, 0, false},
		{maxOpenBytes / 2, 0, false},
		{0, 1, true},
		{maxOpenBytes / 2, 0, true},
	} {
		groups.grow(0, step.grows)
		groups.commits.underway = step.committing
		if got := groups.full(); got != step.want {
			t.Errorf("with %d bytes and %d commits: full is %t", groups.bytes, step.committing, got)
		}
	}
	if groups.rows, groups.bytes = 0, 0; groups.full() {
		t.Error("without open rows there must be room, or the run stands still")
	}
}

func TestBytesOfAnswersAreThoseOfTheirTexts(t *testing.T) {
	if got := table.Bytes([]any{"four", []any{[]byte("six..."), int64(7), nil}}); got != 10 {
		t.Errorf("%d bytes", got)
	}
}
