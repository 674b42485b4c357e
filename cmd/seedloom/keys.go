package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
)

// secrets puts the API keys into the engine's configuration. What the spec asks for and nobody has given is an error, since the first
// request would be refused.
func (i *input) secrets(streams *Streams, spec *v1alpha1.DatasetGenerationSpec, config *engine.Config) error {
	var providers, servers []keyed
	for _, provider := range spec.Providers {
		providers = append(providers, keyed{provider.Name, provider.APIKeySecretRef != nil})
	}
	inUse := spec.ToolServersInUse()
	for index, server := range spec.ToolServers {
		servers = append(servers, keyed{server.Name, server.APIKeySecretRef != nil && slices.Contains(inUse, index)})
	}
	providerKeys, problems := keysOf(streams, "provider", "--api-key", providers, i.apiKeys)
	serverKeys, more := keysOf(streams, "tool server", "--tool-key", servers, i.toolKeys)
	problems = append(problems, more...)
	headers, more := i.headersOf(streams, spec)
	problems = append(problems, more...)
	for _, index := range inUse {
		server := &spec.ToolServers[index]
		if server.Type == v1alpha1.ToolServerStdio && i.toolSockets[server.Name] == "" {
			problems = append(problems, fmt.Errorf("tool server %q is a program that runs in a sidecar: "+
				"start it behind the bridge, and name its socket, as in --tool-socket %s=PATH",
				server.Name, server.Name))
		}
	}
	config.APIKey = func(provider int) string { return providerKeys[provider] }
	config.SeedHeader = func(index int) string { return headers[index] }
	config.ToolKey = func(server int) string { return serverKeys[server] }
	config.ToolSocket = func(server string) string { return i.toolSockets[server] }
	return errors.Join(problems...)
}

// keyed is something that may need a key.
type keyed struct {
	name  string
	needs bool
}

// keysOf returns the keys of what is listed, in its order, out of the environment variables that the flag names.
func keysOf(streams *Streams, kind, flag string, listed []keyed, variables map[string]string) (keys []string, problems []error) {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if !slices.ContainsFunc(listed, func(entry keyed) bool { return entry.name == name }) {
			problems = append(problems, fmt.Errorf("%s names the %s %q, which the manifest does not have", flag, kind, name))
		}
	}
	for _, entry := range listed {
		variable, given := variables[entry.name]
		key := ""
		switch {
		case given:
			value, set := streams.Environment(variable)
			if key = strings.TrimSpace(value); !set || key == "" {
				problems = append(problems, fmt.Errorf("the environment variable %s, which is to hold the API key of %s %q, is not set",
					variable, kind, entry.name))
			}
		case entry.needs:
			problems = append(problems, fmt.Errorf("%s %q needs an API key: name the environment variable that holds it, as in %s %s=MY_API_KEY",
				kind, entry.name, flag, entry.name))
		}
		keys = append(keys, key)
	}
	return keys, problems
}

// headersOf returns the values of the headers of the seed that come from a Secret, by their index.
func (i *input) headersOf(streams *Streams, spec *v1alpha1.DatasetGenerationSpec) (values map[int]string, problems []error) {
	values = map[int]string{}
	headers := spec.SeedHeaders()
	for _, name := range slices.Sorted(maps.Keys(i.seedHeaders)) {
		if !slices.ContainsFunc(headers, isHeader(name)) {
			problems = append(problems, fmt.Errorf("--seed-header names the header %q, which spec.seed.http of the manifest does not have", name))
		}
	}
	for index, header := range headers {
		if header.SecretKeyRef == nil {
			continue
		}
		variable := i.seedHeaders[header.Name]
		if variable == "" {
			problems = append(problems, fmt.Errorf("the header %s of the seed comes from a Secret: name the environment variable that holds its "+
				"value, as in --seed-header %s=MY_VARIABLE", header.Name, header.Name))
			continue
		}
		value, _ := streams.Environment(variable)
		if values[index] = strings.TrimSpace(value); values[index] == "" {
			problems = append(problems, fmt.Errorf(
				"the environment variable %s, which is to hold the value of the header %s of the seed, is not set",
				variable, header.Name))
		}
	}
	return values, problems
}

// isHeader says of a header whether it comes from a Secret and has a name.
func isHeader(name string) func(v1alpha1.RequestHeader) bool {
	return func(header v1alpha1.RequestHeader) bool { return header.Name == name && header.SecretKeyRef != nil }
}
