package store

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// metadataSchema is an object with the types of the columns by their names, in the order of the columns.
type metadataSchema []metadataField

type metadataField struct{ Name, Type string }

// MarshalJSON writes the members in their order.
func (s metadataSchema) MarshalJSON() ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false) // people read the names of types in it
	buffer.WriteByte('{')
	for i, field := range s {
		if i > 0 {
			buffer.WriteByte(',')
		}
		if err := encoder.Encode(field.Name); err != nil {
			return nil, err
		}
		buffer.WriteByte(':')
		if err := encoder.Encode(field.Type); err != nil {
			return nil, err
		}
	}
	buffer.WriteByte('}')
	return buffer.Bytes(), nil
}

// UnmarshalJSON reads the members in their order.
func (s *metadataSchema) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return fmt.Errorf("the schema is no object: %w", err)
	}
	*s = metadataSchema{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		field := metadataField{Name: fmt.Sprint(name)}
		if err := decoder.Decode(&field.Type); err != nil {
			return err
		}
		*s = append(*s, field)
	}
	return nil
}
