package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"

	"seedloom.dev/seedloom/engine/failure"
)

// Source is a repository that is read.
type Source struct {
	// Endpoint is the address of the hub, and Repository is OWNER/NAME there.
	Endpoint, Repository string
	// Token is sent to the endpoint, and nowhere else; it is empty where everybody may read the repository.
	Token string
	// UserAgent names the program to the hub, and Transport sends the requests.
	UserAgent string
	Transport http.RoundTripper
}

// Listed is a file of a commit.
type Listed struct {
	Path  string
	Bytes int64
	// Digest tells the content from others: the SHA-256 of a large file, or the digest that git has of another one.
	Digest string
}

// ReadError is why something could not be read.
type ReadError struct {
	err error
	// MayPass says that another try may succeed.
	MayPass bool
	// status is that of the answer, and code what the hub calls the problem; 0 and empty where there are none.
	status int
	code   string
}

// Error says what could not be done, and why.
func (e *ReadError) Error() string { return e.err.Error() }

// Is has what the hub does not know count as a file that does not exist.
func (e *ReadError) Is(target error) bool {
	return target == fs.ErrNotExist && e.status == http.StatusNotFound && e.code != codeNoRepository
}

// What hubs call some problems.
const (
	codeNoRepository = "RepoNotFound"
	codeNoRevision   = "RevisionNotFound"
	codeGated        = "GatedRepo"
)

// Reader reads a repository. Several goroutines may use it.
type Reader struct {
	*client
	// files follows redirects of files to other hosts, where the token does not go.
	files *http.Client
	// maxListed bounds the paths of a listing, in bytes together.
	maxListed int
}

// OpenReader returns a reader; no request is sent yet. Its errors are ReadError.
func OpenReader(source Source) (*Reader, error) {
	endpoint, err := parseEndpoint(source.Endpoint)
	if err == nil && !isToken(source.Token) {
		err = refused(noToken, endpoint.Host)
	}
	if err != nil {
		return nil, readError(err)
	}
	reader := &Reader{maxListed: 64 << 20, client: &client{
		Config: Config{UserAgent: source.UserAgent}, target: Target{Repository: source.Repository, Token: source.Token}, endpoint: endpoint,
		pages: maxPages, pause: pause,
	}}
	reader.http = &http.Client{Transport: source.Transport, CheckRedirect: func(next *http.Request, before []*http.Request) error {
		if !reader.isHub(next.URL) || len(before) > maxRedirects {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	reader.files = &http.Client{Transport: source.Transport, CheckRedirect: reader.checkFileRedirect}
	reader.advice = reader.readingAdvice
	return reader, nil
}

// checkFileRedirect lets the hub lead to where it keeps its files, without the token. Where the hub is encrypted, so must that be.
func (r *Reader) checkFileRedirect(next *http.Request, before []*http.Request) error {
	if len(before) > maxRedirects || r.endpoint.Scheme == "https" && next.URL.Scheme != "https" {
		return http.ErrUseLastResponse
	}
	if !r.isHub(next.URL) {
		next.Header.Del("Authorization")
	}
	next.Header.Del("Referer") // addresses may be signed
	return nil
}

// Close ends what is left of connections.
func (r *Reader) Close() error {
	r.http.CloseIdleConnections()
	return nil
}

// Commit is the commit of a branch, a tag or a commit. Its errors are ReadError, or that of the context.
func (r *Reader) Commit(ctx context.Context, revision string) (string, error) {
	var found repository
	doing := fmt.Sprintf("looking at the revision %s of %s", revision, r.target.Repository)
	// All else that the hub knows of the revision is not asked for: the list of files alone may be large.
	address := r.api("revision", url.PathEscape(revision)) + "?expand=sha"
	if _, err := r.document(ctx, &request{method: http.MethodGet, address: address, doing: doing}, &found); err != nil {
		return "", readError(err)
	}
	if !isCommit(found.Commit) {
		return "", readError(failed("%s: %s does not say what its commit is", doing, r.endpoint.Host))
	}
	return found.Commit, nil
}

// List returns the files in a folder of a commit; only those right in it where it is not recursive. The folder is empty for all. Its errors
// are ReadError, or that of the context; that there is no such folder counts as fs.ErrNotExist.
func (r *Reader) List(ctx context.Context, commit, folder string, recursive bool) ([]Listed, error) {
	var files []Listed
	size := 0
	err := r.list(ctx, commit, folder, recursive, func(one entry) error {
		listed := Listed{Path: one.Path, Bytes: one.Size, Digest: one.OID}
		if one.LFS != nil {
			listed.Digest = one.LFS.OID
		}
		if !fs.ValidPath(one.Path) || one.Size < 0 || !isCommit(listed.Digest) {
			return refused("listing the files of %s: %s names %q with %d bytes and the digest %q, which is no file", r.target.Repository,
				r.endpoint.Host, r.clean(one.Path), one.Size, r.clean(listed.Digest))
		}
		if size += len(one.Path); size > r.maxListed || len(files) == maxEntries {
			return refused("listing the files of %s: there are more than %d of them, or their paths have more than %d MiB; name a folder in "+
				"paths", r.target.Repository, maxEntries, r.maxListed>>20)
		}
		files = append(files, listed)
		return nil
	})
	if err != nil {
		return nil, readError(err)
	}
	return files, nil
}

// readError is a failure as readers have it. That of a context stays what it is.
func readError(err error) error {
	problem := failure.Of(err)
	if problem.Traits().AskedToStop {
		return problem
	}
	result := &ReadError{err: problem, MayPass: problem.Temporary}
	var said *statusError
	if errors.As(err, &said) {
		result.status, result.code = said.status, said.code
	}
	return result
}

// readingAdvice says what to do about an answer to somebody who reads.
func (r *Reader) readingAdvice(got *answer) string {
	page := r.address("datasets", r.target.Repository)
	code := got.header.Get("X-Error-Code")
	switch {
	case code == codeGated, got.status == http.StatusForbidden:
		if r.target.Token == "" {
			return "; it is gated: ask for access on " + page + ", and name a token of that account (tokenSecretRef)"
		}
		return "; see on " + page + " that the account of the token has access, and that the token may read it"
	case got.status == http.StatusUnauthorized && r.target.Token != "":
		return "; see that the token is right"
	case got.status == http.StatusUnauthorized, got.status == http.StatusNotFound && code == codeNoRepository && r.target.Token == "":
		return "; check the name: there is no such dataset, or it is private or gated and needs a token with the right to read it " +
			"(tokenSecretRef)"
	case got.status == http.StatusNotFound && code == codeNoRepository:
		return "; check the name: there is no such dataset, or the token may not read it"
	case code == codeNoRevision:
		return "; a revision is a branch, a tag or a commit"
	}
	return ""
}

// Address is the page of the repository.
func (r *Reader) Address() string { return r.address("datasets", r.target.Repository) }

// IsNoCommit says whether an error is that the hub has no such revision.
func IsNoCommit(err error) bool {
	var problem *ReadError
	return errors.As(err, &problem) && problem.code == codeNoRevision
}
