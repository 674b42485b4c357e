// Package configuration reads the operator's configuration file: what the owner of a platform decides for all runs. What its parts mean
// where a run is carried out is known by those who use them, not here.
package configuration

import (
	"errors"
	"fmt"
	"os"
	"strings"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/allowlist"
)

// Configuration is the content of the file. Its zero value is that of an empty file.
type Configuration struct {
	// Pod are the settings of Pods where a DatasetGeneration has none in spec.pod.
	Pod *v1alpha1.PodSettings `json:"pod,omitempty"`
	// TTLSecondsAfterFinished is after how long the Jobs and Pods of finished runs are deleted where a DatasetGeneration does not say so.
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`
	// Endpoints says where runs may send requests.
	Endpoints Endpoints `json:"endpoints"`
	// Secrets says which Secrets runs may use.
	Secrets Secrets `json:"secrets"`
}

// Endpoints says where runs may send requests: to models, tool servers, proxies, servers that validate, seeds, files of persons and
// object stores.
type Endpoints struct {
	// Allowed are names of hosts and networks, as package allowlist reads them. Without any, all is allowed but what is near a Pod.
	Allowed []string `json:"allowed,omitempty"`

	// List is what Allowed means.
	List *allowlist.List `json:"-"`
}

// SecretsPolicy says which Secrets of their namespace runs may use.
type SecretsPolicy string

const (
	// SecretsAny are all. It is the default.
	SecretsAny SecretsPolicy = "Any"
	// SecretsLabelled are those with the label seedloom.dev/allow-in-runs=true.
	SecretsLabelled SecretsPolicy = "Labelled"
)

// Secrets says which Secrets runs may use.
type Secrets struct {
	Policy SecretsPolicy `json:"policy,omitempty"`
}

// InvalidError lists all that is wrong with a configuration.
type InvalidError struct{ Violations []plan.Violation }

// Error has a line for each violation.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Violations))
	for i, violation := range e.Violations {
		lines[i] = violation.String()
	}
	return strings.Join(lines, "\n")
}

// Read reads a file. Without a name there is nothing in it.
func Read(name string) (*Configuration, error) {
	if name == "" {
		return &Configuration{}, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	configuration, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration %s: %w", name, err)
	}
	return configuration, nil
}

// Parse reads the text of a file in YAML. A field that it does not know is an error: a setting that is not applied is worse than none.
func Parse(text []byte) (*Configuration, error) {
	document, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	var configuration Configuration
	unknown, err := kjson.UnmarshalStrict(document, &configuration)
	if err = errors.Join(append(unknown, err)...); err != nil {
		return nil, err
	}
	if violations := configuration.violations(); len(violations) > 0 {
		return nil, &InvalidError{Violations: violations}
	}
	return &configuration, nil
}

// violations are all that is wrong. It reads what Allowed means.
func (c *Configuration) violations() []plan.Violation {
	found := plan.ValidatePod("pod", c.Pod)
	var err error
	if c.Endpoints.List, err = allowlist.Parse(c.Endpoints.Allowed); err != nil {
		found = append(found, plan.Violation{Field: "endpoints.allowed", Reason: plan.ReasonInvalidValue,
			Message: strings.ReplaceAll(err.Error(), "\n", "; ")})
	}
	if ttl := c.TTLSecondsAfterFinished; ttl != nil && *ttl < 0 {
		found = append(found, plan.Violation{Field: "ttlSecondsAfterFinished", Reason: plan.ReasonInvalidValue,
			Message: fmt.Sprintf("must be at least 0, but is %d", *ttl)})
	}
	if policy := c.Secrets.Policy; policy != "" && policy != SecretsAny && policy != SecretsLabelled {
		found = append(found, plan.Violation{Field: "secrets.policy", Reason: plan.ReasonInvalidValue,
			Message: fmt.Sprintf("must be %s or %s, but is %q", SecretsAny, SecretsLabelled, policy)})
	}
	return found
}
