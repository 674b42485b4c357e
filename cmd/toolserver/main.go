// Command toolserver is a small server of the Model Context Protocol that speaks over its input and output: a lexicon for samples and
// tests. It knows nothing of Seedloom, as any such server would. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// arguments are what the tool is asked for.
type arguments struct {
	Word string `json:"word" jsonschema:"the word to look up"`
}

func main() {
	server := mcp.NewServer(&mcp.Implementation{Name: "lexicon", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "define", Description: "Looks up a word in the lexicon."}, define)
	// The end of the input is how a client says goodbye.
	if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil && !errors.Is(err, io.EOF) {
		fmt.Fprintln(os.Stderr, "toolserver:", err)
		os.Exit(1)
	}
}

// define knows the same of every word: how long it is, and what it is backwards.
func define(_ context.Context, _ *mcp.CallToolRequest, asked arguments) (*mcp.CallToolResult, any, error) {
	if strings.TrimSpace(asked.Word) == "" {
		return nil, nil, errors.New("a word is needed")
	}
	letters := []rune(asked.Word)
	backwards := make([]rune, len(letters))
	for i, letter := range letters {
		backwards[len(letters)-1-i] = letter
	}
	entry := fmt.Sprintf("%s%s: %d letters, %s backwards", os.Getenv("LEXICON_PREFIX"), asked.Word, len(letters), string(backwards))
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: entry}}}, nil, nil
}
