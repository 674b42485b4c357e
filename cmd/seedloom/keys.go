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
	validatorHeaders, more := i.validatorHeadersOf(streams, spec)
	problems = append(problems, more...)
	if err := i.seedHub(streams, spec, config); err != nil {
		problems = append(problems, err)
	}
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
	config.ValidatorHeader = func(column string, index int) string { return validatorHeaders[column][index] }
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
	headers := spec.SeedHeaders()
	for _, name := range slices.Sorted(maps.Keys(i.seedHeaders)) {
		if !slices.ContainsFunc(headers, isHeader(name)) {
			problems = append(problems, fmt.Errorf("--seed-header names the header %q, which spec.seed.http of the manifest does not have", name))
		}
	}
	values, more := (&headersInUse{of: "the seed", flag: "--seed-header", headers: headers, variables: i.seedHeaders}).values(streams)
	return values, append(problems, more...)
}

// validatorHeadersOf returns the values of the headers of servers that judge rows, by the column and their index.
func (i *input) validatorHeadersOf(
	streams *Streams, spec *v1alpha1.DatasetGenerationSpec,
) (values map[string]map[int]string, problems []error) {
	values = map[string]map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(i.validatorHeaders)) {
		if !hasValidatorHeader(spec, name) {
			problems = append(problems, fmt.Errorf("--validator-header names %q, which is no COLUMN:HEADER of a header from a Secret in "+
				"validation.remote of the manifest", name))
		}
	}
	for index := range spec.Columns {
		column := &spec.Columns[index]
		used := headersInUse{
			of: fmt.Sprintf("the server that column %q asks", column.Name), flag: "--validator-header", prefix: column.Name + ":",
			headers: column.ValidatorHeaders(), variables: i.validatorHeaders,
		}
		of, more := used.values(streams)
		values[column.Name], problems = of, append(problems, more...)
	}
	return values, problems
}

// hasValidatorHeader says whether a spec has a header from a Secret with such a name, COLUMN:HEADER.
func hasValidatorHeader(spec *v1alpha1.DatasetGenerationSpec, name string) bool {
	columnName, header, _ := strings.Cut(name, ":")
	return slices.ContainsFunc(spec.Columns, func(column v1alpha1.Column) bool {
		return column.Name == columnName && slices.ContainsFunc(column.ValidatorHeaders(), isHeader(header))
	})
}

// headersInUse are the headers of one server, and the variables that a flag names for those from a Secret.
type headersInUse struct {
	// of is the server for people, and prefix what stands before the name of a header in the flag.
	of, flag, prefix string
	headers          []v1alpha1.RequestHeader
	variables        map[string]string
}

// values are those of the headers that come from a Secret, by their index.
func (h *headersInUse) values(streams *Streams) (values map[int]string, problems []error) {
	values = map[int]string{}
	for index, header := range h.headers {
		if header.SecretKeyRef == nil {
			continue
		}
		name := h.prefix + header.Name
		variable := h.variables[name]
		if variable == "" {
			problems = append(problems, fmt.Errorf("the header %s of %s comes from a Secret: name the environment variable that holds its "+
				"value, as in %s %s=MY_VARIABLE", header.Name, h.of, h.flag, name))
			continue
		}
		value, _ := streams.Environment(variable)
		if values[index] = strings.TrimSpace(value); values[index] == "" {
			problems = append(problems, fmt.Errorf("the environment variable %s, which is to hold the value of the header %s of %s, is not set",
				variable, header.Name, h.of))
		}
	}
	return values, problems
}

// isHeader says of a header whether it comes from a Secret and has a name.
func isHeader(name string) func(v1alpha1.RequestHeader) bool {
	return func(header v1alpha1.RequestHeader) bool { return header.Name == name && header.SecretKeyRef != nil }
}
