package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// sealHead and sealEnd stand around the checksum that is the first member of a sealed document; the rest of the document follows, with its
// line feed.
const (
	sealHead = `{"checksum":"`
	sealEnd  = `",`
)

// seal encodes a document with a checksum, so that each bit of it that changes is noticed.
func seal(document any) ([]byte, error) {
	data, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	rest := fmt.Appendf(nil, "%s\n", data[1:])
	return fmt.Appendf(nil, "%s%s%s%s", sealHead, checksum(rest), sealEnd, rest), nil
}

// unseal decodes a sealed document. An error says that it is not as it was written.
func unseal(data []byte, document any) error {
	const restAt = len(sealHead) + 2*sha256.Size + len(sealEnd)
	if len(data) < restAt {
		return fmt.Errorf("it has only %d bytes", len(data))
	}
	rest := data[restAt:]
	if want := sealHead + checksum(rest) + sealEnd; string(data[:restAt]) != want {
		return fmt.Errorf("its checksum is wrong")
	}
	return json.NewDecoder(bytes.NewReader(data)).Decode(document)
}

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
