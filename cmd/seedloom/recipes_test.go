package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"seedloom.dev/seedloom/engine/progress/terminal"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

// recipes are the folder of the recipes, and how many of them there are at least: 24 of the tutorials, and five more.
const (
	recipes        = "../../config/samples/recipes"
	fewestNumbered = 33
	fewestRecipes  = 39
)

// executed runs the command in this process.
func executed(t *testing.T, arguments ...string) (printed string, err error) {
	t.Helper()
	var out, log bytes.Buffer
	command := newRootCommand(&Streams{
		In: strings.NewReader(""), Out: &out, Log: terminal.NewOutput(&log), Environment: os.LookupEnv,
		Interrupts: func() (<-chan os.Signal, func()) { return nil, func() {} },
	})
	command.SetArgs(arguments)
	err = command.ExecuteContext(t.Context())
	return out.String() + log.String(), err
}

// startLexicon serves the tool that recipes call.
func startLexicon(t *testing.T) string {
	t.Helper()
	server := mcp.NewServer(&mcp.Implementation{Name: "lexicon", Version: "1"}, nil)
	type arguments struct {
		Word string `json:"word"`
	}
	define := func(_ context.Context, _ *mcp.CallToolRequest, asked arguments) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: asked.Word + " is a word"}}}, nil, nil
	}
	mcp.AddTool(server, &mcp.Tool{Name: "define", Description: "Looks up a word."}, define)
	serving := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	t.Cleanup(func() {
		serving.CloseClientConnections()
		serving.Close()
	})
	return serving.URL
}

// TestRecipesRunToComplete generates some rows of each recipe, which a run checks as validate does, without a warning.
func TestRecipesRunToComplete(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long with the race detector: it runs without")
	}
	models := simtest.Start(t, llmsim.Config{Models: map[string]llmsim.Model{"demo/painter": {Images: true}}})
	lexicon := startLexicon(t)
	paths, err := filepath.Glob(filepath.Join(recipes, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(recipes, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	numbered := 0
	for _, path := range paths {
		name := filepath.Base(path)
		if name[0] >= '0' && name[0] <= '9' {
			numbered++
		}
		if !strings.Contains(string(index), "("+name+")") {
			t.Errorf("README.md does not list %s", name)
		}
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if first, _, _ := strings.Cut(string(data), "\napiVersion:"); len(first) < 150 || strings.Contains(first, "\n\n") {
				t.Errorf("the recipe does not begin with a paragraph that says what it teaches: %q", first)
			}
			runRecipe(t, strings.ReplaceAll(string(data), "http://lexicon:8000/mcp", lexicon), models.Endpoint())
		})
	}
	if numbered < fewestNumbered || len(paths) < fewestRecipes {
		t.Errorf("there are %d recipes, %d of them of the list", len(paths), numbered)
	}
}

// runRecipe generates a few rows of a manifest, and looks at what the dataset says of itself.
func runRecipe(t *testing.T, manifest, endpoint string) {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "recipe.yaml")
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	output := filepath.Join(folder, "out")
	arguments := []string{"run", "-f", path, "--output", output, "--num-records", "3", "--endpoint", "simulator=" + endpoint}
	if strings.Contains(manifest, "agentRollouts:") { // the sessions lie beside the recipes
		arguments = append(arguments, "--seed-dir", recipes)
	}
	printed, err := executed(t, arguments...)
	if err != nil || strings.Contains(printed, "warning") {
		t.Fatalf("the run has ended with %v: %s", err, printed)
	}
	found, err := filepath.Glob(filepath.Join(output, "*", "*", "[0-9a-f]*", "metadata.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the output has the descriptions %v, %v", found, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	var described struct {
		Actual  int64 `json:"actual_num_records"`
		Records struct {
			Dropped int64 `json:"dropped"`
		} `json:"records"`
	}
	if err := json.Unmarshal(data, &described); err != nil {
		t.Fatal(err)
	}
	if described.Actual != 3 || described.Records.Dropped != 0 {
		t.Errorf("the dataset has %d rows, and %d were dropped: %s", described.Actual, described.Records.Dropped, printed)
	}
}
