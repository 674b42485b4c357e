package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/plan"
)

// The environment variables by which the programs of the hub find it, and its token.
const (
	hubVariable       = "HF_ENDPOINT"
	tokenVariable     = "HF_TOKEN"
	tokenPathVariable = "HF_TOKEN_PATH"
	hubHomeVariable   = "HF_HOME"
)

// tokenOf is the token of the hub in an environment variable, which a flag names.
func tokenOf(streams *Streams, variable string) (string, error) {
	text, _ := streams.Environment(variable)
	if token := strings.TrimSpace(text); token != "" {
		return token, nil
	}
	return "", fmt.Errorf("the environment variable %s, which is to hold the token of the hub, is not set", variable)
}

// hubToken finds the token where the programs of the hub have it; it is empty where there is none.
func hubToken(streams *Streams) string {
	value := func(name string) string {
		text, _ := streams.Environment(name)
		return strings.TrimSpace(text)
	}
	if token := value(tokenVariable); token != "" {
		return token
	}
	file := value(tokenPathVariable)
	if file == "" {
		home := value(hubHomeVariable)
		if home == "" {
			home = filepath.Join(value("HOME"), ".cache", "huggingface")
		}
		file = filepath.Join(home, "token")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// seedHub says how the hub of the seed is reached: it is that of the environment where the manifest names none, and gets the token of the
// environment. To a hub that the manifest alone names, no token goes but the one of the flag: a manifest may be somebody else's.
func (i *input) seedHub(streams *Streams, spec *v1alpha1.DatasetGenerationSpec, config *engine.Config) error {
	from := spec.SeedRepository()
	if from == nil {
		if i.seedToken != "" {
			return errors.New("--seed-token is for a seed from a hub (spec.seed.huggingFace), and the manifest has none")
		}
		return nil
	}
	ours, _ := streams.Environment(hubVariable)
	if ours = strings.TrimSuffix(strings.TrimSpace(ours), "/"); ours == "" {
		ours = v1alpha1.DefaultHub
	} else if !isHub(ours) { // it is not quoted: somebody may have written a password into it
		return fmt.Errorf("%s must be an http or https URL with a host and nothing else, like %s", hubVariable, v1alpha1.DefaultHub)
	}
	config.SeedHub = ours
	var err error
	switch {
	case i.seedToken != "":
		config.SeedToken, err = tokenOf(streams, i.seedToken)
	case from.Endpoint == "" || strings.TrimSuffix(from.Endpoint, "/") == ours:
		config.SeedToken = hubToken(streams)
	}
	if err == nil && config.SeedToken == "" && from.TokenSecretRef != nil {
		err = fmt.Errorf("the seed from %s needs a token: set %s to one that may read it, or name the environment variable that holds it, as "+
			"in --seed-token MY_TOKEN", from.Repository, tokenVariable)
		if from.Endpoint != "" {
			err = fmt.Errorf("the seed from %s needs a token for %s: name the environment variable that holds it, as in --seed-token MY_TOKEN",
				from.Repository, from.Endpoint)
		}
	}
	return err
}

// isHub says whether an address is one of a hub.
func isHub(address string) bool {
	return len(plan.ValidateRepository("", &v1alpha1.HuggingFaceRepository{Repository: "a/b", Endpoint: address})) == 0
}
