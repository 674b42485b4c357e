package datadesigner

import (
	"cmp"
	"strings"

	"go.yaml.in/yaml/v3"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// columnKinds convert what columns have beside what all of them have. They return false where the column can't be carried over.
var columnKinds = map[string]func(c *converter, from *object, to *v1alpha1.Column) bool{
	"sampler":        (*converter).sampler,
	"llm-text":       (*converter).text,
	"llm-code":       (*converter).code,
	"llm-structured": (*converter).structured,
	"llm-judge":      (*converter).judge,
	"expression":     (*converter).expression,
	"embedding":      (*converter).embedding,
	"image":          (*converter).image,
	"validation":     (*converter).validation,
}

// internalRowID is a column that Data Designer adds to what it writes; a DatasetGeneration needs none.
const internalRowID = "_internal_row_id"

func (c *converter) columns(root *object) {
	for _, from := range root.children("columns") {
		if from == nil || from.text("name") == internalRowID || from.text("column_type") == "seed-dataset" {
			continue // the columns of a seed are there without being listed
		}
		to := v1alpha1.Column{Name: from.text("name")}
		kind := from.text("column_type")
		convert := columnKinds[kind]
		if convert == nil {
			c.loseColumn(from, kind)
			continue
		}
		to.AllowResize, to.PropagateSkip = from.truth("allow_resize"), from.truth("propagate_skip")
		if from.isTrue("drop") {
			to.Drop = from.truth("drop")
		}
		if skip := from.child("skip"); skip != nil {
			to.Skip = &v1alpha1.Skip{When: skip.text("when"), Value: skip.raw("value")}
			skip.rest()
		}
		if !convert(c, from, &to) {
			continue
		}
		from.rest()
		c.spec.Columns = append(c.spec.Columns, to)
	}
}

// loseColumn tells of a column whose kind has no counterpart.
func (c *converter) loseColumn(from *object, kind string) {
	switch kind {
	case "custom":
		c.lose(from.path, "column %q is made by the Python function %q, which the configuration only names: "+
			"write it in Starlark, as a column with custom.starlark", from.text("name"), from.text("generator_function"))
	case "":
		c.lose(from.path, "column %q has no column_type, and is left out", from.text("name"))
	default:
		c.lose(from.path, "column %q is of the type %q of a plugin, which has no counterpart: write it in Starlark, as a column with "+
			"custom.starlark", from.text("name"), kind)
	}
}

// prompt is what all columns of language models have.
func (c *converter) prompt(from *object) v1alpha1.LLMPrompt {
	prompt := v1alpha1.LLMPrompt{
		Model: from.text("model_alias"), Prompt: from.text("prompt"), SystemPrompt: from.text("system_prompt"), Tools: from.text("tool_alias"),
		Context: c.media(from),
	}
	switch trace := from.text("with_trace"); trace {
	case "", "none", "false":
	case "last_message":
		prompt.Trace = v1alpha1.ConversationTraceLastMessage
	case "all_messages", "true":
		prompt.Trace = v1alpha1.ConversationTraceAllMessages
	default:
		c.lose(from.at("with_trace"), "%q is unknown", trace)
	}
	if from.isTrue("extract_reasoning_content") {
		prompt.ExtractReasoning = from.truth("extract_reasoning_content")
	}
	return prompt
}

// media are the images, sounds and films that a prompt has with it.
func (c *converter) media(from *object) []v1alpha1.MediaContext {
	var list []v1alpha1.MediaContext
	for _, entry := range from.children("multi_modal_context") {
		if entry == nil {
			continue
		}
		media := v1alpha1.MediaContext{Column: entry.text("column_name")}
		modality := cmp.Or(entry.text("modality"), "image")
		switch modality {
		case "image":
			media.Modality = v1alpha1.MediaImage
		case "audio":
			media.Modality = v1alpha1.MediaAudio
		case "video":
			media.Modality = v1alpha1.MediaVideo
		default:
			c.lose(entry.at("modality"), "%q is unknown", modality)
			continue
		}
		switch entry.text("data_type") {
		case "url":
			media.DataType = v1alpha1.MediaDataURL
		case "base64":
			media.DataType = v1alpha1.MediaDataBase64
		}
		media.Format = entry.text(modality + "_format")
		entry.rest()
		list = append(list, media)
	}
	return list
}

func (c *converter) text(from *object, to *v1alpha1.Column) bool {
	to.LLMText = &v1alpha1.LLMText{LLMPrompt: c.prompt(from)}
	return true
}

func (c *converter) code(from *object, to *v1alpha1.Column) bool {
	to.LLMCode = &v1alpha1.LLMCode{LLMPrompt: c.prompt(from), Language: v1alpha1.CodeLanguage(from.text("code_lang"))}
	return true
}

func (c *converter) structured(from *object, to *v1alpha1.Column) bool {
	to.LLMStructured = &v1alpha1.LLMStructured{LLMPrompt: c.prompt(from), Schema: from.raw("output_format")}
	return true
}

func (c *converter) judge(from *object, to *v1alpha1.Column) bool {
	judge := &v1alpha1.LLMJudge{LLMPrompt: c.prompt(from)}
	for _, entry := range from.children("scores") {
		if entry == nil {
			continue
		}
		score := v1alpha1.JudgeScore{Name: entry.text("name"), Description: entry.text("description"), Options: map[string]string{}}
		if options := entry.child("options"); options != nil {
			for _, key := range options.keys {
				score.Options[key] = options.text(key)
			}
		}
		if name := identifier(score.Name); name != score.Name {
			c.note(entry.at("name"), "the score %q is called %s: templates refer to it by that name", score.Name, name)
			score.Name = name
		}
		entry.rest()
		judge.Scores = append(judge.Scores, score)
	}
	to.LLMJudge = judge
	return true
}

// identifier is a name that templates can refer to.
func identifier(name string) string {
	name = strings.Map(func(character rune) rune {
		switch {
		case character >= 'a' && character <= 'z', character >= 'A' && character <= 'Z', character >= '0' && character <= '9', character == '_':
			return character
		}
		return '_'
	}, name)
	if name == "" || !(name[0] >= 'a' && name[0] <= 'z' || name[0] >= 'A' && name[0] <= 'Z') {
		return "score_" + name
	}
	return name
}

func (c *converter) expression(from *object, to *v1alpha1.Column) bool {
	to.Expression = &v1alpha1.Expression{Expr: from.text("expr")}
	if kind := from.text("dtype"); kind != "" && kind != "str" {
		to.Expression.Type = v1alpha1.ValueType(kind)
	}
	return true
}

func (c *converter) embedding(from *object, to *v1alpha1.Column) bool {
	to.Embedding = &v1alpha1.Embedding{Model: from.text("model_alias"), TargetColumn: from.text("target_column")}
	return true
}

func (c *converter) image(from *object, to *v1alpha1.Column) bool {
	to.Image = &v1alpha1.Image{Model: from.text("model_alias"), Prompt: from.text("prompt"), Context: c.media(from)}
	return true
}

// processors convert what is done with whole row groups.
func (c *converter) processors(root *object) {
	for _, from := range root.children("processors") {
		if from == nil || from.text("name") == "default_drop_columns_processor" {
			continue // which the columns say themselves
		}
		to := v1alpha1.Processor{Name: resourceName(from.text("name"))}
		switch kind := from.text("processor_type"); kind {
		case "drop_columns":
			to.DropColumns = &v1alpha1.DropColumns{ColumnNames: from.texts("column_names")}
		case "schema_transform":
			to.SchemaTransform = &v1alpha1.SchemaTransform{Template: from.raw("template")}
		default:
			c.lose(from.path, "processor %q is of the type %q of a plugin, which has no counterpart: write it in Starlark, as a processor with "+
				"starlark.source", from.text("name"), kind)
			continue
		}
		if from.text("name") != to.Name {
			c.note(from.at("name"), "the processor %q is called %s, and so is the folder of its files", from.text("name"), to.Name)
		}
		from.rest()
		c.spec.Processors = append(c.spec.Processors, to)
	}
}

// run converts the settings of a run.
func (c *converter) run(from *object) {
	run := &v1alpha1.RunSettings{
		RowGroupSize: from.small("buffer_size"), MaxConversationRestarts: from.small("max_conversation_restarts"),
		MaxConversationCorrectionSteps: from.small("max_conversation_correction_steps"),
		PreserveDroppedColumns:         from.truth("preserve_dropped_columns"),
	}
	if from.isTrue("async_trace") {
		run.Trace = v1alpha1.TraceEnabled
	}
	shutdown := v1alpha1.EarlyShutdown{ErrorRate: from.decimal("shutdown_error_rate")}
	if window := from.small("shutdown_error_window"); window != nil {
		enough := max(*window, 10)
		shutdown.ErrorWindow = &enough
	}
	if from.isTrue("disable_early_shutdown") {
		shutdown = v1alpha1.EarlyShutdown{Policy: v1alpha1.EarlyShutdownDisabled}
	}
	if shutdown != (v1alpha1.EarlyShutdown{}) {
		run.EarlyShutdown = &shutdown
	}
	for _, key := range []string{"max_concurrent_row_groups", "max_in_flight_tasks", "non_inference_max_parallel_workers", "display_tui",
		"progress_bar", "progress_interval", "otel_metrics_port", "write_scheduler_events", "jinja_rendering_engine"} {
		if from.has(key) {
			c.note(from.at(key), "is not needed: the engine sees to it itself, and no row depends on it")
		}
	}
	from.rest()
	if *run != (v1alpha1.RunSettings{}) {
		c.spec.Run = run
	}
}

func isMapping(node *yaml.Node) bool { return node.Kind == yaml.MappingNode }
