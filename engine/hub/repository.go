package hub

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

const (
	cardPath = "README.md"
	// attributesPath is a file that the hub itself puts into each repository.
	attributesPath = ".gitattributes"
	// ownTag is the tag in the card of a dataset that Seedloom has published.
	ownTag = "seedloom"
	// maxEntries bounds how many files a repository may have.
	maxEntries = 200_000
	// maxPages bounds the pages of a listing; the hub's own have 1 000 files.
	maxPages = 2000
)

// ownTagLine finds the tag in the head of a card.
var ownTagLine = regexp.MustCompile(`(?m)^\s*- ['"]?` + ownTag + `['"]?\s*$`)

// isOwnCard says whether a card is that of a dataset that was published from here.
func isOwnCard(card string) bool {
	head, found := strings.CutPrefix(card, "---")
	if !found {
		return false
	}
	head, _, found = strings.Cut(head, "\n---")
	return found && ownTagLine.MatchString(head)
}

// repository is what the hub says of a repository.
type repository struct {
	Commit  string `json:"sha"`
	Private *bool  `json:"private"`
}

// state is what is in the branch.
type state struct {
	commit string
	files  map[string]entry
}

// entry is a file of the branch.
type entry struct {
	Type string `json:"type"`
	Path string `json:"path"`
	Size int64  `json:"size"`
	// OID is the digest of the object in git.
	OID string `json:"oid"`
	// LFS is there for a file that is kept outside of git, with the digest of its content: its SHA-256.
	LFS *struct {
		OID string `json:"oid"`
	} `json:"lfs"`
}

// api is an address of the repository in the programming interface.
func (c *client) api(parts ...string) string {
	return c.address(append([]string{"api", "datasets", c.target.Repository}, parts...)...)
}

// ensureRepository creates the repository and the branch, where they are not there.
func (c *client) ensureRepository(ctx context.Context) error {
	var found repository
	look := &request{method: http.MethodGet, address: c.api(), doing: "looking at the repository " + c.target.Repository}
	_, err := c.document(ctx, look, &found)
	switch {
	case statusOf(err) == http.StatusNotFound:
		if err := c.createRepository(ctx); err != nil {
			return err
		}
	case err != nil:
		return err
	case c.target.Private && (found.Private == nil || !*found.Private):
		return refused("the repository %s is public, and the dataset is to be private: make it private on %s, take another one, or publish "+
			"with private: false (--public)", c.target.Repository, c.endpoint.Host)
	}
	_, err = c.document(ctx, c.revision(), &found)
	if statusOf(err) == http.StatusNotFound {
		return c.createBranch(ctx)
	}
	return err
}

func (c *client) revision() *request {
	return &request{
		method: http.MethodGet, address: c.api("revision", url.PathEscape(c.target.Branch)), doing: "looking at the branch " + c.target.Branch,
	}
}

func (c *client) createRepository(ctx context.Context) error {
	owner, name, _ := strings.Cut(c.target.Repository, "/")
	visibility := "public"
	if c.target.Private {
		visibility = "private"
	}
	_, err := c.send(ctx, &request{
		method: http.MethodPost, address: c.address("api/repos/create"), kind: "application/json",
		doing: "creating the repository " + c.target.Repository,
		// Hubs know the visibility by one of the two names.
		body: encoded(map[string]any{
			"type": "dataset", "name": name, "organization": owner, "visibility": visibility, "private": c.target.Private,
		}),
	})
	if statusOf(err) == http.StatusConflict {
		return nil // an answer was lost, or another has just created it
	}
	return err
}

func (c *client) createBranch(ctx context.Context) error {
	_, err := c.send(ctx, &request{
		method: http.MethodPost, address: c.api("branch", url.PathEscape(c.target.Branch)), kind: "application/json", body: []byte("{}"),
		doing: "creating the branch " + c.target.Branch,
	})
	if statusOf(err) == http.StatusConflict {
		return nil
	}
	return err
}

// look finds out what is in the branch.
func (c *client) look(ctx context.Context) (*state, error) {
	var found repository
	if _, err := c.document(ctx, c.revision(), &found); err != nil {
		return nil, err
	}
	now := &state{commit: found.Commit, files: map[string]entry{}}
	if !isCommit(found.Commit) {
		return nil, failed("looking at the branch %s: %s does not say what its commit is", c.target.Branch, c.endpoint.Host)
	}
	err := c.list(ctx, found.Commit, "", true, func(one entry) error {
		if now.files[one.Path] = one; len(now.files) > maxEntries {
			return refused("the repository %s has more than %d files", c.target.Repository, maxEntries)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return now, nil
}

// list calls a function with the files in a folder of a commit, or right in it, until that returns an error.
func (c *client) list(ctx context.Context, commit, folder string, recursive bool, found func(entry) error) error {
	next := c.api("tree", commit, escaped(folder)) + "?recursive=" + strconv.FormatBool(recursive) + "&expand=false"
	for page := 1; next != ""; page++ {
		if page > c.pages {
			return refused("listing the files of %s: there are more than %d pages of them", c.target.Repository, c.pages)
		}
		var entries []entry
		asked := &request{method: http.MethodGet, address: next, doing: "listing the files of " + c.target.Repository}
		got, err := c.document(ctx, asked, &entries)
		if err != nil {
			return err
		}
		for _, one := range entries {
			if one.Type != "file" {
				continue
			}
			if err := found(one); err != nil {
				return err
			}
		}
		if next, err = c.nextPage(next, got.header.Get("Link")); err != nil {
			return err
		}
	}
	return nil
}

// escaped is a path as it stands in an address.
func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

// nextLink finds the next page in the header of an answer.
var nextLink = regexp.MustCompile(`<([^>]*)>\s*;[^,]*rel="?next"?`)

// nextPage is the address of the page behind one; empty where there is none. It is one of the hub's: the token goes along.
func (c *client) nextPage(here, link string) (string, error) {
	found := nextLink.FindStringSubmatch(link)
	if found == nil {
		return "", nil
	}
	next, err := c.endpoint.Parse(found[1])
	if err != nil || !c.isHub(next) || next.String() == here {
		return "", refused("listing the files of %s: the next page is not on %s", c.target.Repository, c.endpoint.Host)
	}
	return next.String(), nil
}

func isCommit(digits string) bool {
	return len(digits) >= 7 && len(digits) <= 64 && strings.Trim(digits, "0123456789abcdef") == ""
}

// checkOwn refuses a repository with something in it that was not published from here: its card and its files would be overwritten.
func (c *client) checkOwn(ctx context.Context, now *state) error {
	others := 0
	for path := range now.files {
		if path != attributesPath {
			others++
		}
	}
	if others == 0 {
		return nil
	}
	if _, found := now.files[cardPath]; found {
		address := c.address("datasets", c.target.Repository, "resolve", now.commit, cardPath)
		got, err := c.send(ctx, &request{method: http.MethodGet, address: address, doing: "reading the card of " + c.target.Repository})
		if err != nil {
			return err
		}
		if isOwnCard(string(got.body)) {
			return nil
		}
	}
	return refused("the repository %s holds something that Seedloom has not published: take another repository, empty this one, or add "+
		"the tag %q to the head of its %s to have it replaced", c.target.Repository, ownTag, cardPath)
}
