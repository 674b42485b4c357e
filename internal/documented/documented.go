// Package documented has what tests need to run the commands of the documentation: which there are, and which test runs each. What runs
// them are those tests. No product code may use it.
package documented

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Runner is who runs a command.
type Runner string

const (
	// APIServer: the tests of the controller, against an API server without nodes.
	APIServer Runner = "controllers/datasetgeneration/commands_test.go"
	// Cluster: the end-to-end tests, since the command asks a kubelet, or waits for Pods of a Deployment.
	Cluster Runner = "test/e2e/commands_test.go"
	// Helm: the test that installs the chart on a cluster.
	Helm Runner = "test/install/cluster_test.go"
	// Archive: the script of the end-to-end tests makes the image, and the test of the archive copies it.
	Archive Runner = "hack/cluster/skopeo_test.go"
	// Nobody: the words are not a whole command, and name what a reader knows.
	Nobody Runner = ""
)

// Command is one of the documentation.
type Command struct {
	// Page is the name of the file in docs, and Text the command as it stands there.
	Page, Text string
	Runner     Runner
}

// Pages are those whose commands are run.
var Pages = []string{
	"admission.md", "conditions.md", "configuration.md", "gitops.md", "installing.md", "metrics.md", "operations.md", "pods.md", "scale.md",
	"security.md", "tools.md",
}

// rules say by its first words who runs a command; the first that matches counts.
var rules = []struct {
	pattern *regexp.Regexp
	runner  Runner
}{
	// What has no object is only spoken of.
	{regexp.MustCompile(`^(kubectl|helm) [a-z-]+$|^kubectl apply --(dry-run=server|server-side)$|^kubectl describe pods$`), Nobody},
	{regexp.MustCompile(`^kubectl( --namespace \S+)? (logs|rollout) `), Cluster},
	{regexp.MustCompile(`^kubectl `), APIServer},
	{regexp.MustCompile(`^helm `), Helm},
	{regexp.MustCompile(`^(skopeo|make image)\b`), Archive},
}

// programs are those whose commands are found: at the beginning of a line of a fenced block, and in code within a line.
const programs = `kubectl|helm|skopeo|make`

var commands = regexp.MustCompile("(?m)^ *((?:" + programs + ") [^\n]*?)(?: +# [^\n]*)?$|`((?:kubectl|helm) [^`\n]*)`")

// Commands are those of a page in the documentation of a checkout, in their order.
func Commands(checkout, page string) ([]Command, error) {
	data, err := os.ReadFile(filepath.Join(checkout, "docs", page))
	if err != nil {
		return nil, fmt.Errorf("reading the commands of a page: %w", err)
	}
	var found []Command
	for _, match := range commands.FindAllStringSubmatch(string(data), -1) {
		text := strings.TrimSpace(match[1] + match[2])
		runner, known := runnerOf(text)
		if !known {
			return nil, fmt.Errorf("docs/%s: nobody runs %q: add a rule for it to internal/documented, and the test that it names", page, text)
		}
		if runner != Nobody {
			found = append(found, Command{page, text, runner})
		}
	}
	return found, nil
}

// Of are the commands of all pages that a test has to run.
func Of(checkout string, runner Runner) ([]Command, error) {
	var found []Command
	for _, page := range Pages {
		commands, err := Commands(checkout, page)
		if err != nil {
			return nil, err
		}
		for _, command := range commands {
			if command.Runner == runner {
				found = append(found, command)
			}
		}
	}
	return found, nil
}

func runnerOf(text string) (Runner, bool) {
	for _, rule := range rules {
		if rule.pattern.MatchString(text) {
			return rule.runner, true
		}
	}
	return Nobody, false
}
