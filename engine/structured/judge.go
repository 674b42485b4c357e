package structured

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// Judge returns the schema of a judge's answer: for each score its reasoning, and then one of its options. Scores that are written nearly
// like an option are taken for it.
func Judge(scores []v1alpha1.JudgeScore) (*Schema, []Problem) {
	var problems []Problem
	properties := map[string]any{}
	var required []any
	var names []string
	for i, score := range scores {
		path := fmt.Sprintf("[%d]", i)
		for _, clash := range clashes(score.Options) {
			problems = append(problems, Problem{Path: path + ".options", Message: clash})
		}
		if len(score.Options) == 0 {
			problems = append(problems, Problem{Path: path + ".options", Message: "at least one option is needed"})
		}
		if _, taken := properties[score.Name]; taken {
			problems = append(problems, Problem{Path: path + ".name", Message: fmt.Sprintf("another score is called %q too", score.Name)})
		}
		properties[score.Name] = scoreSchema(score)
		required = append(required, score.Name)
		names = append(names, score.Name)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	document, err := marshal(map[string]any{
		"type": "object", "properties": properties, "required": required,
		"description": "The scores of the judgement: " + strings.Join(names, ", ") + ".",
	})
	if err != nil {
		return nil, []Problem{{Message: err.Error()}}
	}
	schema, problems := Compile(document)
	if schema != nil {
		schema.coerce = func(document any) { coerceScores(scores, document) }
	}
	return schema, problems
}

func scoreSchema(score v1alpha1.JudgeScore) map[string]any {
	options := sortedOptions(score.Options)
	var enum []any
	lines := []string{"The score, one of:"}
	for _, option := range options {
		enum = append(enum, optionValue(score.Options, option))
		lines = append(lines, "* "+option+": "+score.Options[option])
	}
	kind := "string"
	if wholeOptions(score.Options) {
		kind = "integer"
	}
	return map[string]any{
		"type": "object", "description": score.Description, "required": []any{"reasoning", "score"},
		"properties": map[string]any{
			"reasoning": map[string]any{"type": "string", "description": "The reasoning for the score."},
			"score":     map[string]any{"type": kind, "enum": enum, "description": strings.Join(lines, "\n")},
		},
	}
}

// wholeOptions says whether all options are whole numbers.
func wholeOptions(options map[string]string) bool {
	for option := range options {
		if _, err := strconv.ParseInt(strings.TrimSpace(option), 10, 64); err != nil {
			return false
		}
	}
	return true
}

// optionValue is an option as it stands in documents.
func optionValue(options map[string]string, option string) any {
	if !wholeOptions(options) {
		return option
	}
	return json.Number(normal(option))
}

func sortedOptions(options map[string]string) []string {
	if !wholeOptions(options) {
		return slices.Sorted(maps.Keys(options))
	}
	number := func(option string) int64 {
		value, _ := strconv.ParseInt(strings.TrimSpace(option), 10, 64) // it was read before
		return value
	}
	return slices.SortedFunc(maps.Keys(options), func(a, b string) int {
		if number(a) != number(b) {
			return int(max(-1, min(1, number(a)-number(b))))
		}
		return strings.Compare(a, b)
	})
}

// normal is what options are compared by: without the case of letters, and whole numbers in one way of writing them.
func normal(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		return strconv.FormatInt(number, 10)
	}
	if number, err := strconv.ParseFloat(text, 64); err == nil && number == float64(int64(number)) && number > -1e15 && number < 1e15 {
		return strconv.FormatInt(int64(number), 10)
	}
	return text
}

// clashes are the options that scores could not tell apart.
func clashes(options map[string]string) []string {
	first := map[string]string{}
	var found []string
	for _, option := range slices.Sorted(maps.Keys(options)) {
		key := normal(option)
		if other, taken := first[key]; taken {
			found = append(found, fmt.Sprintf("%q and %q can't be told apart: scores are compared without the case of their letters, and as "+
				"numbers", other, option))
			continue
		}
		first[key] = option
	}
	return found
}

// coerceScores writes the option in the place of a score that means it.
func coerceScores(scores []v1alpha1.JudgeScore, document any) {
	object, isObject := document.(map[string]any)
	if !isObject {
		return
	}
	for _, score := range scores {
		judged, isObject := object[score.Name].(map[string]any)
		if !isObject {
			continue
		}
		said := ""
		switch typed := judged["score"].(type) {
		case string:
			said = typed
		case json.Number:
			said = string(typed)
		default:
			continue // a bool is no number, and null no option
		}
		if _, exact := score.Options[said]; exact {
			judged["score"] = optionValue(score.Options, said)
			continue
		}
		for option := range score.Options {
			if normal(option) == normal(said) {
				judged["score"] = optionValue(score.Options, option)
			}
		}
	}
}
