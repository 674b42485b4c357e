package tools_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/tools"
	"seedloom.dev/seedloom/internal/allowlist"
)

// closedAddress is an address at which nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String() + "/mcp?token=hidden"
}

func TestTheCheckNamesEverythingThatIsWrong(t *testing.T) {
	search := newSite(t, streamable(toolServer(newCounts(t), "find", "read"))).url()
	files := newSite(t, streamable(toolServer(newCounts(t), "read", "write"))).url()
	odd := newSite(t, streamable(toolServer(newCounts(t), "hand_over_answer"))).url()
	away := closedAddress(t)
	server := func(name, url string) v1alpha1.ToolServer {
		return v1alpha1.ToolServer{Name: name, Type: v1alpha1.ToolServerStreamableHTTP, Endpoint: url}
	}
	all := []v1alpha1.ToolServer{server("search", search), server("files", files), server("away", away), server("odd", odd), {Name: "program", Type: v1alpha1.ToolServerStdio}}
	for name, test := range map[string]struct {
		sets      []v1alpha1.ToolSet
		want      []string
		temporary bool
	}{
		"nothing": {sets: []v1alpha1.ToolSet{
			{Alias: "a", Servers: []string{"search"}, AllowTools: []string{"find"}},
			{Alias: "b", Servers: []string{"search", "files"}, AllowTools: []string{"find", "write"}},
		}},
		"tools of the same name, and one that is nowhere": {
			sets: []v1alpha1.ToolSet{
				{Alias: "both", Servers: []string{"search", "files"}},
				{Alias: "few", Servers: []string{"search", "files"}, AllowTools: []string{"find", "delete", "erase"}},
			},
			want: []string{
				`tools "both": the servers "search" and "files" both have a tool "read"`,
				`tools "few": allowTools names "delete", but none of the servers has it (they have "find", "read", "read", "write")`,
				`allowTools names "erase"`,
			},
		},
		"a tool with the name of the answer's": {
			sets: []v1alpha1.ToolSet{{Alias: "a", Servers: []string{"odd"}}},
			want: []string{`the server "odd" has a tool "hand_over_answer", which is the name under which models give their answers`},
		},
		"a server that can't be reached": {
			sets:      []v1alpha1.ToolSet{{Alias: "a", Servers: []string{"away"}, AllowTools: []string{"x"}}},
			want:      []string{`tool server "away" could not be used at http://127.0.0.1:`, `/mcp: connection refused`},
			temporary: true,
		},
		"that, and something that stays wrong": {
			sets: []v1alpha1.ToolSet{{Alias: "a", Servers: []string{"away"}}, {Alias: "b", Servers: []string{"search"}, AllowTools: []string{"gone"}}},
			want: []string{`tool server "away"`, `allowTools names "gone"`},
		},
		"a program without a Pod": {
			sets: []v1alpha1.ToolSet{{Alias: "a", Servers: []string{"program"}}},
			want: []string{`tool server "program" can't be used: servers of type Stdio run as sidecars`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := open(t, specWith(all, test.sets...), func(config *tools.Config) { config.Patience = time.Millisecond }).Check(t.Context())
			if len(test.want) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var failed *failure.Error
			if !errors.As(err, &failed) || failed.Reason != v1alpha1.ReasonToolFailed || failed.Consequence != failure.EndRun ||
				failed.Temporary != test.temporary {
				t.Fatalf("got %#v", err)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("want %q in %q", part, err)
				}
			}
			if strings.Contains(err.Error(), "hidden") {
				t.Errorf("the query of the endpoint is in %q", err)
			}
		})
	}
}

func TestTheCheckWaitsForAServerThatStartsLater(t *testing.T) {
	where := newSite(t, streamable(toolServer(newCounts(t))))
	where.kill()
	set := open(t, one(v1alpha1.ToolServerStreamableHTTP, where.url(), v1alpha1.ToolSet{}))
	ended := make(chan error, 1)
	go func() { ended <- set.Check(t.Context()) }()
	where.start(streamable(toolServer(newCounts(t))))
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTheCheckEndsWithTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	set := open(t, one(v1alpha1.ToolServerStreamableHTTP, closedAddress(t), v1alpha1.ToolSet{}), func(config *tools.Config) { config.Patience = time.Hour })
	if err := set.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestServersThatNoColumnUsesAreLeftAlone(t *testing.T) {
	spec := one(v1alpha1.ToolServerStreamableHTTP, closedAddress(t), v1alpha1.ToolSet{})
	spec.Columns = nil
	set := open(t, spec, func(config *tools.Config) { config.Patience = time.Hour })
	if err := set.Check(t.Context()); err != nil || set.Toolbox("box") != nil {
		t.Errorf("got %v, %v", set.Toolbox("box"), err)
	}
}

func TestAServerThatIsNotAllowedIsNotAsked(t *testing.T) {
	where := newSite(t, streamable(toolServer(newCounts(t))))
	set := open(t, one(v1alpha1.ToolServerStreamableHTTP, where.url(), v1alpha1.ToolSet{}), func(config *tools.Config) {
		config.Endpoints = connection.NewEndpoints(&allowlist.List{}, func(string) string { return "" })
	})
	err := set.Check(t.Context())
	if failed := failure.Of(err); failed == nil || failed.Consequence != failure.EndRun ||
		!strings.Contains(err.Error(), `tool server "only" may not be asked`) {
		t.Errorf("got %v", err)
	}
}
