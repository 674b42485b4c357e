package plan

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// The functions here write the defaults of a kind's member one way; see kindRow.

func writePromptDefaults(column *v1alpha1.Column) {
	prompt := column.Prompt()
	if prompt.Trace == v1alpha1.ConversationTraceNone {
		prompt.Trace = ""
	}
	if !prompt.ExtractsReasoning() {
		prompt.ExtractReasoning = nil
	}
	writeContextDefaults(prompt.Context)
}

func writeTextDefaults(column *v1alpha1.Column) {
	writePromptDefaults(column)
	if column.LLMText.OnTruncation == v1alpha1.TruncationFail {
		column.LLMText.OnTruncation = ""
	}
}

func writeImageDefaults(column *v1alpha1.Column) {
	writeContextDefaults(column.Image.Context)
	if column.Image.API == v1alpha1.ImageAPIAuto {
		column.Image.API = ""
	}
}

func writeContextDefaults(contexts []v1alpha1.MediaContext) {
	for i := range contexts {
		if contexts[i].DataType == v1alpha1.MediaDataAuto {
			contexts[i].DataType = ""
		}
	}
}

func writeValueType(kind *v1alpha1.ValueType, schema *apiextensionsv1.JSON) {
	if *kind == "" && schema == nil {
		*kind = v1alpha1.ValueTypeStr
	}
}
