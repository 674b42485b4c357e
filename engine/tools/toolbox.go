package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// maxCalls is how many calls of one turn are made; a model that asks for more is told so.
	maxCalls = 64
	// maxParallel is how many of them are under way at once.
	maxParallel = 16
)

// listing are the tools of a server, sorted by name.
type listing struct{ tools []tool }

// tool is a tool of a server.
type tool struct {
	name string
	// function is how models see it.
	function model.Tool
}

func newTool(listed *mcp.Tool) (tool, error) {
	parameters := json.RawMessage(`{"type":"object","properties":{}}`)
	if listed.InputSchema != nil {
		var err error
		if parameters, err = json.Marshal(listed.InputSchema); err != nil {
			return tool{}, err
		}
	}
	return tool{listed.Name, model.Tool{Name: functionName(listed.Name), Description: listed.Description, Parameters: parameters}}, nil
}

// functionName is the name under which a model knows a tool: providers take fewer characters than the protocol.
func functionName(name string) string {
	const longest = 64
	name = strings.Map(func(char rune) rune {
		if char >= 'a' && char <= 'z' || char >= 'A' && char <= 'Z' || char >= '0' && char <= '9' || char == '_' || char == '-' {
			return char
		}
		return '_'
	}, name)
	return name[:min(len(name), longest)]
}

// Toolbox has the tools that one entry of spec.tools gives to models. It is used from many goroutines at once.
type Toolbox struct {
	spec    *v1alpha1.ToolSet
	servers []*server
	logger  *slog.Logger
}

// MaxTurns is how often a model may call tools before it must answer.
func (b *Toolbox) MaxTurns() int { return b.spec.EffectiveMaxTurns() }

// List returns the tools as models see them, sorted by name.
func (b *Toolbox) List() []model.Tool {
	var listed []model.Tool
	for _, server := range b.servers {
		if known := server.listing.Load(); known != nil {
			for i := range known.tools {
				if b.allows(known.tools[i].name) {
					listed = append(listed, known.tools[i].function)
				}
			}
		}
	}
	slices.SortStableFunc(listed, func(x, y model.Tool) int { return strings.Compare(x.Name, y.Name) })
	// A tool that has come up in a second server since the check: the first server keeps it.
	return slices.CompactFunc(listed, func(x, y model.Tool) bool { return x.Name == y.Name })
}

func (b *Toolbox) allows(name string) bool {
	return len(b.spec.AllowTools) == 0 || slices.Contains(b.spec.AllowTools, name)
}

// has says whether a server lists a tool.
func (b *Toolbox) has(name string) bool { return slices.Contains(b.toolNames(), name) }

func (b *Toolbox) toolNames() []string {
	var names []string
	for _, server := range b.servers {
		if known := server.listing.Load(); known != nil {
			for i := range known.tools {
				names = append(names, known.tools[i].name)
			}
		}
	}
	return names
}

// find returns the server that has the function that a model calls.
func (b *Toolbox) find(function string) (*server, string) {
	for _, server := range b.servers {
		if known := server.listing.Load(); known != nil {
			for i := range known.tools {
				if known.tools[i].function.Name == function && b.allows(known.tools[i].name) {
					return server, known.tools[i].name
				}
			}
		}
	}
	return nil, ""
}

// Call makes the calls of one turn side by side, and returns their results in the order of the calls. What goes wrong with a call (an
// unknown tool, arguments that are no JSON, a tool that fails or is late) is told to the model in its result. Only what the model can do
// nothing about is an error: a server that is lost (retry later) or refuses its key (end of the run), and the end of the context.
func (b *Toolbox) Call(ctx context.Context, calls []model.ToolCall) ([]model.Message, runreport.Usage, error) {
	limit := b.spec.EffectiveTimeout()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	results := make([]result, len(calls))
	// The first failure is the one that counts: it ends the calls beside it, which then fail too.
	var first sync.Once
	var cause error
	slots := make(chan struct{}, maxParallel)
	var waiting sync.WaitGroup
	for i, call := range calls {
		if i >= maxCalls {
			results[i] = failed("too many calls in one turn: only the first %d were made", maxCalls)
			continue
		}
		waiting.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			result, err := b.call(limited, call, limit)
			if err != nil {
				first.Do(func() {
					cause = err
					cancel() // the results of the others are of no use any more
				})
			}
			results[i] = result
		})
	}
	waiting.Wait()
	usage := runreport.Usage{ToolCalls: int64(min(len(calls), maxCalls))}
	if ctx.Err() != nil {
		return nil, usage, ctx.Err()
	}
	if cause != nil {
		return nil, usage, cause
	}
	messages := make([]model.Message, len(calls))
	for i, call := range calls {
		messages[i] = model.Message{Role: model.RoleTool, ToolCallID: call.ID, Content: results[i].text, Media: results[i].media}
	}
	return messages, usage, nil
}

// call makes one call. The context ends with the turn.
func (b *Toolbox) call(ctx context.Context, call model.ToolCall, limit time.Duration) (result, error) {
	server, name := b.find(call.Name)
	if server == nil {
		return failed("there is no tool called %q", call.Name), nil
	}
	arguments, valid := objectOf(call.Arguments)
	if !valid {
		return failed("the arguments are not a JSON object"), nil
	}
	for again := false; ; again = true {
		session, err := server.session(ctx)
		if err != nil {
			if ctx.Err() != nil {
				err = server.unusable(err, true)
			}
			return result{}, err
		}
		answer, err := session.client.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: arguments})
		var answered *jsonrpc.Error
		var status *statusError
		switch {
		case err == nil:
			session.late.Store(0)
			return resultOf(answer), nil
		case ctx.Err() != nil:
			if errors.Is(ctx.Err(), context.DeadlineExceeded) && session.late.Add(1) >= lateCalls {
				server.discard(session)
			}
			return late(limit), nil
		case sessionUnknown(err) && !again:
			// The server was restarted, and has not begun the call: it can be made in a new session at once.
			server.discard(session)
			continue
		case !errors.As(err, &status) && errors.As(err, &answered) && fromServer(answered):
			session.late.Store(0)
			return failed("%s", clipped(answered.Message)), nil
		case !errors.As(err, &status) || sessionUnknown(err):
			server.discard(session)
		}
		return result{}, server.unusable(err, false)
	}
}

// objectOf reads the arguments that a model wrote. No arguments are an empty object.
func objectOf(text string) (json.RawMessage, bool) {
	text = strings.TrimSpace(text)
	if text == "" || text == "null" {
		return json.RawMessage("{}"), true
	}
	return json.RawMessage(text), strings.HasPrefix(text, "{") && json.Valid([]byte(text))
}

func late(limit time.Duration) result {
	return failed("no answer within %s, which is the time for all calls of one turn", limit)
}

func failed(format string, arguments ...any) result {
	return result{text: "error: " + fmt.Sprintf(format, arguments...)}
}
