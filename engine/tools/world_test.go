package tools_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/tools"
	"seedloom.dev/seedloom/internal/bridge"
)

// asProgram has the test's binary be a tool server over its input and output.
const asProgram = "TEST_TOOL_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		if err := toolServer(newCounts(nil)).Run(context.Background(), &mcp.StdioTransport{}); err != nil && !errors.Is(err, io.EOF) {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// counts counts what a tool server was asked for.
type counts struct {
	mu    sync.Mutex
	calls map[string]int
	// released ends the slow calls.
	released chan struct{}
	release  func()
	sessions atomic.Int64
	servers  []*mcp.Server
}

// newCounts returns zeros. The sessions of the servers that count here end with the test: a killed site leaves them behind.
func newCounts(t *testing.T) *counts {
	made := &counts{calls: map[string]int{}, released: make(chan struct{})}
	made.release = sync.OnceFunc(func() { close(made.released) })
	if t != nil {
		t.Cleanup(func() {
			made.release()
			for _, server := range made.servers {
				for session := range server.Sessions() {
					session.Close()
				}
			}
		})
	}
	return made
}

func (c *counts) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[name]++
}

func (c *counts) of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[name]
}

var pixel = []byte("\x89PNG a picture")

// toolServer has tools of all sorts.
func toolServer(seen *counts, names ...string) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ServerOptions{
		InitializedHandler: func(context.Context, *mcp.InitializedRequest) { seen.sessions.Add(1) },
	})
	seen.servers = append(seen.servers, server)
	add := func(name string, call func(ctx context.Context, arguments string) (*mcp.CallToolResult, error)) {
		schema := map[string]any{"type": "object", "properties": map[string]any{"text": map[string]any{"type": "string"}}}
		server.AddTool(&mcp.Tool{Name: name, Description: "does " + name, InputSchema: schema},
			func(ctx context.Context, request *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				seen.add(name)
				return call(ctx, string(request.Params.Arguments))
			})
	}
	text := func(parts ...string) *mcp.CallToolResult {
		made := &mcp.CallToolResult{}
		for _, part := range parts {
			made.Content = append(made.Content, &mcp.TextContent{Text: part})
		}
		return made
	}
	all := map[string]func(ctx context.Context, arguments string) (*mcp.CallToolResult, error){
		"echo": func(_ context.Context, arguments string) (*mcp.CallToolResult, error) {
			return text("you said", arguments), nil
		},
		"big": func(context.Context, string) (*mcp.CallToolResult, error) {
			return text(strings.Repeat("é", 200_000)), nil
		},
		"die":      func(context.Context, string) (*mcp.CallToolResult, error) { os.Exit(3); return nil, nil },
		"refuse":   func(context.Context, string) (*mcp.CallToolResult, error) { return nil, errors.New("no such city") },
		"dot.name": func(context.Context, string) (*mcp.CallToolResult, error) { return text("dotted"), nil },
		"fail": func(context.Context, string) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: "the disk is full"}}}, nil
		},
		"picture": func(context.Context, string) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "look"}, &mcp.ImageContent{MIMEType: "image/png", Data: pixel}}}, nil
		},
		"slow": func(ctx context.Context, _ string) (*mcp.CallToolResult, error) {
			select {
			case <-ctx.Done():
			case <-seen.released:
			}
			return text("at last"), nil
		},
		"process": func(context.Context, string) (*mcp.CallToolResult, error) { return text(fmt.Sprint(os.Getpid())), nil },
	}
	if len(names) == 0 {
		names = []string{"echo", "big", "die", "refuse", "dot.name", "fail", "picture", "slow", "process"}
	}
	for _, name := range names {
		call := all[name]
		if call == nil {
			call = all["echo"]
		}
		add(name, call)
	}
	return server
}

// site is an HTTP server that can be killed and started again at the same address.
type site struct {
	t       *testing.T
	address string
	server  *http.Server
	done    chan struct{}
}

func newSite(t *testing.T, handler http.Handler) *site {
	t.Helper()
	made := &site{t: t, address: "127.0.0.1:0"}
	made.start(handler)
	t.Cleanup(made.kill)
	return made
}

func (s *site) url() string { return "http://" + s.address }

func (s *site) start(handler http.Handler) {
	s.t.Helper()
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address, s.done = listener.Addr().String(), make(chan struct{})
	server, done := &http.Server{Handler: handler}, s.done
	s.server = server
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
}

// kill cuts all connections at once.
func (s *site) kill() {
	_ = s.server.Close()
	<-s.done
}

func streamable(server *mcp.Server) http.Handler {
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
}

// older answers as servers do that know only versions of the protocol with sessions.
func older(next http.Handler) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		if strings.Contains(string(body), `"server/discover"`) {
			writer.WriteHeader(http.StatusBadRequest)
			return
		}
		request.Body = io.NopCloser(strings.NewReader(string(body)))
		next.ServeHTTP(writer, request)
	})
}

// sidecar bridges this very program as a tool server, and returns the folder of its socket.
func sidecar(t *testing.T, name string) (folder string) {
	t.Helper()
	t.Setenv(asProgram, "1")
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if folder, err = os.MkdirTemp("", "tools"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bridge.Serve(ctx, filepath.Join(folder, name), []string{own}, io.Discard) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the bridge ended with: %v", err)
		}
		_ = os.RemoveAll(folder) // the test is over
	})
	return folder
}

// specWith has one column that uses each set of tools.
func specWith(servers []v1alpha1.ToolServer, sets ...v1alpha1.ToolSet) *v1alpha1.DatasetGenerationSpec {
	spec := &v1alpha1.DatasetGenerationSpec{ToolServers: servers, Tools: sets}
	for _, set := range sets {
		spec.Columns = append(spec.Columns, v1alpha1.Column{Name: set.Alias, LLMText: &v1alpha1.LLMText{LLMPrompt: v1alpha1.LLMPrompt{Tools: set.Alias}}})
	}
	return spec
}

func one(kind v1alpha1.ToolServerType, endpoint string, set v1alpha1.ToolSet) *v1alpha1.DatasetGenerationSpec {
	set.Alias, set.Servers = "box", []string{"only"}
	return specWith([]v1alpha1.ToolServer{{Name: "only", Type: kind, Endpoint: endpoint}}, set)
}

func open(t *testing.T, spec *v1alpha1.DatasetGenerationSpec, change ...func(*tools.Config)) *tools.Set {
	t.Helper()
	config := tools.Config{Patience: 20 * time.Second, Logger: slog.New(slog.DiscardHandler)}
	for _, apply := range change {
		apply(&config)
	}
	set := tools.NewSet(spec, config)
	t.Cleanup(set.Close)
	return set
}

// checked returns the toolbox "box" of a set that has passed its check.
func checked(t *testing.T, spec *v1alpha1.DatasetGenerationSpec, change ...func(*tools.Config)) *tools.Toolbox {
	t.Helper()
	set := open(t, spec, change...)
	if err := set.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	return set.Toolbox("box")
}
