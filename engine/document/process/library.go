package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"runtime/debug"
	"sync"

	"seedloom.dev/seedloom/engine/document/pdf"
	"seedloom.dev/seedloom/internal/idle"
	"seedloom.dev/seedloom/internal/machinecode"
)

// libraryVariable is set, in the environment, for the processes that read PDFs.
const libraryVariable = "SEEDLOOM_PDF_PROCESS"

// library has the processes that read PDFs, which load PDFium before they are confined.
type library struct {
	processes idle.List[*reader]
	// starting is held by whoever starts a process, so that PDFium is compiled once.
	starting sync.Mutex
	// folder is where its machine code is kept, and temporary says that it is deleted in the end.
	folder    string
	temporary bool
}

// setup is the first line that such a process gets, and prepared what it answers.
type setup struct {
	Folder string `json:"folder"`
}

type prepared struct {
	Problem string `json:"problem,omitempty"`
}

// start starts a process that has PDFium. Machine code that can't be used is not used again.
func (l *library) start(ctx context.Context) (*reader, error) {
	l.starting.Lock()
	defer l.starting.Unlock()
	if l.folder == "" && !l.temporary {
		l.folder, _ = machinecode.Folder("pdfium") // else a folder for this run
	}
	if l.folder != "" || l.temporary {
		process, err := l.startIn(ctx)
		if err == nil || l.temporary || ctx.Err() != nil {
			return process, err
		}
	}
	var err error
	if l.folder, err = os.MkdirTemp("", "seedloom-pdfium-"); err != nil {
		l.folder = "" // it is compiled by each process
	}
	l.temporary = true
	return l.startIn(ctx)
}

func (l *library) startIn(ctx context.Context) (*reader, error) {
	process, err := startAs(libraryVariable)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, process.Kill)
	err = process.prepare(setup{l.folder})
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		process.Close()
		return nil, err
	}
	return process, nil
}

func (r *reader) prepare(with setup) error {
	line, err := json.Marshal(with)
	if err != nil {
		return err
	}
	if _, err := r.Input.Write(append(line, '\n')); err != nil {
		return err
	}
	if line, err = readLine(r.from, maxQuestion); err != nil {
		return err
	}
	var answered prepared
	if err := json.Unmarshal(line, &answered); err != nil {
		return err
	}
	if answered.Problem != "" {
		return errors.New(answered.Problem)
	}
	return nil
}

func (l *library) close() {
	l.processes.Close()
	if l.temporary && l.folder != "" {
		_ = os.RemoveAll(l.folder) // it is in the folder for temporary files
	}
}

// load loads PDFium as the first line says, and answers. It runs in the process that is to read, before it is confined.
func load(from *bufio.Reader, answers *json.Encoder) (*pdf.Library, error) {
	line, err := readLine(from, maxQuestion)
	if err != nil {
		return nil, err
	}
	var said setup
	if err := json.Unmarshal(line, &said); err != nil {
		return nil, err
	}
	loaded, err := pdf.Load(context.Background(), said.Folder)
	if err != nil {
		_ = answers.Encode(prepared{Problem: err.Error()}) // the process ends either way
		return nil, err
	}
	debug.FreeOSMemory() // what the compiler has used
	return loaded, answers.Encode(prepared{})
}
