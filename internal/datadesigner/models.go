package datadesigner

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// knownProviders are those that Data Designer knows without a file, each with the variable that holds its key.
var knownProviders = map[string]struct{ endpoint, key string }{
	"nvidia":     {"https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"},
	"openai":     {"https://api.openai.com/v1", "OPENAI_API_KEY"},
	"openrouter": {"https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"},
}

// unknownEndpoint stands where only the user knows the endpoint. Nothing answers there: the domain is reserved.
const unknownEndpoint = "https://endpoint.invalid"

// unknownKey stands where only the user knows the key.
const unknownKey = "'YOUR KEY'"

// keyOfSecret is the key under which Secrets hold API keys.
const keyOfSecret = "api-key"

// environmentVariable is how the name of a variable looks; anything else in api_key is the key itself.
var environmentVariable = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// files reads what Data Designer keeps beside configurations.
func (c *converter) files() (err error) {
	if c.providers, err = c.named(c.options.Providers, "the file of model providers", "model_providers"); err != nil {
		return err
	}
	if c.toolProviders, err = c.named(c.options.ToolProviders, "the file of tool providers", "mcp_providers"); err != nil {
		return err
	}
	if c.options.RunConfig == nil {
		return nil
	}
	settings, err := c.document(c.options.RunConfig, "the run configuration", "run_config")
	if err != nil {
		return err
	}
	c.run(settings)
	return nil
}

// named are the entries of the list providers of a file, by their names.
func (c *converter) named(data []byte, what, path string) (map[string]*object, error) {
	if data == nil {
		return nil, nil
	}
	file, err := c.document(data, what, path)
	if err != nil {
		return nil, err
	}
	entries := map[string]*object{}
	for _, entry := range file.children("providers") {
		if entry != nil {
			entries[entry.text("name")] = entry
		}
	}
	return entries, nil
}

func (c *converter) models(root *object) {
	for _, config := range root.children("model_configs") {
		if config == nil {
			continue
		}
		model := v1alpha1.Model{Alias: config.text("alias"), Model: config.text("model")}
		model.Provider = c.provider(cmp.Or(config.text("provider"), "nvidia"), config.at("provider"))
		if config.isTrue("skip_health_check") {
			model.HealthCheck = v1alpha1.HealthCheckDisabled
		}
		if parameters := config.child("inference_parameters"); parameters != nil {
			c.inference(parameters, &model)
		}
		config.rest()
		c.spec.Models = append(c.spec.Models, model)
	}
}

// inference converts the parameters of requests, which are those of chats, embeddings or images.
func (c *converter) inference(from *object, model *v1alpha1.Model) {
	model.MaxParallelRequests = from.small("max_parallel_requests")
	model.TimeoutSeconds = from.small("timeout")
	model.ExtraBody = from.raw("extra_body")
	kind := from.text("generation_type")
	encoding, dimensions := from.text("encoding_format"), from.small("dimensions")
	if kind == "embedding" || encoding != "" || dimensions != nil {
		embedding := v1alpha1.EmbeddingParameters{Dimensions: dimensions}
		switch encoding {
		case "base64":
			embedding.EncodingFormat = v1alpha1.EmbeddingEncodingBase64
		case "float":
			embedding.EncodingFormat = v1alpha1.EmbeddingEncodingFloat
		}
		if embedding != (v1alpha1.EmbeddingParameters{}) {
			model.Embedding = &embedding
		}
	}
	parameters := v1alpha1.ModelParameters{MaxTokens: from.whole("max_tokens")}
	parameters.Temperature, parameters.TemperatureDistribution = c.parameter(from, "temperature")
	parameters.TopP, parameters.TopPDistribution = c.parameter(from, "top_p")
	if parameters != (v1alpha1.ModelParameters{}) {
		model.Parameters = &parameters
	}
	from.rest()
}

// parameter is a number, or what it is drawn from.
func (c *converter) parameter(from *object, key string) (*v1alpha1.Decimal, *v1alpha1.ParameterDistribution) {
	node := from.value(key)
	if node == nil {
		return nil, nil
	}
	if !isMapping(node) {
		return from.decimal(key), nil
	}
	distribution := from.child(key)
	kind, parameters := distribution.text("distribution_type"), distribution.child("params")
	distribution.rest()
	if parameters == nil {
		return nil, nil
	}
	defer parameters.rest()
	if kind == "manual" || parameters.has("values") {
		return nil, &v1alpha1.ParameterDistribution{
			Manual: &v1alpha1.ManualDistribution{Values: parameters.decimals("values"), Weights: parameters.decimals("weights")},
		}
	}
	return nil, &v1alpha1.ParameterDistribution{
		Uniform: &v1alpha1.UniformDistribution{Low: parameters.decimal("low"), High: parameters.decimal("high")},
	}
}

// provider is the name, in the spec, of a provider; the spec has it from the first time on.
func (c *converter) provider(name, path string) string {
	if known, there := c.resolved[name]; there {
		return known
	}
	provider := v1alpha1.Provider{Name: unique(resourceName(name), c.spec.Providers, nameOfProvider), Type: v1alpha1.ProviderOpenAI}
	c.resolved[name] = provider.Name
	known := knownProviders[name]
	key := known.key
	provider.Endpoint = known.endpoint
	if from := c.providers[name]; from != nil {
		provider.Endpoint, key = from.text("endpoint"), from.text("api_key")
		if from.text("provider_type") == "anthropic" {
			provider.Type = v1alpha1.ProviderAnthropic
		}
		provider.ExtraBody = from.raw("extra_body")
		provider.ExtraHeaders = c.headers(from)
		from.rest()
	} else if key == "" {
		key = unknownKey
	}
	if provider.Endpoint == "" {
		provider.Endpoint = unknownEndpoint
		c.lose(path, "where the provider %q is reached stands in no configuration: put its URL into spec.providers, "+
			"or name the file of the providers with --providers", name)
	}
	if key != "" {
		provider.APIKeySecretRef = c.secret(provider.Name, key, path)
	}
	c.spec.Providers = append(c.spec.Providers, provider)
	return provider.Name
}

func nameOfProvider(provider v1alpha1.Provider) string { return provider.Name }

func nameOfServer(server v1alpha1.ToolServer) string { return server.Name }

// unique is a name that none of what is there has: that with a number, where one has it.
func unique[V any](name string, there []V, nameOf func(V) string) string {
	result := name
	for number := 2; slices.ContainsFunc(there, func(one V) bool { return nameOf(one) == result }); number++ {
		result = fmt.Sprintf("%s-%d", name, number)
	}
	return result
}

// secret refers to the Secret that is to hold an API key. A key itself is never repeated.
func (c *converter) secret(name, key, path string) *v1alpha1.SecretKeyReference {
	value := unknownKey
	if environmentVariable.MatchString(key) {
		value = `"$` + key + `"`
	}
	c.note(path, "API keys come from Secrets: kubectl create secret generic %s --from-literal=%s=%s", name, keyOfSecret, value)
	return &v1alpha1.SecretKeyReference{Name: name, Key: keyOfSecret}
}

func (c *converter) headers(from *object) map[string]string {
	headers := from.child("extra_headers")
	if headers == nil {
		return nil
	}
	texts := map[string]string{}
	for _, key := range headers.keys {
		texts[key] = headers.text(key)
	}
	return texts
}

func (c *converter) tools(root *object) {
	for _, config := range root.children("tool_configs") {
		if config == nil {
			continue
		}
		set := v1alpha1.ToolSet{
			Alias: config.text("tool_alias"), AllowTools: config.texts("allow_tools"), MaxTurns: config.small("max_tool_call_turns"),
		}
		for _, name := range config.texts("providers") {
			set.Servers = append(set.Servers, c.toolServer(name, config.at("providers")))
		}
		if seconds := config.decimal("timeout_sec"); seconds != nil {
			whole := int32(min(max(seconds.Float64(), 1), 3600))
			set.TimeoutSeconds = &whole
		}
		config.rest()
		c.spec.Tools = append(c.spec.Tools, set)
	}
}

// toolServer is the name, in the spec, of a server of tools; the spec has it from the first time on.
func (c *converter) toolServer(name, path string) string {
	if known, there := c.resolvedTools[name]; there {
		return known
	}
	known := unique(resourceName(name), c.spec.ToolServers, nameOfServer)
	c.resolvedTools[name] = known
	server := v1alpha1.ToolServer{Name: known, Type: v1alpha1.ToolServerStreamableHTTP}
	from := c.toolProviders[name]
	switch {
	case from == nil:
		server.Endpoint = unknownEndpoint
		c.lose(path, "where the tool provider %q is reached stands in no configuration: put it into spec.toolServers, "+
			"or name the file of the tool providers with --tool-providers", name)
	case from.has("command"):
		server.Type, server.Stdio = v1alpha1.ToolServerStdio, c.program(from, path)
	default:
		server.Endpoint = from.text("endpoint")
		if kind := from.text("provider_type"); kind == "sse" || kind == "" {
			server.Type = v1alpha1.ToolServerSSE
		}
		if key := from.text("api_key"); key != "" {
			// A provider of models may have the same name, and another key.
			server.APIKeySecretRef = c.secret(unique(known, c.spec.Providers, nameOfProvider), key, path)
		}
		from.rest()
	}
	c.spec.ToolServers = append(c.spec.ToolServers, server)
	return known
}

// program is a tool server that is started beside the engine. Only the user knows an image that has it.
func (c *converter) program(from *object, path string) *v1alpha1.StdioToolServer {
	program := &v1alpha1.StdioToolServer{Image: "image.invalid/" + resourceName(from.text("name"))}
	program.Command = append([]string{from.text("command")}, from.texts("args")...)
	if variables := from.child("env"); variables != nil {
		secret, literals := resourceName(from.text("name")), ""
		for _, key := range variables.keys {
			program.Env = append(program.Env, v1alpha1.ToolEnvironmentVariable{
				Name: key, SecretKeyRef: &v1alpha1.SecretKeyReference{Name: secret, Key: key},
			})
			literals += " --from-literal=" + key + "='ITS VALUE'"
		}
		if literals != "" {
			c.note(path, "the variables of the program come from a Secret: kubectl create secret generic %s%s", secret, literals)
		}
	}
	from.text("provider_type") // is stdio
	from.rest()
	c.lose(path, "the program %q runs in a container of its own: put an image that has it into spec.toolServers", from.text("command"))
	return program
}
