package v1alpha1

// ToolServerType is the transport of a tool server.
// +kubebuilder:validation:Enum=StreamableHTTP;SSE;Stdio
type ToolServerType string

const (
	// ToolServerStreamableHTTP is the transport of today's servers.
	ToolServerStreamableHTTP ToolServerType = "StreamableHTTP"
	// ToolServerSSE is the transport of older servers.
	ToolServerSSE ToolServerType = "SSE"
	// ToolServerStdio is a program that speaks over its input and output; it runs as a sidecar of the engine.
	ToolServerStdio ToolServerType = "Stdio"
)

// ToolServer is a server of the Model Context Protocol.
//
// +kubebuilder:validation:XValidation:rule="(self.type == 'Stdio') == has(self.stdio)",message="stdio is required when type is Stdio, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Stdio') != has(self.endpoint)",message="endpoint is required unless type is Stdio, and forbidden then"
// +kubebuilder:validation:XValidation:rule="self.type != 'Stdio' || !has(self.apiKeySecretRef)",message="apiKeySecretRef is forbidden when type is Stdio"
type ToolServer struct {
	// name identifies the server within this spec.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +required
	Name string `json:"name,omitempty"`

	// type is the transport.
	// +required
	Type ToolServerType `json:"type,omitempty"`

	// endpoint is the URL of the server.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^\\\\s@#]+$')",message="must be an http or https URL without user or fragment"
	// +optional
	Endpoint string `json:"endpoint,omitempty"`

	// apiKeySecretRef names the key of a Secret in this namespace that is sent as a bearer token.
	// +optional
	APIKeySecretRef *SecretKeyReference `json:"apiKeySecretRef,omitempty"`

	// stdio says which program runs in the sidecar.
	// +optional
	Stdio *StdioToolServer `json:"stdio,omitempty"`
}

// StdioToolServer is a program that speaks the protocol over its input and output.
type StdioToolServer struct {
	// image is the image of the sidecar.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +required
	Image string `json:"image,omitempty"`

	// command is the program and its arguments.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=4096
	// +required
	Command []string `json:"command,omitempty"`

	// env are environment variables of the program.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Env []ToolEnvironmentVariable `json:"env,omitempty"`

	// resources are those of the sidecar. What is not named keeps its default: requests of 20m CPU and 64Mi memory, and a limit of 512Mi
	// memory.
	// +optional
	Resources *ContainerResources `json:"resources,omitempty"`
}

// ToolEnvironmentVariable is an environment variable of a program. Exactly one of its sources is set.
//
// +kubebuilder:validation:ExactlyOneOf=value;secretKeyRef
type ToolEnvironmentVariable struct {
	// name is the name of the variable.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	// +required
	Name string `json:"name,omitempty"`

	// value is its value. It is no place for secrets.
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Value *string `json:"value,omitempty"`

	// secretKeyRef names the key of a Secret in this namespace that has its value.
	// +optional
	SecretKeyRef *SecretKeyReference `json:"secretKeyRef,omitempty"`
}

// ToolSet is a set of tools that a model may call.
type ToolSet struct {
	// alias is the name by which columns refer to the set.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`
	// +required
	Alias string `json:"alias,omitempty"`

	// servers are the names of entries in spec.toolServers.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=40
	// +required
	Servers []string `json:"servers,omitempty"`

	// allowTools are the tools that may be called. Without it, all tools of the servers may be.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +optional
	AllowTools []string `json:"allowTools,omitempty"`

	// maxTurns is how often a model may call tools before it must answer. Defaults to 5.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	MaxTurns *int32 `json:"maxTurns,omitempty"`

	// timeoutSeconds is how long all calls of one turn may take together. Defaults to 60.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	// +optional
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`
}
