package trace

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
)

// WriteLines writes spans as JSON, one a line.
func WriteLines(writer io.Writer, spans []Span) error {
	buffered := bufio.NewWriter(writer)
	encoder := json.NewEncoder(buffered)
	for i := range spans {
		if err := encoder.Encode(&spans[i]); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// WriteEvents writes spans as a file for a viewer.
func WriteEvents(writer io.Writer, spans []Span) error {
	written := newEvents(writer)
	if err := written.begin(); err != nil {
		return err
	}
	for i := range spans {
		if err := written.add(&spans[i]); err != nil {
			return err
		}
	}
	return errors.Join(written.end(), written.flush())
}
