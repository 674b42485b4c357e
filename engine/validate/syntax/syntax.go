// Package syntax finds what is wrong with the syntax of code, by parsers that are written in Go. It takes a bounded text, bounds nothing
// else that a parser uses, and starts no process: package process runs it where a text can do no harm.
package syntax

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/format"
	"go/scanner"
	"io"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/evanw/esbuild/pkg/api"
	"go.yaml.in/yaml/v3"
	shell "mvdan.cc/sh/v3/syntax"

	"seedloom.dev/seedloom/engine/validate"
)

// parsers has what finds the mistakes in a text, by the language.
var parsers = map[string]func(code string) []validate.Message{
	"bash":         bashMistakes,
	"go":           goMistakes,
	"html":         htmlMistakes,
	"javascript":   func(code string) []validate.Message { return scriptMistakes(code, api.LoaderJSX) },
	"json":         jsonMistakes,
	"regex":        regexMistakes,
	"sql:mysql":    mysqlMistakes,
	"sql:postgres": postgresMistakes,
	"sql:sqlite":   sqliteMistakes,
	"typescript":   func(code string) []validate.Message { return scriptMistakes(code, api.LoaderTS) },
	"yaml":         yamlMistakes,
}

// Knows says whether there is a parser for the language.
func Knows(language string) bool { return parsers[language] != nil }

// Mistakes are what is wrong with code in a language that is known; none where it is right.
func Mistakes(language, code string) []validate.Message {
	if strings.TrimSpace(code) == "" {
		return []validate.Message{{Text: "there is nothing but white space"}}
	}
	return validate.Bounded(parsers[language](code))
}

// goMistakes takes whole files, and lists of declarations or statements, as gofmt does.
func goMistakes(code string) []validate.Message {
	_, err := format.Source([]byte(code))
	if err == nil {
		return nil
	}
	var listed scanner.ErrorList
	if !errors.As(err, &listed) {
		return []validate.Message{{Text: err.Error()}}
	}
	messages := make([]validate.Message, len(listed))
	for i, mistake := range listed {
		messages[i] = validate.Message{Line: mistake.Pos.Line, Column: mistake.Pos.Column, Text: mistake.Msg}
	}
	return messages
}

func scriptMistakes(code string, loader api.Loader) []validate.Message {
	result := api.Transform(code, api.TransformOptions{Loader: loader, LogLevel: api.LogLevelSilent, JSX: api.JSXPreserve, Target: api.ESNext})
	messages := make([]validate.Message, len(result.Errors))
	for i, mistake := range result.Errors {
		messages[i] = validate.Message{Text: mistake.Text}
		if at := mistake.Location; at != nil {
			messages[i].Line, messages[i].Column = at.Line, at.Column+1
		}
	}
	return messages
}

func bashMistakes(code string) []validate.Message {
	_, err := shell.NewParser(shell.Variant(shell.LangBash)).Parse(strings.NewReader(code), "")
	var wrong shell.ParseError
	var other shell.LangError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return []validate.Message{{Line: int(wrong.Pos.Line()), Column: int(wrong.Pos.Col()), Text: wrong.Text}}
	case errors.As(err, &other):
		return []validate.Message{{Line: int(other.Pos.Line()), Column: int(other.Pos.Col()), Text: "bash does not know this: " + other.Feature}}
	}
	return []validate.Message{{Text: err.Error()}}
}

func jsonMistakes(code string) []validate.Message {
	decoder := json.NewDecoder(strings.NewReader(code))
	var document json.RawMessage
	err := decoder.Decode(&document)
	if err == nil {
		end := decoder.InputOffset()
		if rest := strings.TrimLeft(code[end:], " \t\r\n"); rest != "" {
			return []validate.Message{at(code, len(code)-len(rest), "something follows after the end of the document")}
		}
		return nil
	}
	var wrong *json.SyntaxError
	switch {
	case errors.As(err, &wrong):
		return []validate.Message{at(code, int(wrong.Offset)-1, wrong.Error())}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return []validate.Message{at(code, len(code), "the document ends too early")}
	}
	return []validate.Message{{Text: err.Error()}}
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// yamlMistakes reads all documents of a stream.
func yamlMistakes(code string) []validate.Message {
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(code)))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			continue
		}
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		message := validate.Message{Text: text}
		if found := yamlLine.FindStringSubmatch(text); found != nil {
			message.Line, _ = strconv.Atoi(found[1]) // which are digits
			message.Column = 1
			message.Text = text[len(found[0]):]
		}
		return []validate.Message{message}
	}
}

// regexMistakes takes the syntax of RE2, which compares in linear time: it has no look-around and no references back.
func regexMistakes(code string) []validate.Message {
	_, err := regexp.Compile(code)
	var wrong *syntax.Error
	if !errors.As(err, &wrong) {
		return nil
	}
	place := strings.Index(code, wrong.Expr)
	return []validate.Message{at(code, max(place, 0), wrong.Code.String()+": "+wrong.Expr)}
}

// at is a message about an offset in a text.
func at(code string, offset int, text string) validate.Message {
	before := code[:min(max(offset, 0), len(code))]
	start := strings.LastIndexByte(before, '\n') + 1
	return validate.Message{Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(before[start:]) + 1, Text: text}
}
