package model

import (
	"bytes"
	"encoding/json"
	"errors"
)

// byteOrderMark stands before the JSON of some servers, though it may not.
var byteOrderMark = []byte("\ufeff")

// decode reads a document of a server as far as it has the form of the protocol: what has another type is left out. So no answer is lost,
// and asked for again and again, for the sake of a member that nobody needs; and where one is needed, it is said that it is missing. Its
// error says that the document is no JSON.
func decode(data []byte, into any) error {
	data = bytes.TrimPrefix(data, byteOrderMark)
	err := json.Unmarshal(data, into)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		// What follows a whole document, such as what a proxy adds, takes nothing from it.
		err = json.NewDecoder(bytes.NewReader(data)).Decode(into)
	}
	if mismatch := (*json.UnmarshalTypeError)(nil); errors.As(err, &mismatch) {
		return nil
	}
	return err
}
