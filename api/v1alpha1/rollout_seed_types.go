package v1alpha1

// AgentRolloutFormat is how an agent has recorded its sessions.
// +kubebuilder:validation:Enum=ATIF;ClaudeCode;Codex;HermesAgent;PiCodingAgent
type AgentRolloutFormat string

const (
	// AgentRolloutATIF is the Agent Trajectory Interchange Format: a file .json for each trajectory.
	AgentRolloutATIF AgentRolloutFormat = "ATIF"
	// AgentRolloutClaudeCode is how Claude Code writes sessions, in ~/.claude/projects.
	AgentRolloutClaudeCode AgentRolloutFormat = "ClaudeCode"
	// AgentRolloutCodex is how Codex writes sessions, in ~/.codex/sessions.
	AgentRolloutCodex AgentRolloutFormat = "Codex"
	// AgentRolloutHermesAgent is how Hermes Agent writes sessions, in ~/.hermes/sessions.
	AgentRolloutHermesAgent AgentRolloutFormat = "HermesAgent"
	// AgentRolloutPiCodingAgent is how Pi writes sessions, in ~/.pi/agent/sessions.
	AgentRolloutPiCodingAgent AgentRolloutFormat = "PiCodingAgent"
)

// AgentRolloutFormats are all formats.
var AgentRolloutFormats = []AgentRolloutFormat{
	AgentRolloutATIF, AgentRolloutClaudeCode, AgentRolloutCodex, AgentRolloutHermesAgent, AgentRolloutPiCodingAgent,
}

// SeedAgentRollouts says how recorded sessions of agents become rows.
type SeedAgentRollouts struct {
	// format is how they are written. Files that have no session by their names are passed over.
	// +required
	Format AgentRolloutFormat `json:"format,omitempty"`

	// onError says what a file leads to that can't be read as a session. Defaults to Skip.
	// +optional
	OnError DocumentErrorPolicy `json:"onError,omitempty"`
}

// SkipsErrors says that files that can't be read are left out.
func (s *SeedAgentRollouts) SkipsErrors() bool { return s.EffectiveOnError() == DocumentErrorSkip }

// EffectiveOnError is onError with its default.
func (s *SeedAgentRollouts) EffectiveOnError() DocumentErrorPolicy {
	if s.OnError == "" {
		return DocumentErrorSkip
	}
	return s.OnError
}
