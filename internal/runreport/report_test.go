package runreport_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/internal/runreport"
)

func sample(columns, drops int, message string) runreport.Result {
	result := runreport.Result{
		Version: runreport.Version, RunID: "reviews-0123", Attempt: 2, Shard: 3, Role: "generate", Mode: "Async", Outcome: runreport.OutcomePartial,
		Reason: "RowsDropped", Message: message, Records: runreport.Records{Target: 100, Actual: 90, Dropped: 10},
		Models: []runreport.Model{{Alias: "writer", Usage: runreport.Usage{Succeeded: 90, InputTokens: 1000}}},
	}
	for i := range columns {
		result.Columns = append(result.Columns, runreport.Column{Name: fmt.Sprintf("column_%d", i), Succeeded: 90, Dropped: 10})
	}
	for i := range drops {
		result.Dropped = append(result.Dropped, runreport.Drop{Reason: "ModelGenerationInvalid", Column: fmt.Sprintf("column_%d", i), Count: 1, Message: strings.Repeat("é", 200)})
	}
	return result
}

func TestAResultFitsIntoATerminationMessage(t *testing.T) {
	cases := map[string]struct {
		result    runreport.Result
		truncated bool
	}{
		"a small one":    {sample(5, 2, "10 of 100 records were dropped"), false},
		"a long message": {sample(5, 0, strings.Repeat("é\n", 20_000)), false},
		"many columns":   {sample(256, 0, "x"), true},
		"many drops":     {sample(5, 16, "x"), true},
		"everything":     {sample(256, 16, strings.Repeat("\x00", 5000)), true},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			data := test.result.Encode()
			if len(data) > runreport.MaxMessageBytes {
				t.Fatalf("it has %d bytes", len(data))
			}
			read, err := runreport.ParseResult(string(data))
			if err != nil {
				t.Fatal(err)
			}
			if read.Truncated != test.truncated || read.Records != test.result.Records || read.Outcome != test.result.Outcome || read.Message == "" {
				t.Errorf("read %+v", read)
			}
			if name == "a small one" {
				if difference := cmp.Diff(test.result, *read); difference != "" {
					t.Error(difference)
				}
			}
		})
	}
}

// Of many columns, those of which something was lost are the ones that are worth their bytes.
func TestATruncatedResultKeepsTheColumnsInTrouble(t *testing.T) {
	result := sample(256, 0, "x")
	result.Columns[100].Usage.Unusable.Count("OutputTruncated")
	result.Columns[200].Failed = 7
	result.Columns[201].Usage.TruncatedKept = 2
	read, err := runreport.ParseResult(string(result.Encode()))
	if err != nil || !read.Truncated {
		t.Fatalf("read %+v, %v", read, err)
	}
	want := []runreport.Column{result.Columns[100], result.Columns[200], result.Columns[201]}
	if difference := cmp.Diff(want, read.Columns); difference != "" {
		t.Error(difference)
	}
}

// TestReportsOfOtherVersions holds that an operator understands engines that know less than it does, and those that know more.
func TestReportsOfOtherVersions(t *testing.T) {
	for name, text := range map[string]string{
		"an older engine": `{"version":1,"runID":"run","attempt":2,"shard":3,"records":{"target":10,"actual":7,"dropped":1}}`,
		"a newer engine": `{"version":1,"runID":"run","attempt":2,"shard":3,"later":{"x":[1]},` +
			`"records":{"target":10,"actual":7,"dropped":1,"later":5}}`,
	} {
		result, err := runreport.ParseResult(text)
		if err != nil || result.RunID != "run" || result.Attempt != 2 || result.Shard != 3 || result.Records.Actual != 7 {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
		progress, err := runreport.ParseProgress([]byte(text))
		if err != nil || progress.RunID != "run" || progress.Records.Actual != 7 {
			t.Errorf("%s: %+v, %v", name, progress, err)
		}
	}
}

func TestWhatIsNoReportIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "a log line": "panic: no", "another version": `{"version":2}`, "a wrong type": `{"version":1,"shard":"x"}`,
	} {
		if result, err := runreport.ParseResult(text); err == nil {
			t.Errorf("%s was read as %+v", name, result)
		}
		if progress, err := runreport.ParseProgress([]byte(text)); err == nil {
			t.Errorf("%s was read as %+v", name, progress)
		}
	}
	if _, err := runreport.ParseProgress([]byte(`{"version":1}` + strings.Repeat(" ", runreport.MaxProgressBytes))); err == nil {
		t.Error("a document that is too large was read")
	}
}
