package tools

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
)

const (
	// connectTimeout bounds how long it may take to open a session and to list the tools.
	connectTimeout = 20 * time.Second
	// closeTimeout bounds how long the set waits for servers at the end.
	closeTimeout = 5 * time.Second
	// connectPause is the time between two tries of the check.
	connectPause = 500 * time.Millisecond
	// lateCalls is how many calls in a row may get no answer before their session is taken for dead.
	lateCalls = 3
	// maxTools bounds how many tools of a server are listed, so that a list without end is found out.
	maxTools = 1024
)

// server is one server, with at most one session at a time.
type server struct {
	set   *Set
	spec  *v1alpha1.ToolServer
	index int
	// listing is what the server has listed when the last session began; nil until there was one.
	listing atomic.Pointer[listing]

	mutex sync.Mutex
	// current is the session, or nil. opening is set while one is being opened: there is only one try at a time.
	current *session
	opening *opening
	closed  bool
	// away says that the log has told that no session could be opened, after there was one.
	away bool
}

// session is a connection to a server. Whoever finds it lost discards it.
type session struct {
	client *mcp.ClientSession
	cancel context.CancelFunc
	// late counts the calls in a row that got no answer in time.
	late atomic.Int32
}

// opening is a try to open a session, for which many may wait.
type opening struct {
	done   chan struct{}
	result *session
	err    error
}

func newServer(set *Set, spec *v1alpha1.ToolServer, index int) *server {
	return &server{set: set, spec: spec, index: index}
}

// session returns the session, and opens one where there is none. The error is a failure.Error or that of the context.
func (s *server) session(ctx context.Context) (*session, error) {
	s.mutex.Lock()
	if s.current != nil || s.closed {
		defer s.mutex.Unlock()
		if s.closed {
			return nil, failure.New(v1alpha1.ReasonInternalError, failure.EndRun, "tool server %q was called after the end", s.spec.Name)
		}
		return s.current, nil
	}
	attempt := s.opening
	if attempt == nil {
		attempt = &opening{done: make(chan struct{})}
		s.opening = attempt
		s.set.work.Go(func() { s.open(attempt) })
	}
	s.mutex.Unlock()
	select {
	case <-attempt.done:
		return attempt.result, attempt.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// open opens a session for all who wait for it. It belongs to none of them: one that gives up waiting ends it for nobody else.
func (s *server) open(attempt *opening) {
	before := s.listing.Load() != nil
	connection, err := s.connect()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.opening = nil
	s.tell(before, err)
	if err == nil && s.closed {
		s.end(connection)
	} else if err == nil {
		s.current = connection
		s.set.work.Go(func() {
			// A session over a stream tells of its end, long before the next call would find out.
			_ = connection.client.Wait()
			s.discard(connection)
		})
	}
	attempt.result, attempt.err = connection, err
	close(attempt.done)
}

// tell logs that a server has gone away, and that it is back, once each. The check before a run tells for itself.
func (s *server) tell(before bool, err error) {
	logger := s.set.config.Logger
	switch {
	case !before || s.closed || logger == nil:
	case err != nil && !s.away:
		s.away = true
		logger.Warn("a tool server is away; the cells that call its tools wait, and others of their models may wait with them",
			"server", s.spec.Name, "error", err)
	case err == nil && s.away:
		s.away = false
		logger.Info("the tool server is back", "server", s.spec.Name)
	}
}

func (s *server) connect() (*session, error) {
	ctx, cancel := context.WithCancel(s.set.ctx)
	// The context lives as long as the session; only until there is one its time is limited.
	timer := time.AfterFunc(connectTimeout, cancel)
	transport, err := s.transport(ctx)
	if err != nil {
		timer.Stop()
		cancel()
		return nil, s.unusable(err, false)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "seedloom", Version: s.set.config.Version}, &mcp.ClientOptions{
		Capabilities:   &mcp.ClientCapabilities{},
		MultiRoundTrip: &mcp.MultiRoundTripOptions{Disabled: true},
	})
	opened, err := client.Connect(ctx, transport, nil)
	var listed *listing
	if err == nil {
		listed, err = s.list(ctx, opened)
	}
	late := !timer.Stop()
	if err != nil || late {
		if opened != nil {
			s.end(&session{client: opened, cancel: cancel})
		} else {
			cancel()
		}
		return nil, s.unusable(err, late)
	}
	s.listing.Store(listed)
	return &session{client: opened, cancel: cancel}, nil
}

func (s *server) list(ctx context.Context, opened *mcp.ClientSession) (*listing, error) {
	connection := &listing{}
	for tool, err := range opened.Tools(ctx, nil) {
		if err != nil {
			return nil, err
		}
		if len(connection.tools) == maxTools {
			return nil, errTooMany
		}
		entry, err := newTool(tool)
		if err != nil {
			return nil, err
		}
		connection.tools = append(connection.tools, entry)
	}
	slices.SortFunc(connection.tools, func(a, b tool) int { return strings.Compare(a.name, b.name) })
	return connection, nil
}

// discard gives up a session, if it is still the current one. Calls that are under way in it go on until they end.
func (s *server) discard(lost *session) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.current != lost {
		return
	}
	s.current = nil
	if !s.closed && s.set.config.Logger != nil {
		s.set.config.Logger.Warn("the session with a tool server was lost; the next call opens another one", "server", s.spec.Name)
	}
	s.end(lost)
}

// end closes a session on the side.
func (s *server) end(connection *session) {
	s.set.work.Go(func() {
		// The other side may be gone already: then there is nobody to say goodbye to.
		_ = connection.client.Close()
		connection.cancel()
	})
}

func (s *server) close() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.closed = true
	if s.current != nil {
		s.end(s.current)
		s.current = nil
	}
}

// await opens a session, and tries again for a while where the server can't be reached.
func (s *server) await(ctx context.Context, patience time.Duration) error {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pause := time.NewTicker(connectPause)
	defer pause.Stop()
	for {
		_, err := s.session(ctx)
		if failed := (*failure.Error)(nil); err == nil || !errors.As(err, &failed) || failed.Consequence == failure.EndRun {
			return err
		}
		select {
		case <-patient.Done():
			return err
		case <-pause.C:
		}
	}
}
