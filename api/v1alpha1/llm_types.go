package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// LLMText has a model write a text.
type LLMText struct {
	LLMPrompt `json:",inline"`

	// onTruncation is what becomes of an answer that the largest number of tokens has cut off. Defaults to Fail: the row is tried again, and
	// then dropped as OutputTruncated. Keep takes what there is.
	// +optional
	OnTruncation TruncationPolicy `json:"onTruncation,omitempty"`
}

// TruncationPolicy is what becomes of a text that was cut off.
// +kubebuilder:validation:Enum=Fail;Keep
type TruncationPolicy string

const (
	// TruncationFail takes the text for no answer.
	TruncationFail TruncationPolicy = "Fail"
	// TruncationKeep takes the text as it is.
	TruncationKeep TruncationPolicy = "Keep"
)

// LLMCode has a model write code. The value is the last fenced block of the language, apart from examples of how to use the code before it.
type LLMCode struct {
	LLMPrompt `json:",inline"`

	// language is the language of the code.
	// +required
	Language CodeLanguage `json:"language,omitempty"`
}

// LLMStructured has a model write a document in a schema.
type LLMStructured struct {
	LLMPrompt `json:",inline"`

	// schema is the JSON Schema (2020-12) of the document, without references to other documents. An object becomes a struct, whose fields
	// stand in the order of required and then by name, and an array becomes a list; what has no type of its own (free objects, unions of
	// different types, recursion) becomes a text with JSON in it. Properties that the schema does not describe are removed, unless it says
	// additionalProperties.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +required
	Schema *apiextensionsv1.JSON `json:"schema,omitempty"`
}

// LLMJudge has a model judge other columns. The value has, for each score, the reasoning and the score.
type LLMJudge struct {
	LLMPrompt `json:",inline"`

	// scores are what is judged.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +required
	Scores []JudgeScore `json:"scores,omitempty"`
}

// JudgeScore is one of the things that are judged.
type JudgeScore struct {
	// name is the name of the score.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_]*$`
	// +required
	Name string `json:"name,omitempty"`

	// description says what is judged.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +required
	Description string `json:"description,omitempty"`

	// options are the possible scores, each with what it means. When all of them are whole numbers, scores are numbers, and texts otherwise.
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=64
	// +required
	Options map[string]string `json:"options,omitempty"`
}

// CodeLanguage is a language of code.
// +kubebuilder:validation:Enum=bash;c;cobol;cpp;csharp;go;java;javascript;kotlin;python;ruby;rust;scala;swift;typescript;"sql:sqlite";"sql:tsql";"sql:bigquery";"sql:mysql";"sql:postgres";"sql:ansi"
type CodeLanguage string

// LLMPrompt is what all columns have in which a model writes.
type LLMPrompt struct {
	// model is the alias of an entry in spec.models.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Model string `json:"model,omitempty"`

	// prompt is a Jinja template that may refer to any other column.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Prompt string `json:"prompt,omitempty"`

	// systemPrompt is a Jinja template for the system message. Nothing is sent without it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	SystemPrompt string `json:"systemPrompt,omitempty"`

	// context are columns whose images, audio or video are sent before the prompt.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Context []MediaContext `json:"context,omitempty"`

	// tools is the alias of an entry in spec.tools: the tools that the model may call before it answers.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Tools string `json:"tools,omitempty"`

	// trace adds a column <name>__trace with the messages of the conversation. Defaults to None.
	// +optional
	Trace ConversationTrace `json:"trace,omitempty"`

	// extractReasoning adds a column <name>__reasoning_content with what the model has thought before its answer.
	// +optional
	ExtractReasoning *bool `json:"extractReasoning,omitempty"`
}

// ConversationTrace says which messages of a conversation are kept.
// +kubebuilder:validation:Enum=None;LastMessage;AllMessages
type ConversationTrace string

const (
	// ConversationTraceNone keeps none.
	ConversationTraceNone ConversationTrace = "None"
	// ConversationTraceLastMessage keeps the model's last message.
	ConversationTraceLastMessage ConversationTrace = "LastMessage"
	// ConversationTraceAllMessages keeps all messages.
	ConversationTraceAllMessages ConversationTrace = "AllMessages"
)

// MediaModality is a kind of media.
// +kubebuilder:validation:Enum=Image;Audio;Video
type MediaModality string

const (
	// MediaImage is a picture.
	MediaImage MediaModality = "Image"
	// MediaAudio is sound.
	MediaAudio MediaModality = "Audio"
	// MediaVideo is video.
	MediaVideo MediaModality = "Video"
)

// MediaDataType is the form of media in a cell.
// +kubebuilder:validation:Enum=Auto;URL;Base64;File
type MediaDataType string

const (
	// MediaDataAuto finds out from the value.
	MediaDataAuto MediaDataType = "Auto"
	// MediaDataURL is an address.
	MediaDataURL MediaDataType = "URL"
	// MediaDataBase64 is the content itself, in base64.
	MediaDataBase64 MediaDataType = "Base64"
	// MediaDataFile is the path of a file on a volume, relative to it: that of the seed, or the one that volume names.
	MediaDataFile MediaDataType = "File"
)

// MediaContext is a column whose media are sent with a prompt.
//
// +kubebuilder:validation:XValidation:rule="!has(self.dataType) || self.dataType != 'Base64' || has(self.format)",message="format is required when dataType is Base64"
// +kubebuilder:validation:XValidation:rule="!has(self.volume) || (has(self.dataType) && self.dataType == 'File')",message="volume is for dataType File"
type MediaContext struct {
	// column is the name of the column. Its cells hold one value, or a list of them.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	Column string `json:"column,omitempty"`

	// modality is the kind of the media.
	// +required
	Modality MediaModality `json:"modality,omitempty"`

	// dataType is the form of the values. Defaults to Auto.
	// +optional
	DataType MediaDataType `json:"dataType,omitempty"`

	// format is the format of the content: png, jpg, jpeg, gif or webp for images, mp3 or wav for audio, mp4, mov or webm for video.
	// +kubebuilder:validation:Enum=png;jpg;jpeg;gif;webp;mp3;wav;mp4;mov;webm
	// +optional
	Format string `json:"format,omitempty"`

	// volume is the name of an entry in spec.pod.volumes, a claim or a ConfigMap, that has the files of dataType File. Without it they lie on
	// the volume of the seed.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +optional
	Volume string `json:"volume,omitempty"`
}

// Embedding has a model turn a text, or a list of texts, into vectors. The value has the members embeddings, num_embeddings and dimension.
type Embedding struct {
	// model is the alias of an entry in spec.models.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Model string `json:"model,omitempty"`

	// targetColumn is the column that holds the text.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	TargetColumn string `json:"targetColumn,omitempty"`
}

// ImageAPI is how images are asked for.
// +kubebuilder:validation:Enum=Auto;Images;Chat
type ImageAPI string

const (
	// ImageAPIAuto takes Images for models whose names say that they are made for images, and Chat for all others.
	ImageAPIAuto ImageAPI = "Auto"
	// ImageAPIImages is the endpoint /images/generations.
	ImageAPIImages ImageAPI = "Images"
	// ImageAPIChat takes the images out of a chat completion.
	ImageAPIChat ImageAPI = "Chat"
)

// Image has a model make images. The value is the list of their paths in the output.
type Image struct {
	// model is the alias of an entry in spec.models.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Model string `json:"model,omitempty"`

	// prompt is a Jinja template that may refer to any other column.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Prompt string `json:"prompt,omitempty"`

	// context are columns whose images are sent before the prompt, where the API is Chat.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Context []MediaContext `json:"context,omitempty"`

	// api is how images are asked for. Defaults to Auto.
	// +optional
	API ImageAPI `json:"api,omitempty"`
}
