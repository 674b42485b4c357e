package process

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document"
	"seedloom.dev/seedloom/engine/document/format"
	"seedloom.dev/seedloom/engine/document/pdf"
	"seedloom.dev/seedloom/engine/sandbox"
)

// processVariable is set, in the environment, for the processes that read documents.
const processVariable = "SEEDLOOM_DOCUMENT_PROCESS"

// A process that is started to read does nothing else until its input ends. It is the same executable, as that of programs is.
func init() {
	withLibrary := os.Getenv(libraryVariable) != ""
	if os.Getenv(processVariable) != "" || withLibrary {
		os.Exit(serve(os.Stdin, os.Stdout, withLibrary))
	}
}

const (
	// maxStack bounds how deep a reader may call itself; beyond it the process ends.
	maxStack    = 128 << 20
	maxQuestion = 4 << 10
)

// question asks for the text of a document, whose bytes follow its line.
type question struct {
	Format format.Format       `json:"format"`
	Hidden v1alpha1.HiddenText `json:"hidden"`
	// Margins are of PDFs.
	Margins v1alpha1.PageMargins `json:"margins"`
	Size    int                  `json:"size"`
	// Processor is the time of a processor that it may use.
	Processor time.Duration `json:"processor"`
}

// answer has it, or says what is wrong.
type answer struct {
	Document *document.Document `json:"document,omitempty"`
	Problem  string             `json:"problem,omitempty"`
}

func serve(input io.Reader, output io.Writer, withLibrary bool) int {
	debug.SetMaxStack(maxStack)
	from, answers := bufio.NewReaderSize(input, 1<<16), json.NewEncoder(output)
	answers.SetEscapeHTML(false)
	var known *pdf.Library
	if withLibrary {
		var err error
		if known, err = load(from, answers); err != nil {
			return 1
		}
	}
	var confinement sandbox.Confinement
	confinement.Bound(maxMemory, maxProcessor)
	confinement.RefuseFiles()
	for {
		line, err := readLine(from, maxQuestion)
		if err != nil {
			return 0
		}
		var asked question
		if err := json.Unmarshal(line, &asked); err != nil || asked.Size < 0 || asked.Size > document.MaxBytes {
			return 1
		}
		confinement.Bound(maxMemory, asked.Processor)
		data := make([]byte, asked.Size)
		if _, err := io.ReadFull(from, data); err != nil {
			return 1
		}
		if err := answers.Encode(read(known, asked, data)); err != nil {
			return 1
		}
	}
}

// read reads a document. A defect of a reader costs the document, not the process.
func read(known *pdf.Library, asked question, data []byte) (answered answer) {
	defer func() {
		if defect := recover(); defect != nil {
			answered = answer{Problem: fmt.Sprintf("its reader has failed: %.200v", defect)}
		}
	}()
	var found *document.Document
	var err error
	if known != nil {
		// What bounds the process bounds the reading.
		found, err = document.ReadPDF(context.Background(), known, data, asked.Hidden, asked.Margins)
	} else {
		found, err = document.Read(asked.Format, data, asked.Hidden)
	}
	if err != nil {
		return answer{Problem: err.Error()}
	}
	return answer{Document: found}
}
