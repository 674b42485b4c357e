package v1alpha1

// FormStyle is how prompts and answers stand in a form.
// +kubebuilder:validation:Enum=Conversational;Standard
type FormStyle string

const (
	// FormConversational has them as lists of messages, to which a trainer applies the model's chat template.
	FormConversational FormStyle = "Conversational"
	// FormStandard has them as plain texts.
	FormStandard FormStyle = "Standard"
)

// Form writes the rows to the folder processors-files/<name> of the output in a form that trainers read. Exactly one of the forms is set.
// Every text in it is a Jinja template. A row of which a text that the form needs is null or empty is not in the form.
//
// +kubebuilder:validation:ExactlyOneOf=chat;shareGPT;alpaca;promptCompletion;preference;unpairedPreference;toolCalling;embedding
type Form struct {
	// when is a Jinja template that says which rows the form has; for instance "{{ verdict.realism.score >= 4 }}". All rows without it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	When string `json:"when,omitempty"`

	// chat has the column messages: a list of role and content, as chat models are asked.
	// +optional
	Chat *ChatForm `json:"chat,omitempty"`

	// shareGPT has the column conversations: a list of from (system, human, gpt) and value.
	// +optional
	ShareGPT *ShareGPTForm `json:"shareGPT,omitempty"`

	// alpaca has the columns instruction, input and output, and system where that is set.
	// +optional
	Alpaca *AlpacaForm `json:"alpaca,omitempty"`

	// promptCompletion has the columns prompt and completion.
	// +optional
	PromptCompletion *PromptCompletionForm `json:"promptCompletion,omitempty"`

	// preference has the columns prompt, chosen and rejected, as for DPO, ORPO, CPO, SimPO and reward models.
	// +optional
	Preference *PreferenceForm `json:"preference,omitempty"`

	// unpairedPreference has the columns prompt, completion and label, as for KTO.
	// +optional
	UnpairedPreference *UnpairedPreferenceForm `json:"unpairedPreference,omitempty"`

	// toolCalling has the column messages, with the calls of tools and what they have returned in OpenAI's form, and the column tools where
	// that is set.
	// +optional
	ToolCalling *ToolCallingForm `json:"toolCalling,omitempty"`

	// embedding has the columns anchor and positive, and negative where that is set.
	// +optional
	Embedding *EmbeddingForm `json:"embedding,omitempty"`
}

// ChatForm is a question and an answer as messages.
type ChatForm struct {
	// system is the content of the first message. Without it there is no such message.
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	System string `json:"system,omitempty"`

	// user is the content of the message that asks.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	User string `json:"user,omitempty"`

	// assistant is the content of the message that answers.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Assistant string `json:"assistant,omitempty"`
}

// ShareGPTForm is a question and an answer as in the exports of ShareGPT.
type ShareGPTForm struct {
	// system is the value of the first message. Without it there is no such message.
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	System string `json:"system,omitempty"`

	// human is the value of the message that asks.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Human string `json:"human,omitempty"`

	// gpt is the value of the message that answers.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	GPT string `json:"gpt,omitempty"`
}

// AlpacaForm is an instruction with its answer.
type AlpacaForm struct {
	// system is the system prompt. Without it there is no such column.
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	System string `json:"system,omitempty"`

	// instruction says what is to be done.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Instruction string `json:"instruction,omitempty"`

	// input is what the instruction is about. Without it, and where it is null, the column holds an empty text.
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	Input string `json:"input,omitempty"`

	// output is the answer.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Output string `json:"output,omitempty"`
}

// PromptCompletionForm is a prompt with its completion.
type PromptCompletionForm struct {
	// style is how they stand in their columns. Defaults to Conversational.
	// +optional
	Style FormStyle `json:"style,omitempty"`

	// system is the content of the first message of the prompt. It is for the style Conversational.
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	System string `json:"system,omitempty"`

	// prompt is what is asked.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Prompt string `json:"prompt,omitempty"`

	// completion is what is answered.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Completion string `json:"completion,omitempty"`
}

// PreferenceForm is a prompt with a better answer and a worse one. A row in which both are the same is not in the form.
type PreferenceForm struct {
	// style is how they stand in their columns. Defaults to Conversational.
	// +optional
	Style FormStyle `json:"style,omitempty"`

	// system is the content of the first message of the prompt. It is for the style Conversational.
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	System string `json:"system,omitempty"`

	// prompt is what is asked.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Prompt string `json:"prompt,omitempty"`

	// chosen is the better answer.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Chosen string `json:"chosen,omitempty"`

	// rejected is the worse answer.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Rejected string `json:"rejected,omitempty"`
}

// UnpairedPreferenceForm is a prompt with an answer that is good or is not.
type UnpairedPreferenceForm struct {
	// style is how they stand in their columns. Defaults to Conversational.
	// +optional
	Style FormStyle `json:"style,omitempty"`

	// system is the content of the first message of the prompt. It is for the style Conversational.
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	System string `json:"system,omitempty"`

	// prompt is what is asked.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Prompt string `json:"prompt,omitempty"`

	// completion is what is answered.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Completion string `json:"completion,omitempty"`

	// label is a condition, as in when: it holds where the answer is good.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +required
	Label string `json:"label,omitempty"`
}

// ToolCallingForm is a conversation in which a model calls tools.
type ToolCallingForm struct {
	// trace is the side-effect column with all messages of the conversation: that of a column with trace: AllMessages, such as answer__trace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Trace string `json:"trace,omitempty"`

	// tools are the definitions of the tools, a list in JSON as requests to OpenAI have it. The column has it as text.
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	Tools string `json:"tools,omitempty"`
}

// EmbeddingForm is a text with one that belongs to it and one that does not, by which embedding models and rerankers are trained.
type EmbeddingForm struct {
	// anchor is the text, such as a question.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Anchor string `json:"anchor,omitempty"`

	// positive is what belongs to it, such as a passage that answers it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Positive string `json:"positive,omitempty"`

	// negative is what does not. Without it the form has pairs.
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	Negative string `json:"negative,omitempty"`
}
