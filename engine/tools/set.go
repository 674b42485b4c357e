// Package tools calls the tools of Model Context Protocol servers for models: one session for each server, shared by all columns, the
// checks before a run, and the calls of one turn. It asks no model, and neither arguments nor results of tools are logged or quoted here.
package tools

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
)

// Config is what a set needs to know beside the spec.
type Config struct {
	// Key returns the API key of the server with an index in the spec, or an empty string.
	Key func(server int) string
	// Socket returns the path of the socket on which the bridge of a Stdio server listens, or an empty string. Nil where there are none.
	Socket func(server string) string
	// Endpoints says where requests may be sent; nil is anywhere.
	Endpoints *connection.Endpoints
	// Patience is how long the check waits for servers that can't be reached yet, such as sidecars that have only been started.
	Patience time.Duration
	Logger   *slog.Logger
	// Version is the version of the engine, which servers are told.
	Version string
}

// Set holds the servers whose tools the columns of a spec use, and the sessions with them. It is used from many goroutines at once.
type Set struct {
	config  Config
	spec    *v1alpha1.DatasetGenerationSpec
	servers []*server
	boxes   map[string]*Toolbox
	// work waits for the goroutines that open, watch and close sessions; stop ends what they do.
	work sync.WaitGroup
	ctx  context.Context
	stop context.CancelFunc
}

// NewSet returns the servers that the columns of a valid spec use. No server is talked to yet. The caller closes the set.
func NewSet(spec *v1alpha1.DatasetGenerationSpec, config Config) *Set {
	set := &Set{config: config, spec: spec, boxes: map[string]*Toolbox{}}
	set.ctx, set.stop = context.WithCancel(context.Background())
	byName := map[string]*server{}
	for _, index := range spec.ToolServersInUse() {
		server := newServer(set, &spec.ToolServers[index], index)
		set.servers = append(set.servers, server)
		byName[server.spec.Name] = server
	}
	for i := range spec.Tools {
		if !spec.UsesTools(spec.Tools[i].Alias) {
			continue
		}
		box := &Toolbox{spec: &spec.Tools[i], logger: config.Logger}
		for _, name := range spec.Tools[i].Servers {
			box.servers = append(box.servers, byName[name])
		}
		set.boxes[box.spec.Alias] = box
	}
	return set
}

// Toolbox returns the tools with an alias that a column uses.
func (s *Set) Toolbox(alias string) *Toolbox { return s.boxes[alias] }

// Close ends the sessions and waits for all that the set has started. No call may be under way.
func (s *Set) Close() {
	for _, server := range s.servers {
		server.close()
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.work.Wait()
	}()
	// A server that does not answer the goodbye must not hold up the end of the run.
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
	s.stop()
	<-closed
}

// problem is one thing that is wrong with the tools.
type problem struct {
	text string
	// passing says that it may pass by itself.
	passing bool
}

// Check connects to all servers, lists their tools and compares them with the spec. All that is wrong is in one error, a failure.Error
// that ends the run; when nothing but reachability is wrong, it is temporary.
func (s *Set) Check(ctx context.Context) error {
	found := s.connectAll(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i := range s.spec.Tools {
		if box := s.boxes[s.spec.Tools[i].Alias]; box != nil {
			found = append(found, box.problems()...)
		}
	}
	if len(found) == 0 {
		return nil
	}
	texts := make([]string, len(found))
	for i, each := range found {
		texts[i] = each.text
	}
	failed := failure.New(v1alpha1.ReasonToolFailed, failure.EndRun, "the tools can't be used: %s", strings.Join(texts, "; "))
	failed.Temporary = !slices.ContainsFunc(found, func(each problem) bool { return !each.passing })
	return failed
}

// connectAll connects to all servers at once, and returns what is wrong in the order of the spec.
func (s *Set) connectAll(ctx context.Context) []problem {
	results := make([]error, len(s.servers))
	var waiting sync.WaitGroup
	for i, server := range s.servers {
		waiting.Go(func() { results[i] = server.await(ctx, s.config.Patience) })
	}
	waiting.Wait()
	var found []problem
	for _, err := range results {
		if err != nil {
			failed := failure.Of(err)
			found = append(found, problem{failed.Message, failed.Consequence != failure.EndRun})
		}
	}
	return found
}

// problems compares a toolbox with what its servers have listed. While one of them could not be reached, little can be said.
func (b *Toolbox) problems() []problem {
	var found []problem
	owners := map[string]string{}
	complete := true
	for _, server := range b.servers {
		listing := server.listing.Load()
		if listing == nil {
			complete = false
			continue
		}
		for _, tool := range listing.tools {
			if !b.allows(tool.name) {
				continue
			}
			if tool.function.Name == model.AnswerTool {
				found = append(found, problem{text: fmt.Sprintf(
					"tools %q: the server %q has a tool %q, which is the name under which models give their answers; "+
						"leave it out of allowTools", b.spec.Alias, server.spec.Name, tool.name)})
			}
			if owner, taken := owners[tool.function.Name]; taken {
				found = append(found, problem{text: fmt.Sprintf(
					"tools %q: the servers %q and %q both have a tool %q; give each server a set of its own, or leave the tool out of allowTools",
					b.spec.Alias, owner, server.spec.Name, tool.name)})
				continue
			}
			owners[tool.function.Name] = server.spec.Name
		}
	}
	if !complete {
		return found
	}
	for _, name := range b.spec.AllowTools {
		if !b.has(name) {
			found = append(found, problem{text: fmt.Sprintf("tools %q: allowTools names %q, but none of the servers has it (they have %s)",
				b.spec.Alias, name, quoted(b.toolNames()))})
		}
	}
	if len(owners) == 0 && len(b.spec.AllowTools) == 0 {
		found = append(found, problem{text: fmt.Sprintf("tools %q: its servers have no tools at all", b.spec.Alias)})
	}
	return found
}

// quoted lists names, and only the first of many.
func quoted(names []string) string {
	const most = 20
	if len(names) == 0 {
		return "no tools"
	}
	var listed []string
	for _, name := range names[:min(len(names), most)] {
		listed = append(listed, fmt.Sprintf("%q", name))
	}
	if more := len(names) - most; more > 0 {
		listed = append(listed, fmt.Sprintf("%d more", more))
	}
	return strings.Join(listed, ", ")
}
