// Package hub publishes files in a dataset repository of a Hugging Face hub, in one commit, as often as it takes: what is there already is
// neither sent nor committed again. It also lists and reads the files of one. It knows what a repository and a file are, and nothing of
// datasets, rows or how they came about.
package hub

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
)

// File is a file that is published. Read returns its content; it may be called more than once, from several goroutines.
type File struct {
	// Path is where it is in the repository.
	Path  string
	Bytes int64
	// SHA256 is the digest of the content, in hexadecimal digits.
	SHA256 string
	// Begin is what the content begins with, where that is known without reading it; else it is nil.
	Begin []byte
	Read  func() ([]byte, error)
}

// Target is the repository that files are published in.
type Target struct {
	// Endpoint is the address of the hub, Repository is OWNER/NAME there, and Branch is the branch that is committed to.
	Endpoint, Repository, Branch string
	// Private says that nobody but its owner may see the repository. It is created so, and one that is public is refused.
	Private bool
	// Token is sent to the endpoint, and nowhere else.
	Token string
}

// Content is what a repository is to hold.
type Content struct {
	// Message is the first line of the commit.
	Message string
	// Card is what people read of the repository first, and what tells loaders which file is what: README.md.
	Card  File
	Files []File
	// Folders are those that hold nothing but files: what else is in them is removed.
	Folders []string
}

// Result is what is in the repository once it is published.
type Result struct {
	// Address is the page of the repository, and Commit the newest commit of the branch.
	Address, Commit string
	// Uploaded, Kept and Removed count files; where Uploaded and Removed are 0, no commit was made.
	Uploaded, Kept, Removed int
	// Bytes are those of the files that were uploaded.
	Bytes int64
}

// Config is what a client works with.
type Config struct {
	// UserAgent names the program to the hub.
	UserAgent string
	// Allowed are networks inside that the hub may lead to with its files, and Endpoints says where requests may be sent; nil is anywhere.
	Allowed   []netip.Prefix
	Endpoints *connection.Endpoints
	// Report is called with what has been done so far, after each file. It may be nil.
	Report func(uploaded, all int)
}

// client talks with the hub of one target.
type client struct {
	Config
	target Target
	// endpoint is the address of the hub, without a slash at its end.
	endpoint *url.URL
	http     *http.Client
	// advice says what to do about an answer that is no success; it is empty where there is nothing to say.
	advice func(got *answer) string
	// pages bounds the pages of a listing.
	pages int
	// pause waits between two tries.
	pause func(ctx context.Context, duration time.Duration) error
}

// maxRounds is how often what is in the repository is looked at, and what is missing is committed, before that is given up: others may
// commit meanwhile, and answers of commits may be lost.
const maxRounds = 6

// Publish has the repository hold the content, and creates it where there is none. Cut off, it may be called again, and goes on from where
// it was. Its errors are failure.Error, or those of reading a file.
func Publish(ctx context.Context, config Config, target Target, content *Content) (*Result, error) {
	hub, err := newClient(config, target)
	if err != nil {
		return nil, err
	}
	defer hub.http.CloseIdleConnections()
	return hub.publish(ctx, content)
}

func newClient(config Config, target Target) (*client, error) {
	endpoint, err := parseEndpoint(target.Endpoint)
	if err != nil {
		return nil, err
	}
	if target.Token == "" {
		return nil, refused("there is no token for %s", endpoint.Host)
	}
	if !isToken(target.Token) {
		return nil, refused(noToken, endpoint.Host)
	}
	hub := &client{Config: config, target: target, endpoint: endpoint, pages: maxPages, pause: pause}
	guard := &connection.Guard{Own: endpoint, Allowed: append(config.Endpoints.Networks(), config.Allowed...), Endpoints: config.Endpoints}
	hub.http = guard.Client()
	hub.http.CheckRedirect = hub.checkRedirect
	hub.advice = hub.writingAdvice
	return hub, nil
}

// parseEndpoint reads the address of a hub.
func parseEndpoint(address string) (*url.URL, error) {
	endpoint, err := url.Parse(address)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return nil, refused("the address of the hub, %q, is not one of http:// or https://", address)
	}
	return endpoint.JoinPath(), nil
}

// noToken says of a hub that what is to be its token is none.
const noToken = "the token for %s has characters in it that no token has, such as blanks or line ends"

func isToken(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// writingAdvice says what to do about an answer to somebody who publishes.
func (c *client) writingAdvice(got *answer) string {
	switch got.status {
	case http.StatusUnauthorized:
		return "; see that the token is right, and may write"
	case http.StatusForbidden:
		return "; see that the token may write to " + c.target.Repository
	}
	return ""
}

func (c *client) publish(ctx context.Context, content *Content) (*Result, error) {
	if err := c.ensureRepository(ctx); err != nil {
		return nil, err
	}
	result := &Result{Address: c.address("datasets", c.target.Repository)}
	for round := 1; ; round++ {
		state, err := c.look(ctx)
		if err != nil {
			return nil, err
		}
		changes, err := c.changes(ctx, state, content, round == 1)
		if err != nil {
			return nil, err
		}
		if changes.empty() {
			result.Commit, result.Kept = state.commit, len(content.Files)+1-result.Uploaded
			return result, nil
		}
		result.Uploaded, result.Removed, result.Bytes = len(changes.files), len(changes.removed), changes.bytes()
		if err := c.upload(ctx, changes); err != nil {
			return nil, err
		}
		commit, err := c.commit(ctx, state, changes, content.Message)
		if err == nil {
			result.Commit, result.Kept = commit, len(content.Files)+1-len(changes.files)
			return result, nil
		}
		if round == maxRounds {
			return nil, err
		}
		if err := c.waitAfter(ctx, err, round); err != nil {
			return nil, err
		}
	}
}

// changes are what the repository lacks of the content. The first time it is made sure that the repository is one for it.
func (c *client) changes(ctx context.Context, now *state, content *Content, isFirst bool) (*changes, error) {
	if isFirst {
		if err := c.checkOwn(ctx, now); err != nil {
			return nil, err
		}
	}
	return now.changesTo(content)
}

// refused is a failure that trying again does not help with.
func refused(format string, arguments ...any) *failure.Error {
	return failure.New(v1alpha1.ReasonPublicationRefused, failure.EndRun, format, arguments...)
}

// failed is a failure that may pass.
func failed(format string, arguments ...any) *failure.Error {
	problem := failure.New(v1alpha1.ReasonPublicationFailed, failure.EndRun, format, arguments...)
	problem.Temporary = true
	return problem
}

// address is an address below the endpoint. A part may hold slashes.
func (c *client) address(parts ...string) string { return c.endpoint.JoinPath(parts...).String() }

// pause waits, or returns the error of the context.
func pause(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return failure.Of(context.Cause(ctx))
	case <-timer.C:
		return nil
	}
}
