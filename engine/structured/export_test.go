package structured

// Document finds the document in an answer as Read does, before it becomes a value: with numbers as json.Number.
func (s *Schema) Document(answer string) (any, error) { return find(answer, s.wanted, s.validate) }

// Encode writes a document as compact JSON.
func Encode(document any) ([]byte, error) { return marshal(document) }
