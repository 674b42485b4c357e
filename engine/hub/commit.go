package hub

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
)

// commit makes a commit of changes on a state, and returns its name. What has become of one whose answer was lost has to be looked at.
func (c *client) commit(ctx context.Context, on *state, wanted *changes, message string) (string, error) {
	doing := "committing to " + c.target.Repository
	var said struct {
		Commit string `json:"commitOid"`
	}
	if _, err := c.document(ctx, &request{
		method: http.MethodPost, address: c.api("commit", url.PathEscape(c.target.Branch)), kind: "application/x-ndjson",
		body: operations(on, wanted, message), once: true, doing: doing,
	}, &said); err != nil {
		return "", err
	}
	if !isCommit(said.Commit) {
		return "", failed("%s: %s does not say which commit it has made", doing, c.endpoint.Host)
	}
	return said.Commit, nil
}

// operations are the lines of a commit.
func operations(on *state, wanted *changes, message string) []byte {
	type line struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	add := func(key string, value any) {
		if err := encoder.Encode(line{key, value}); err != nil {
			panic(err) // it has nothing but texts and numbers
		}
	}
	add("header", map[string]string{"summary": message, "description": "", "parentCommit": on.commit})
	for i := range wanted.files {
		file := &wanted.files[i]
		if data, inline := wanted.inline[file.Path]; inline {
			add("file", map[string]string{"path": file.Path, "content": base64.StdEncoding.EncodeToString(data), "encoding": "base64"})
			continue
		}
		add("lfsFile", map[string]any{"path": file.Path, "algo": "sha256", "oid": file.SHA256, "size": file.Bytes})
	}
	for _, path := range wanted.removed {
		add("deletedFile", map[string]string{"path": path})
	}
	return lines.Bytes()
}
