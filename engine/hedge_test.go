package engine_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"seedloom.dev/seedloom/internal/runreport"
)

// TestASlowRequestIsSentASecondTime has a server leave two requests without an answer: the run ends all the same, as soon as others for
// the same cells are answered, and tells how many requests did not count.
func TestASlowRequestIsSentASecondTime(t *testing.T) {
	const spec = `
numRecords: 60
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: m, maxParallelRequests: 8, timeoutSeconds: 600, hedge: {quantile: 0.9, maxExtra: "100%"}}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: text, llmText: {model: writer, prompt: "{{ id }}"}}
- {name: more, llmText: {model: writer, prompt: "more of {{ text }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 20}
`
	over := make(chan struct{})
	var asked atomic.Int64
	server := newEndpoint(t, func(prompt string, before int) (int, string) {
		if strings.HasPrefix(prompt, "more") && before == 0 {
			if number := asked.Add(1); number == 30 || number == 59 {
				<-over
			}
		}
		return echo(prompt, before)
	})
	t.Cleanup(func() { close(over) })
	w := newWorld(t, spec, server.URL)
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 60, 0)
	hedged := int64(0)
	for _, column := range ending.Result.Columns {
		used := column.Usage
		hedged += used.Hedged
		wrong := column.Name == "more" && used.Hedged < 2 || column.Name == "id" && used.Hedged > 0
		if wrong || used.Failed > 0 || used.InputTokens != 3*used.Succeeded {
			t.Errorf("column %s has used %+v", column.Name, used)
		}
	}
	// Others may have been slow for a moment, and have had second requests as well, some of them cancelled before they arrived.
	if _, all := server.sent(); int64(all) > 2*60+hedged || all < 2*60+2 {
		t.Errorf("%d requests were sent for %d cells, and %d are counted as hedged", all, 2*60, hedged)
	}
}
