package plan

import (
	"fmt"
	"net/url"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
)

func (v *validation) toolServers() {
	seen := map[string]bool{}
	for i := range v.spec.ToolServers {
		server := &v.spec.ToolServers[i]
		field := fmt.Sprintf("spec.toolServers[%d]", i)
		if server.Name == "" {
			v.add(field+".name", ReasonRequired, "a tool server needs a name")
		} else if seen[server.Name] {
			v.add(field+".name", ReasonDuplicateToolServer, "another tool server is called %q too", server.Name)
		}
		seen[server.Name] = true
		switch server.Type {
		case v1alpha1.ToolServerStdio:
			v.stdioServer(server, field)
		case v1alpha1.ToolServerStreamableHTTP, v1alpha1.ToolServerSSE:
			if server.Stdio != nil {
				v.add(field+".stdio", ReasonInvalidValue, "is for servers of type Stdio only")
			}
			if problem := toolEndpointProblem(server.Endpoint); problem != "" {
				v.add(field+".endpoint", ReasonInvalidValue, "%s", problem)
			}
		default:
			v.add(field+".type", ReasonInvalidValue, "must be %s, %s or %s, but is %q",
				v1alpha1.ToolServerStreamableHTTP, v1alpha1.ToolServerSSE, v1alpha1.ToolServerStdio, server.Type)
		}
	}
}

func (v *validation) stdioServer(server *v1alpha1.ToolServer, field string) {
	if server.Endpoint != "" {
		v.add(field+".endpoint", ReasonInvalidValue, "a server of type Stdio has none")
	}
	if server.APIKeySecretRef != nil {
		v.add(field+".apiKeySecretRef", ReasonInvalidValue, "a server of type Stdio gets its secrets in stdio.env")
	}
	if server.Stdio == nil {
		v.add(field+".stdio", ReasonRequired, "a server of type Stdio needs the image and the command of its program")
		return
	}
	if server.Stdio.Image == "" {
		v.add(field+".stdio.image", ReasonRequired, "the image with the program is needed")
	}
	if len(server.Stdio.Command) == 0 || server.Stdio.Command[0] == "" {
		v.add(field+".stdio.command", ReasonRequired, "the program and its arguments are needed")
	}
	names := map[string]bool{}
	for i, variable := range server.Stdio.Env {
		at := fmt.Sprintf("%s.stdio.env[%d]", field, i)
		if names[variable.Name] {
			v.add(at+".name", ReasonInvalidValue, "another variable is called %q too", variable.Name)
		}
		names[variable.Name] = true
		if (variable.Value == nil) == (variable.SecretKeyRef == nil) {
			v.add(at, ReasonInvalidUnion, "exactly one of value, secretKeyRef must be set")
		}
	}
}

// toolEndpointProblem never quotes the endpoint: a password may have been written into it.
func toolEndpointProblem(endpoint string) string {
	parsed, err := url.Parse(endpoint)
	switch {
	case err != nil, parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Host == "":
		return "must be an http or https URL with a host, like http://search.tools.svc:8000/mcp"
	case parsed.User != nil:
		return "must not hold a user or a password; put the API key into a Secret and name it in apiKeySecretRef"
	case parsed.Fragment != "":
		return "must not have a fragment"
	}
	return ""
}

func (v *validation) toolSets() {
	var servers []string
	for i := range v.spec.ToolServers {
		servers = append(servers, v.spec.ToolServers[i].Name)
	}
	seen := map[string]bool{}
	for i := range v.spec.Tools {
		set := &v.spec.Tools[i]
		field := fmt.Sprintf("spec.tools[%d]", i)
		if set.Alias == "" {
			v.add(field+".alias", ReasonRequired, "a set of tools needs an alias")
		} else if seen[set.Alias] {
			v.add(field+".alias", ReasonDuplicateTools, "another set of tools has the alias %q too", set.Alias)
		}
		seen[set.Alias] = true
		v.serversOfSet(set, field, servers)
		if set.MaxTurns != nil && *set.MaxTurns < 1 {
			v.add(field+".maxTurns", ReasonInvalidValue, "must be at least 1, but is %d", *set.MaxTurns)
		}
		if set.TimeoutSeconds != nil && *set.TimeoutSeconds < 1 {
			v.add(field+".timeoutSeconds", ReasonInvalidValue, "must be at least 1, but is %d", *set.TimeoutSeconds)
		}
	}
}

// serversOfSet checks the servers that a set of tools names; servers are those of the spec.
func (v *validation) serversOfSet(set *v1alpha1.ToolSet, field string, servers []string) {
	if len(set.Servers) == 0 {
		v.add(field+".servers", ReasonRequired, "at least one server is needed")
	}
	for j, name := range set.Servers {
		at := fmt.Sprintf("%s.servers[%d]", field, j)
		if !slices.Contains(servers, name) {
			v.add(at, ReasonUnknownToolServer, "no tool server is called %q%s", name, suggestion(name, servers))
		}
		if slices.Contains(set.Servers[:j], name) {
			v.add(at, ReasonInvalidValue, "%q is listed twice", name)
		}
	}
}

func (v *validation) toolsAlias(field, alias string) {
	if alias == "" {
		return
	}
	var aliases []string
	for i := range v.spec.Tools {
		aliases = append(aliases, v.spec.Tools[i].Alias)
	}
	if !slices.Contains(aliases, alias) {
		v.add(field, ReasonUnknownTools, "no set of tools has the alias %q%s", alias, suggestion(alias, aliases))
	}
}
