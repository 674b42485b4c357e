package process

import (
	"encoding/json"
	"io"
	"os"
	"runtime/debug"

	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/validate"
	"seedloom.dev/seedloom/engine/validate/syntax"
)

// processVariable is set, in the environment, for the processes that parse.
const processVariable = "SEEDLOOM_SYNTAX_PROCESS"

// A process that is started to parse does nothing else until its input ends. It is the same executable, as that of programs is.
func init() {
	if os.Getenv(processVariable) == "" {
		return
	}
	os.Exit(serve(os.Stdin, os.Stdout))
}

// maxStack bounds how deep a parser may call itself; beyond it the process ends.
const maxStack = 128 << 20

// question asks for the mistakes of a text.
type question struct {
	Language string `json:"language"`
	Code     string `json:"code"`
}

// answer has them.
type answer struct {
	Mistakes []validate.Message `json:"mistakes"`
}

func serve(input io.Reader, output io.Writer) int {
	debug.SetMaxStack(maxStack)
	questions, answers := json.NewDecoder(input), json.NewEncoder(output)
	var confinement sandbox.Confinement
	seen := map[string]bool{}
	for {
		var asked question
		if err := questions.Decode(&asked); err != nil {
			return 0
		}
		processor := maxProcessor
		if !seen[asked.Language] {
			processor = firstProcessor
		}
		seen[asked.Language] = true
		confinement.Bound(maxMemory, processor)
		if err := answers.Encode(answer{Mistakes: syntax.Mistakes(asked.Language, asked.Code)}); err != nil {
			return 1
		}
	}
}
