package plan

import (
	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/table"
)

// trainingForm checks what makes a form that trainers read.
func (v *validation) trainingForm(spec *v1alpha1.Form, field string, unknownSeed bool) {
	if spec.When != "" {
		v.formWhen(spec.When, field+".when", unknownSeed)
	}
	set := setForms(spec)
	if len(set) != 1 {
		v.add(field, ReasonInvalidUnion, "exactly one of chat, shareGPT, alpaca, promptCompletion, preference, unpairedPreference, toolCalling, "+
			"embedding must be set, but %s", listSet(set))
		return
	}
	shape := process.ShapeOf(spec)
	for _, part := range shape.Parts {
		if part.Source == "" {
			if part.IsNeeded() {
				v.add(field+"."+part.Field, ReasonRequired, "a template is needed")
			}
			continue
		}
		template, err := jinja.Parse(part.Source)
		if err != nil {
			v.add(field+"."+part.Field, ReasonTemplateSyntax, "is not a valid template: %v", err)
			continue
		}
		v.formReferences(field+"."+part.Field, template, unknownSeed)
	}
	v.formStyles(spec, field)
	if shape.TraceField != "" {
		v.formTrace(shape.Trace, field+"."+shape.TraceField)
	}
}

// setForms are the names of the forms that are set.
func setForms(spec *v1alpha1.Form) []string {
	var set []string
	for _, form := range []struct {
		name  string
		isSet bool
	}{
		{"chat", spec.Chat != nil}, {"shareGPT", spec.ShareGPT != nil}, {"alpaca", spec.Alpaca != nil},
		{"promptCompletion", spec.PromptCompletion != nil}, {"preference", spec.Preference != nil},
		{"unpairedPreference", spec.UnpairedPreference != nil}, {"toolCalling", spec.ToolCalling != nil}, {"embedding", spec.Embedding != nil},
	} {
		if form.isSet {
			set = append(set, form.name)
		}
	}
	return set
}

// formStyles checks how prompts and answers are to stand in their columns.
func (v *validation) formStyles(spec *v1alpha1.Form, field string) {
	check := func(name string, style v1alpha1.FormStyle, system string) {
		switch style {
		case "", v1alpha1.FormConversational:
		case v1alpha1.FormStandard:
			if system != "" {
				v.add(field+"."+name+".system", ReasonInvalidValue, "is for the style Conversational: with Standard, write it into the prompt")
			}
		default:
			v.add(field+"."+name+".style", ReasonInvalidValue, "must be Conversational or Standard, but is %q", style)
		}
	}
	switch {
	case spec.PromptCompletion != nil:
		check("promptCompletion", spec.PromptCompletion.Style, spec.PromptCompletion.System)
	case spec.Preference != nil:
		check("preference", spec.Preference.Style, spec.Preference.System)
	case spec.UnpairedPreference != nil:
		check("unpairedPreference", spec.UnpairedPreference.Style, spec.UnpairedPreference.System)
	}
}

// formTrace checks the column with a conversation.
func (v *validation) formTrace(name, field string) {
	if name == "" {
		v.add(field, ReasonRequired, "the side-effect column with the messages is needed, such as answer%s", traceSuffix)
		return
	}
	var traces []string
	for i := range v.spec.Columns {
		for _, effect := range sideEffects(&v.spec.Columns[i]) {
			if effect.Type.Kind == table.KindList {
				traces = append(traces, effect.Name)
			}
		}
	}
	for _, trace := range traces {
		if trace == name {
			return
		}
	}
	v.add(field, ReasonUnknownReference, "%q is no column with the messages of a conversation%s: a column with trace: AllMessages has one, "+
		"which is called as it with %s", name, suggestion(name, traces), traceSuffix)
}

// formOfDroppedColumns reports columns that a form of the generated dataset reads, and that are not kept until then.
func (v *validation) formOfDroppedColumns(spec *v1alpha1.Form, field string, patterns []string) {
	shape := process.ShapeOf(spec)
	if shape == nil {
		return
	}
	for _, part := range shape.Parts {
		if template, err := jinja.Parse(part.Source); err == nil {
			v.droppedReferences(field+"."+part.Field, template.References(), patterns)
		}
	}
	if shape.Trace != "" {
		v.droppedReferences(field+"."+shape.TraceField, []string{shape.Trace}, patterns)
	}
}
