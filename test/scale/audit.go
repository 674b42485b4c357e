package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// audit is the API server's own record of what the manager has asked for.
type audit struct{ path string }

// request is one line of the record.
type request struct {
	Stage string `json:"stage"`
	Verb  string `json:"verb"`
	// ObjectRef is empty for paths that name no resource, such as those of discovery.
	ObjectRef struct {
		Resource, Subresource, Namespace, Name string
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

// mark is where the record ends now.
func (a *audit) mark() (int64, error) {
	info, err := os.Stat(a.path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the audit log: %w", err)
	}
	return info.Size(), nil
}

// since reads the requests after a mark, without those for the Lease, which the leader renews whatever there is to do, and its events.
func (a *audit) since(mark int64) ([]request, error) {
	file, err := os.Open(a.path)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(mark, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	var found []request
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one request
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("reading a line of the audit log: %w", err)
		}
		// A watch counts when it begins: it ends when nobody asks for anything.
		if one.ObjectRef.Namespace == leaseNamespace || one.Verb == "watch" && one.Stage != "ResponseStarted" {
			continue
		}
		found = append(found, one)
	}
	return found, lines.Err()
}

// writes are the requests that change something.
func writes(requests []request) []request {
	return slices.DeleteFunc(slices.Clone(requests), func(one request) bool {
		return slices.Contains([]string{"get", "list", "watch"}, one.Verb)
	})
}

// summary counts requests by what they were for.
func summary(requests []request) string {
	counts := map[string]int{}
	for _, one := range requests {
		resource := one.ObjectRef.Resource
		if one.ObjectRef.Subresource != "" {
			resource += "/" + one.ObjectRef.Subresource
		}
		text := one.Verb + " " + resource
		if one.ResponseStatus.Code >= 400 {
			text += fmt.Sprintf(" (%d)", one.ResponseStatus.Code)
		}
		counts[text]++
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[key], key))
	}
	return strings.Join(parts, ", ")
}
