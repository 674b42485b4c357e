package model_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

// reaction is what the scheduler does about a failure.
type reaction struct {
	// fate is that of the cell: it is tried again, its row is given up, or the run ends.
	fate string
	// cut says that fewer requests are sent at once.
	cut bool
	// gate says that the failure counts for the early shutdown: a column all of whose cells fail so ends the run.
	gate bool
}

var (
	again     = reaction{fate: "again"}
	lessAgain = reaction{fate: "again", cut: true}
	dropped   = reaction{fate: "dropped", gate: true}
	ended     = reaction{fate: "ended"}
)

// react has the scheduler meet the failure with many requests under way, which then all fail alike.
func react(t *testing.T, cause *failure.Error) reaction {
	t.Helper()
	const parallel = 40
	now := time.Unix(1_000_000, 0)
	core := schedule.New(schedule.Config{
		Columns: []schedule.Column{{Parts: []string{"a"}}}, Lanes: []schedule.Lane{{Limit: parallel, Endpoint: 0, Adaptive: true}},
		Endpoints: 1, MaxRowAttempts: 1, MaxRequestAttempts: 3,
		Gate:   schedule.GateConfig{Enabled: true, ErrorRate: 0.5, Window: 50},
		Outage: schedule.OutageConfig{First: time.Minute, Later: 30 * time.Minute},
		NewRecord: func(row table.RowIndex, attempt int32) *table.Record {
			return table.NewRecord(table.NewSchema(), row, attempt)
		},
		Jitter: func(int, *table.Record, int) float64 { return 0.5 },
	})
	var rows []schedule.Todo
	for row := range table.RowIndex(2 * parallel) {
		rows = append(rows, schedule.Todo{Row: row})
	}
	core.Add(0, rows)
	var tasks []schedule.Task
	for task, found := core.Next(0, now); found; task, found = core.Next(0, now) {
		tasks = append(tasks, task)
	}
	if len(tasks) != parallel {
		t.Fatalf("%d tasks were started", len(tasks))
	}
	var result reaction
	core.Failed(tasks[0], cause, now.Add(time.Second))
	_, limit := core.Load(0)
	result.cut = limit < parallel
	switch {
	case core.Ending() != nil:
		result.fate = "ended"
	case core.CellCounts()[0].Deferred == 1:
		result.fate = "again"
	default:
		result.fate = "dropped"
	}
	for _, task := range tasks[1:] {
		core.Failed(task, cause, now.Add(time.Second))
	}
	result.gate = core.Ending() != nil && core.Ending().Reason == v1alpha1.ReasonEarlyShutdown
	return result
}

// Every fault of a provider, over a real connection, and what becomes of it: the reason, the wait that the provider asks for, and what the
// scheduler does.
func TestEveryFaultOfAProvider(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = refusing.Close()
	alert := raw(t, "\x15\x03\x03\x00\x02\x02\x28", func(*net.TCPConn) {})
	unknown := newAuthority(t).serve(false, hello)

	at := func(code int) *llmsim.Fault { return &llmsim.Fault{Kind: llmsim.FaultStatus, Status: code} }
	with := func(code int, body string) *llmsim.Fault {
		return &llmsim.Fault{Kind: llmsim.FaultStatus, Status: code, Body: body}
	}
	wait := func(header, value string) *llmsim.Fault {
		return &llmsim.Fault{Kind: llmsim.FaultStatus, Status: 429, Headers: map[string]string{header: value}}
	}
	kind := func(kind llmsim.FaultKind) *llmsim.Fault { return &llmsim.Fault{Kind: kind} }
	inAnswer := func(body string) *llmsim.Fault { return &llmsim.Fault{Kind: llmsim.FaultErrorObject, Body: body} }
	soon := time.Now().Add(time.Hour).UTC()
	const (
		unavailable = v1alpha1.ReasonProviderUnavailable
		limited     = v1alpha1.ReasonProviderRateLimited
		rejected    = v1alpha1.ReasonRequestRejected
	)
	for name, test := range map[string]struct {
		fault    *llmsim.Fault
		endpoint string
		reason   string
		reaction reaction
		// least and most bound what the provider asks to wait.
		least, most time.Duration
	}{
		"reset before the headers":  {fault: kind(llmsim.FaultResetBeforeHeaders), reason: unavailable, reaction: again},
		"closed before the headers": {fault: kind(llmsim.FaultCloseBeforeHeaders), reason: unavailable, reaction: again},
		"reset in mid-body":         {fault: kind(llmsim.FaultResetMidBody), reason: unavailable, reaction: again},
		"a truncated body":          {fault: kind(llmsim.FaultTruncatedBody), reason: unavailable, reaction: again},
		"a bad chunk":               {fault: kind(llmsim.FaultBadChunk), reason: unavailable, reaction: again},
		"no JSON":                   {fault: kind(llmsim.FaultWrongJSON), reason: unavailable, reaction: again},
		"a page":                    {fault: kind(llmsim.FaultHTML), reason: unavailable, reaction: again},
		"an alert of TLS":           {endpoint: strings.Replace(alert, "http:", "https:", 1), reason: unavailable, reaction: again},
		"a certificate of nobody":   {endpoint: unknown.URL, reason: unavailable, reaction: again},
		"no such host":              {endpoint: "http://nowhere.invalid", reason: unavailable, reaction: again},
		"refused":                   {endpoint: "http://" + refusing.Addr().String(), reason: unavailable, reaction: again},

		"408":                  {fault: at(408), reason: unavailable, reaction: again},
		"409":                  {fault: at(409), reason: unavailable, reaction: again},
		"425":                  {fault: at(425), reason: unavailable, reaction: again},
		"429":                  {fault: at(429), reason: limited, reaction: lessAgain},
		"429, in seconds":      {fault: wait("Retry-After", "7"), reason: limited, reaction: lessAgain, least: 7 * time.Second, most: 7 * time.Second},
		"429, in a fraction":   {fault: wait("Retry-After", " 0.25 "), reason: limited, reaction: lessAgain, least: 250 * time.Millisecond, most: 250 * time.Millisecond},
		"429, in milliseconds": {fault: wait("Retry-After-Ms", "1500"), reason: limited, reaction: lessAgain, least: 1500 * time.Millisecond, most: 1500 * time.Millisecond},
		"429, a duration":      {fault: wait("Retry-After", "1m30s"), reason: limited, reaction: lessAgain, least: 90 * time.Second, most: 90 * time.Second},
		"429, a date":          {fault: wait("Retry-After", soon.Format(http.TimeFormat)), reason: limited, reaction: lessAgain, least: 50 * time.Minute, most: time.Hour},
		"429, another date":    {fault: wait("Retry-After", soon.Format(time.RFC3339)), reason: limited, reaction: lessAgain, least: 50 * time.Minute, most: time.Hour},
		"429, a date in a zone": {fault: wait("Retry-After", soon.In(time.FixedZone("x", 3*3600)).Format(time.RFC3339)), reason: limited, reaction: lessAgain,
			least: 50 * time.Minute, most: time.Hour},
		"429, zero":     {fault: wait("Retry-After", "0"), reason: limited, reaction: lessAgain},
		"429, negative": {fault: wait("Retry-After", "-3"), reason: limited, reaction: lessAgain},
		"429, huge":     {fault: wait("Retry-After", "99999999999999999999"), reason: limited, reaction: lessAgain, least: 10_000 * time.Hour, most: 10_000 * time.Hour},
		"429, garbage":  {fault: wait("Retry-After", "soon"), reason: limited, reaction: lessAgain},
		"429, a quota for a minute": {fault: &llmsim.Fault{Kind: llmsim.FaultStatus, Status: 429, RetryAfter: llmsim.Duration(time.Second),
			Body: `{"error":{"code":429,"message":"Quota exceeded for requests per minute","status":"RESOURCE_EXHAUSTED"}}`}, reason: limited, reaction: lessAgain, least: time.Second, most: time.Second},

		"500": {fault: at(500), reason: unavailable, reaction: again},
		"501": {fault: at(501), reason: unavailable, reaction: again},
		"502": {fault: at(502), reason: unavailable, reaction: again},
		"503": {fault: at(503), reason: unavailable, reaction: lessAgain},
		"504": {fault: at(504), reason: unavailable, reaction: again},
		"520": {fault: at(520), reason: unavailable, reaction: again},
		"521": {fault: at(521), reason: unavailable, reaction: again},
		"522": {fault: at(522), reason: unavailable, reaction: again},
		"523": {fault: at(523), reason: unavailable, reaction: again},
		"524": {fault: at(524), reason: unavailable, reaction: again},
		"525": {fault: at(525), reason: unavailable, reaction: again},
		"526": {fault: at(526), reason: unavailable, reaction: again},
		"527": {fault: at(527), reason: unavailable, reaction: again},
		"528": {fault: at(528), reason: unavailable, reaction: again},
		"529": {fault: at(529), reason: unavailable, reaction: lessAgain},

		"200 without a choice":   {fault: kind(llmsim.FaultEmptyChoices), reason: v1alpha1.ReasonModelGenerationInvalid, reaction: dropped},
		"200 with nothing":       {fault: kind(llmsim.FaultInvalid), reason: v1alpha1.ReasonModelGenerationInvalid, reaction: dropped},
		"200 with a refusal":     {fault: kind(llmsim.FaultRefusal), reason: v1alpha1.ReasonContentRefused, reaction: dropped},
		"200 with an error":      {fault: kind(llmsim.FaultErrorObject), reason: unavailable, reaction: again},
		"200 with a limit":       {fault: inAnswer(`{"error":{"message":"slow down","code":429}}`), reason: limited, reaction: lessAgain},
		"200 with an overload":   {fault: inAnswer(`{"type":"error","error":{"type":"overloaded_error"}}`), reason: unavailable, reaction: lessAgain},
		"200 with a bad request": {fault: inAnswer(`{"object":"error","message":"top_k: unknown parameter","type":"BadRequestError","code":400}`), reason: rejected, reaction: dropped},
		"200 with a text":        {fault: inAnswer(`{"error":"something is wrong"}`), reason: unavailable, reaction: again},

		"400 of the context": {fault: with(400, `{"error":{"message":"x","code":"context_length_exceeded"}}`), reason: v1alpha1.ReasonContextOverflow, reaction: dropped},
		"400 of the context, flat": {fault: with(400, `{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 9000","code":400}`),
			reason: v1alpha1.ReasonContextOverflow, reaction: dropped},
		"400 of the context, Anthropic": {fault: with(400, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}`),
			reason: v1alpha1.ReasonContextOverflow, reaction: dropped},
		"400 of max_tokens": {fault: with(400, `{"error":{"message":"max_tokens is too large: 900000 max tokens","param":"max_tokens"}}`), reason: rejected, reaction: dropped},
		"400 of parameters": {fault: with(400, `{"error":{"message":"Unsupported parameter","code":"unsupported_parameter","param":"top_k"}}`), reason: rejected, reaction: dropped},
		"400 of content":    {fault: with(400, `{"error":{"code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`), reason: v1alpha1.ReasonContentRefused, reaction: dropped},
		"400 of credit": {fault: with(400, `{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API"}}`),
			reason: v1alpha1.ReasonModelQuotaExhausted, reaction: ended},
		"400 of the model": {fault: with(400, `{"error":{"code":"model_not_found"}}`), reason: v1alpha1.ReasonModelNotFound, reaction: ended},
		"400":              {fault: with(400, "nonsense"), reason: rejected, reaction: dropped},
		"401":              {fault: at(401), reason: v1alpha1.ReasonModelAuthentication, reaction: ended},
		"402":              {fault: at(402), reason: v1alpha1.ReasonModelQuotaExhausted, reaction: ended},
		"403":              {fault: at(403), reason: v1alpha1.ReasonModelAuthentication, reaction: ended},
		"403 of content":   {fault: with(403, `{"error":{"message":"Your input was flagged by moderation"}}`), reason: v1alpha1.ReasonContentRefused, reaction: dropped},
		"404":              {fault: at(404), reason: v1alpha1.ReasonModelNotFound, reaction: ended},
		"405":              {fault: at(405), reason: v1alpha1.ReasonModelNotFound, reaction: ended},
		"413":              {fault: at(413), reason: v1alpha1.ReasonContextOverflow, reaction: dropped},
		"422":              {fault: with(422, `{"detail":[{"msg":"field required"}]}`), reason: rejected, reaction: dropped},
		"429 of the quota": {fault: with(429, `{"error":{"code":"insufficient_quota"}}`), reason: v1alpha1.ReasonModelQuotaExhausted, reaction: ended},
		"451":              {fault: at(451), reason: v1alpha1.ReasonContentRefused, reaction: dropped},
		"a redirect":       {fault: at(307), reason: v1alpha1.ReasonConfigInvalid, reaction: ended},
		"no content":       {fault: at(204), reason: unavailable, reaction: again},
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := test.endpoint
			if endpoint == "" {
				endpoint = server.URL + "/v1"
				test.fault.Body = strings.ReplaceAll(test.fault.Body, `"message":"`, `"message":"`+secret+" ")
				server.Configure(llmsim.Config{Faults: []llmsim.Fault{*test.fault}})
			}
			_, usage, err := clientOf(t, openAIAt(endpoint), v1alpha1.Model{}).Chat(t.Context(), question)
			failed := failure.Of(err)
			if failed == nil {
				t.Fatal("nothing failed")
			}
			if failed.Reason != test.reason || failed.RetryAfter < test.least || failed.RetryAfter > test.most || usage.Succeeded+usage.Failed != 1 {
				t.Errorf("got %s, retry after %s: %v", failed.Reason, failed.RetryAfter, err)
			}
			if got := react(t, failed); got != test.reaction {
				t.Errorf("the scheduler reacts with %+v, want %+v, to %v", got, test.reaction, err)
			}
			for _, hidden := range []string{secret, "a <b>"} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("the error repeats %q: %v", hidden, err)
				}
			}
		})
	}
}

// A time-out is tried again; it does not say that the provider is full.
func TestTheFaultOfBeingSlow(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultHang}}})
	_, _, err := clientOf(t, openAIAt(server.URL+"/v1"), v1alpha1.Model{TimeoutSeconds: new(int32(1))}).Chat(t.Context(), question)
	if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonProviderTimeout || react(t, failed).fate != "again" {
		t.Errorf("got %v", err)
	}
}

// Whoever reads a message knows what to do about it.
func TestMessagesSayWhatToDo(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"message":"Unsupported parameter: '` + secret + `'","code":"unsupported_parameter","param":"top_k"}}`:   "(HTTP 400, unsupported_parameter, parameter top_k); it does not know one of the parameters",
		`{"object":"error","message":"` + secret + ` is not a multimodal model","type":"BadRequestError","code":400}`:      "(HTTP 400, BadRequestError); the model takes no images, audio or video",
		`{"error":{"message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"}}`: "not started with tools",
		`{"error":{"message":"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}`:                "put max_completion_tokens into extraBody",
		`{"error":{"message":"Thinking may not be enabled when tool_choice forces tool use."}}`:                            "set structuredOutput to Prompt",
		`{"error":{"code":"context_length_exceeded"}}`:                                                                     "shorten the prompts",
		`[{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"x"}}]`:                                               "(HTTP 400, INVALID_ARGUMENT)",
		`{"error":{"code":"` + strings.Repeat("x", 100) + `","type":"a key: ` + secret + `"}}`:                             "(HTTP 400)",
	} {
		server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Status: 400, Body: body}}})
		_, _, err := clientOf(t, openAIAt(server.URL+"/v1"), v1alpha1.Model{}).Chat(context.Background(), model.Request{Messages: conversation})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("got %v, want something with %q", err, want)
		}
	}
}

func TestRefusalsSayWhatHelpsAgainstThem(t *testing.T) {
	for policy, want := range map[v1alpha1.AdmissionPolicy]string{
		"": "fewer at once", v1alpha1.AdmissionAdaptive: "fewer at once", v1alpha1.AdmissionFixed: "lower maxParallelRequests, or set admission.policy to Adaptive",
	} {
		server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Status: 429}}})
		client := clientOf(t, openAIAt(server.URL+"/v1"), v1alpha1.Model{Admission: &v1alpha1.Admission{Policy: policy}})
		if _, _, err := client.Chat(t.Context(), question); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("policy %q: got %v, want something with %q", policy, err, want)
		}
	}
}

func TestWhatIsNotFoundIsNamed(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Status: 404}}})
	client := clientOf(t, openAIAt(server.URL+"/v1"), v1alpha1.Model{})
	_, _, chat := client.Chat(t.Context(), question)
	_, _, embed := client.Embed(t.Context(), []string{"a"})
	_, _, images := client.Images(t.Context(), "a")
	for path, err := range map[string]error{"/v1/chat/completions": chat, "/v1/embeddings": embed, "/v1/images/generations": images} {
		if err == nil || !strings.Contains(err.Error(), "or has no "+server.URL+path+" (HTTP 404") {
			t.Errorf("got %v, want something with %s", err, path)
		}
	}
}
