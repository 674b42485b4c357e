package v1alpha1

import apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

// ProviderType is the protocol that a provider speaks.
// +kubebuilder:validation:Enum=OpenAI;Anthropic
type ProviderType string

const (
	// ProviderOpenAI is the OpenAI-compatible HTTP API, which most model servers have.
	ProviderOpenAI ProviderType = "OpenAI"
	// ProviderAnthropic is the Messages API of Anthropic.
	ProviderAnthropic ProviderType = "Anthropic"
)

// Provider is an endpoint that serves models.
type Provider struct {
	// name identifies the provider within this spec.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +required
	Name string `json:"name,omitempty"`

	// type is the protocol of the endpoint.
	// +required
	Type ProviderType `json:"type,omitempty"`

	// endpoint is the base URL, to which paths such as /chat/completions are appended; for instance http://vllm.models.svc:8000/v1,
	// or https://api.anthropic.com for the type Anthropic.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^\\\\s@?#]+$')",message="must be an http or https URL without user, query or fragment"
	// +required
	Endpoint string `json:"endpoint,omitempty"`

	// apiKeySecretRef names the key of a Secret in this namespace that holds the API key. It is sent as the protocol demands:
	// as a bearer token to OpenAI-compatible servers, as x-api-key to Anthropic.
	// +optional
	APIKeySecretRef *SecretKeyReference `json:"apiKeySecretRef,omitempty"`

	// maxParallelRequests is the largest number of requests in flight to this endpoint from all Pods of all DatasetGenerations of this
	// namespace that set it for the same endpoint; the least of theirs holds where they differ. The operator divides it among the Pods
	// by what they could use. Without it, each Pod keeps only to the limits of its models.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +optional
	MaxParallelRequests *int32 `json:"maxParallelRequests,omitempty"`

	// tls has what is needed beyond the certificate authorities that everybody trusts.
	// +optional
	TLS *ProviderTLS `json:"tls,omitempty"`

	// proxyURL is the HTTP proxy through which the endpoint is reached.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^\\\\s@?#]+$')",message="must be an http or https URL without user, query or fragment"
	// +optional
	ProxyURL string `json:"proxyURL,omitempty"`

	// extraHeaders are sent with every request, beside those of the protocol. They are no place for secrets.
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	ExtraHeaders map[string]string `json:"extraHeaders,omitempty"`

	// extraBody is an object whose members are added to the body of every request, and win over those of a model's extraBody.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	ExtraBody *apiextensionsv1.JSON `json:"extraBody,omitempty"`
}

// ProviderTLS has the certificates of a provider's connections.
//
// +kubebuilder:validation:MinProperties=1
type ProviderTLS struct {
	// caBundleConfigMapRef names the key of a ConfigMap with the certificates, in PEM, of the authorities that the endpoint's certificate is
	// checked against, beside those of the image.
	// +optional
	CABundleConfigMapRef *ConfigMapKeyReference `json:"caBundleConfigMapRef,omitempty"`

	// clientCertificateSecretRef names a Secret of the type kubernetes.io/tls with the certificate and the key that the client shows.
	// +optional
	ClientCertificateSecretRef *SecretReference `json:"clientCertificateSecretRef,omitempty"`
}

// ConfigMapKeyReference names one key of a ConfigMap in the same namespace.
type ConfigMapKeyReference struct {
	// name is the name of the ConfigMap.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +required
	Name string `json:"name,omitempty"`

	// key is the key within the ConfigMap.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Key string `json:"key,omitempty"`
}

// SecretReference names a Secret in the same namespace.
type SecretReference struct {
	// name is the name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +required
	Name string `json:"name,omitempty"`
}

// SecretKeyReference names one key of a Secret in the same namespace.
type SecretKeyReference struct {
	// name is the name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +required
	Name string `json:"name,omitempty"`

	// key is the key within the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Key string `json:"key,omitempty"`
}

// Model is a model of a provider under an alias, with its parameters.
type Model struct {
	// alias is the name by which columns refer to the model.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`
	// +required
	Alias string `json:"alias,omitempty"`

	// provider is the name of an entry in spec.providers.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Provider string `json:"provider,omitempty"`

	// model is the name of the model as the provider knows it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Model string `json:"model,omitempty"`

	// parameters are sent with every request.
	// +optional
	Parameters *ModelParameters `json:"parameters,omitempty"`

	// extraBody is an object whose members are added to the body of every request to this model, for what a server understands
	// beyond the parameters.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	ExtraBody *apiextensionsv1.JSON `json:"extraBody,omitempty"`

	// structuredOutput is how a model is brought to answer in a schema, for the columns llmStructured and llmJudge. Defaults to Prompt, which
	// any model understands.
	// +optional
	StructuredOutput StructuredOutputMethod `json:"structuredOutput,omitempty"`

	// schemaInPrompt adds the schema to the prompt as well where structuredOutput is Native or Tool, for servers that constrain answers
	// to a schema without showing it to the model. Defaults to Disabled: the prompt is then what was written.
	// +optional
	SchemaInPrompt SchemaInPromptPolicy `json:"schemaInPrompt,omitempty"`

	// streaming lets the server send its answer piece by piece, for gateways that cut connections on which nothing moves.
	// Defaults to Disabled.
	// +optional
	Streaming StreamingPolicy `json:"streaming,omitempty"`

	// rowSeed sends the parameter seed with a number that is a function of the row, for servers that honour it. Defaults to Disabled.
	// +optional
	RowSeed RowSeedPolicy `json:"rowSeed,omitempty"`

	// embedding has the parameters of requests for embeddings.
	// +optional
	Embedding *EmbeddingParameters `json:"embedding,omitempty"`

	// healthCheck asks the model one short question before the first row of a run, in each form in which its columns will ask it. Defaults to
	// Enabled.
	// +optional
	HealthCheck HealthCheckPolicy `json:"healthCheck,omitempty"`

	// price is what the model costs, for the cost in the status and for limits.maxCost.
	// +optional
	Price *ModelPrice `json:"price,omitempty"`

	// admission says how many of the requests that may be in flight are sent at once.
	// +optional
	Admission *Admission `json:"admission,omitempty"`

	// hedge sends a second request for what takes too long, once nothing else waits. The first answer counts, and the other request is
	// cancelled. Without it, each cell has one request at a time.
	// +optional
	Hedge *Hedge `json:"hedge,omitempty"`

	// maxParallelRequests is the largest number of requests that one Pod has in flight to this model. Defaults to 16. Aliases of the same
	// model of the same provider share the least of theirs. The provider has one for all Pods together.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	// +optional
	MaxParallelRequests *int32 `json:"maxParallelRequests,omitempty"`

	// timeoutSeconds is how long a whole request may take, however slowly its bytes arrive. Defaults to 60.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	// +optional
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`
}

// Hedge says when a second request is sent for a cell whose first one is slow. That happens only where a slot is free and no other cell
// waits for it, which is at the end of a run, and not for columns with tools, since tools may have effects. Requests that are cancelled are
// counted as hedged; what a provider charges for them is not known.
type Hedge struct {
	// quantile is the share of the column's requests than which one is slower, above 0 and below 1, when another is sent. Defaults to 0.95.
	// +kubebuilder:validation:XValidation:rule="self > 0.0 && self < 1.0",message="must be above 0 and below 1"
	// +optional
	Quantile *Decimal `json:"quantile,omitempty"`

	// maxExtra bounds the additional requests, as a percentage of those of the column that were answered, such as "2%" or "0.5%". Defaults to
	// 2%.
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^(100|[1-9]?[0-9](\.[0-9]+)?)%$`
	// +optional
	MaxExtra string `json:"maxExtra,omitempty"`
}

// ModelParameters are the sampling parameters of a model. What is not set is not sent, and the provider's default holds.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.temperature) || !has(self.temperatureDistribution)",message="temperature and temperatureDistribution exclude each other"
// +kubebuilder:validation:XValidation:rule="!has(self.topP) || !has(self.topPDistribution)",message="topP and topPDistribution exclude each other"
type ModelParameters struct {
	// temperature is the sampling temperature, from 0 to 2, or to 1 for the type Anthropic.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0 && self <= 2.0",message="must be from 0 to 2"
	// +optional
	Temperature *Decimal `json:"temperature,omitempty"`

	// temperatureDistribution draws the temperature anew for every request.
	// +optional
	TemperatureDistribution *ParameterDistribution `json:"temperatureDistribution,omitempty"`

	// topP is the probability mass for nucleus sampling, above 0 and at most 1.
	// +kubebuilder:validation:XValidation:rule="self > 0.0 && self <= 1.0",message="must be above 0 and at most 1"
	// +optional
	TopP *Decimal `json:"topP,omitempty"`

	// topPDistribution draws topP anew for every request.
	// +optional
	TopPDistribution *ParameterDistribution `json:"topPDistribution,omitempty"`

	// maxTokens is the largest number of tokens in an answer. Where it is not set, providers of the type Anthropic, which need one, get 4096.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000000
	// +optional
	MaxTokens *int64 `json:"maxTokens,omitempty"`
}

// ParameterDistribution draws a parameter of a request. Exactly one member is set.
//
// +kubebuilder:validation:ExactlyOneOf=uniform;manual
type ParameterDistribution struct {
	// uniform draws from an interval.
	// +optional
	Uniform *UniformDistribution `json:"uniform,omitempty"`

	// manual draws one of a list of values.
	// +optional
	Manual *ManualDistribution `json:"manual,omitempty"`
}

// UniformDistribution draws numbers that are equally likely anywhere in [low, high).
//
// +kubebuilder:validation:XValidation:rule="self.low < self.high",message="low must be below high"
type UniformDistribution struct {
	// low is the lower end, which is included.
	// +required
	Low *Decimal `json:"low,omitempty"`

	// high is the upper end, which is excluded.
	// +required
	High *Decimal `json:"high,omitempty"`
}

// ManualDistribution draws one of its values.
//
// +kubebuilder:validation:XValidation:rule="!has(self.weights) || size(self.weights) == size(self.values)",message="weights must have as many entries as values"
// +kubebuilder:validation:XValidation:rule="!has(self.weights) || self.weights.exists(w, w > 0.0)",message="at least one weight must be above 0"
type ManualDistribution struct {
	// values are the possible values.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +required
	Values []Decimal `json:"values,omitempty"`

	// weights are the relative frequencies of the values, in the same order. All values are equally frequent without them.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self >= 0.0",message="must not be negative"
	// +optional
	Weights []Decimal `json:"weights,omitempty"`
}

// SchemaInPromptPolicy says whether a schema that a request carries stands in the prompt too.
// +kubebuilder:validation:Enum=Enabled;Disabled
type SchemaInPromptPolicy string

const (
	// SchemaInPromptEnabled adds the schema to the prompt.
	SchemaInPromptEnabled SchemaInPromptPolicy = "Enabled"
	// SchemaInPromptDisabled leaves the prompt as it was written.
	SchemaInPromptDisabled SchemaInPromptPolicy = "Disabled"
)

// StructuredOutputMethod is how a model is brought to answer in a schema.
// +kubebuilder:validation:Enum=Prompt;Native;Tool
type StructuredOutputMethod string

const (
	// StructuredOutputPrompt describes the schema in the prompt, and reads the answer out of the text.
	StructuredOutputPrompt StructuredOutputMethod = "Prompt"
	// StructuredOutputNative sends the schema as response_format, for servers that constrain the answer to it.
	StructuredOutputNative StructuredOutputMethod = "Native"
	// StructuredOutputTool has the model call a tool whose arguments have the schema.
	StructuredOutputTool StructuredOutputMethod = "Tool"
)

// StreamingPolicy says whether answers are streamed.
// +kubebuilder:validation:Enum=Enabled;Disabled
type StreamingPolicy string

const (
	// StreamingEnabled has the server send its answer piece by piece.
	StreamingEnabled StreamingPolicy = "Enabled"
	// StreamingDisabled has the server send its answer as a whole.
	StreamingDisabled StreamingPolicy = "Disabled"
)

// RowSeedPolicy says whether requests have a seed.
// +kubebuilder:validation:Enum=Enabled;Disabled
type RowSeedPolicy string

const (
	// RowSeedEnabled sends a seed that is a function of randomSeed, the column, the record and its attempt.
	RowSeedEnabled RowSeedPolicy = "Enabled"
	// RowSeedDisabled sends none.
	RowSeedDisabled RowSeedPolicy = "Disabled"
)

// HealthCheckPolicy says whether a model is asked before a run begins.
// +kubebuilder:validation:Enum=Enabled;Disabled
type HealthCheckPolicy string

const (
	// HealthCheckEnabled asks the model once.
	HealthCheckEnabled HealthCheckPolicy = "Enabled"
	// HealthCheckDisabled does not.
	HealthCheckDisabled HealthCheckPolicy = "Disabled"
)

// EmbeddingEncoding is how the server sends vectors.
// +kubebuilder:validation:Enum=Float;Base64
type EmbeddingEncoding string

const (
	// EmbeddingEncodingFloat has vectors as lists of numbers.
	EmbeddingEncodingFloat EmbeddingEncoding = "Float"
	// EmbeddingEncodingBase64 has vectors in their binary form, which is shorter.
	EmbeddingEncodingBase64 EmbeddingEncoding = "Base64"
)

// EmbeddingParameters are the parameters of requests for embeddings.
//
// +kubebuilder:validation:MinProperties=1
type EmbeddingParameters struct {
	// encodingFormat is how the server sends vectors. Defaults to Float.
	// +optional
	EncodingFormat EmbeddingEncoding `json:"encodingFormat,omitempty"`

	// dimensions is the length of the vectors, for models that can shorten them.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65536
	// +optional
	Dimensions *int32 `json:"dimensions,omitempty"`
}

// ModelPrice is what a model costs, in any one currency for all models.
//
// +kubebuilder:validation:MinProperties=1
type ModelPrice struct {
	// inputPerMillionTokens is the price of a million tokens of prompts.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0",message="must not be negative"
	// +optional
	InputPerMillionTokens *Decimal `json:"inputPerMillionTokens,omitempty"`

	// cachedInputPerMillionTokens is the price of a million tokens of prompts that the provider had in its cache. Defaults to
	// inputPerMillionTokens.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0",message="must not be negative"
	// +optional
	CachedInputPerMillionTokens *Decimal `json:"cachedInputPerMillionTokens,omitempty"`

	// outputPerMillionTokens is the price of a million tokens of answers, those of reasoning among them.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0",message="must not be negative"
	// +optional
	OutputPerMillionTokens *Decimal `json:"outputPerMillionTokens,omitempty"`

	// perImage is the price of an image.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0",message="must not be negative"
	// +optional
	PerImage *Decimal `json:"perImage,omitempty"`
}

// AdmissionPolicy says how the number of requests in flight is chosen.
// +kubebuilder:validation:Enum=Adaptive;Fixed
type AdmissionPolicy string

const (
	// AdmissionAdaptive follows what the provider can take: refusals, time-outs and waiting lower the number, success raises it.
	AdmissionAdaptive AdmissionPolicy = "Adaptive"
	// AdmissionFixed always allows maxParallelRequests.
	AdmissionFixed AdmissionPolicy = "Fixed"
)

// Admission says how many requests are sent at once.
//
// +kubebuilder:validation:MinProperties=1
type Admission struct {
	// policy says how the number of requests in flight is chosen. Defaults to Adaptive.
	// +optional
	Policy AdmissionPolicy `json:"policy,omitempty"`

	// startupRampSeconds is the time over which the number of requests in flight grows from 1 to its limit when a run begins; 0 sends all
	// at once. Without it, a run with many rows and an Adaptive limit begins with an eighth of the limit, which is doubled every 50
	// milliseconds as long as nothing is refused, and any other run sends all at once.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	// +optional
	StartupRampSeconds *int32 `json:"startupRampSeconds,omitempty"`

	// requestsPerMinute is how many requests one Pod sends in a minute at most.
	// +kubebuilder:validation:Minimum=1
	// +optional
	RequestsPerMinute *int64 `json:"requestsPerMinute,omitempty"`

	// tokensPerMinute is how many tokens, input and output, one Pod uses in a minute at most. What a request will use is estimated from
	// those before it.
	// +kubebuilder:validation:Minimum=1
	// +optional
	TokensPerMinute *int64 `json:"tokensPerMinute,omitempty"`
}
