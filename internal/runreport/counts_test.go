package runreport_test

import (
	"math"
	"slices"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestSumsStayAtTheLastNumber(t *testing.T) {
	for _, test := range []struct{ a, b, want int64 }{
		{1, 2, 3}, {-1, 1, 0}, {math.MaxInt64, 1, math.MaxInt64}, {math.MaxInt64, math.MaxInt64, math.MaxInt64},
		{math.MinInt64, -1, math.MinInt64}, {math.MaxInt64, -1, math.MaxInt64 - 1}, {math.MinInt64, math.MaxInt64, -1},
	} {
		if got := runreport.Sum(test.a, test.b); got != test.want {
			t.Errorf("%d + %d is %d, want %d", test.a, test.b, got, test.want)
		}
	}
	usage := runreport.Usage{InputTokens: math.MaxInt64, OutputTokens: 5}
	usage.Add(runreport.Usage{InputTokens: math.MaxInt64, OutputTokens: 6})
	if usage.InputTokens != math.MaxInt64 || usage.OutputTokens != 11 {
		t.Errorf("got %+v", usage)
	}
}

func TestDropsAreMergedByReasonAndColumn(t *testing.T) {
	one := runreport.Drop{Reason: "A", Column: "x", Count: 2, Message: "the first"}
	drops := runreport.AddDrops(nil, one, runreport.Drop{Reason: "A", Column: "y", Count: 1}, runreport.Drop{Reason: "A", Column: "x", Count: 3, Message: "another"})
	want := []runreport.Drop{{Reason: "A", Column: "x", Count: 5, Message: "the first"}, {Reason: "A", Column: "y", Count: 1}}
	if !slices.Equal(drops, want) || runreport.CountOf(drops, one) != 5 {
		t.Errorf("got %+v", drops)
	}
	// What is taken back because it is made again.
	drops = runreport.AddDrops(drops, runreport.Drop{Reason: "A", Column: "x", Count: -5}, runreport.Drop{Reason: "B", Count: -1})
	if !slices.Equal(drops, want[1:]) || runreport.CountOf(drops, one) != 0 {
		t.Errorf("got %+v", drops)
	}
}

func TestWhatHasChangedTheNumberOfRecords(t *testing.T) {
	for want, records := range map[string]runreport.Records{
		"": {Target: 8, Actual: 8},
		"processors or allowResize columns have filtered out 2 of 8 records":        {Target: 8, Actual: 6, Filtered: 2},
		"processors or allowResize columns have added 3 records":                    {Target: 8, Actual: 11, Added: 3},
		"processors or allowResize columns have filtered out 2 records and added 3": {Target: 8, Actual: 9, Filtered: 2, Added: 3},
	} {
		if got := records.Changed(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTheFolderOfARun(t *testing.T) {
	for hash, want := range map[string]string{"sha256:0123456789abcdef0123": "ns/ds/0123456789abcdef", "abc": "ns/ds/abc"} {
		if got := runreport.Folder("ns", "ds", hash); got != want {
			t.Errorf("%s: %s, want %s", hash, got, want)
		}
	}
}

func TestCostsFollowThePrices(t *testing.T) {
	two, err := v1alpha1.NewDecimal("2")
	if err != nil {
		t.Fatal(err)
	}
	spec := &v1alpha1.DatasetGenerationSpec{
		Models:  []v1alpha1.Model{{Alias: "m", Price: &v1alpha1.ModelPrice{OutputPerMillionTokens: &two}}, {Alias: "free"}},
		Columns: []v1alpha1.Column{{Name: "c", LLMText: &v1alpha1.LLMText{LLMPrompt: v1alpha1.LLMPrompt{Model: "m"}}}},
	}
	used := runreport.Usage{InputTokens: 7, OutputTokens: 1_000_000}
	if got := runreport.Cost(spec, runreport.Model{Alias: "m", Usage: used}, runreport.Model{Alias: "free", Usage: used}).String(); got != "2.00" {
		t.Errorf("models cost %s", got)
	}
	if got := runreport.ColumnCost(spec, runreport.Column{Name: "c", Usage: used}).String(); got != "2.00" {
		t.Errorf("the column costs %s", got)
	}
}
