package document

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

// readText reads a plain text.
func readText(data []byte) (string, error) {
	text, err := asUTF8(data)
	return clean(text), err
}

// asUTF8 returns a text in UTF-8 without its byte order mark.
func asUTF8(data []byte) (string, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
	case bytes.HasPrefix(data, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(data, []byte{0, 0, 0xfe, 0xff}):
		return "", problem("it is text in UTF-32: convert it to UTF-8 (iconv -f UTF-32 -t UTF-8)")
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		text, err := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(data)
		if err != nil {
			return "", problem("it is not text in UTF-16, as its first bytes say: %v", err)
		}
		data = text
	}
	if bytes.Count(data, []byte{0}) > len(data)/100 {
		return "", problem("it is no text: many of its bytes are zero")
	}
	for at := 0; at < len(data); {
		char, size := utf8.DecodeRune(data[at:])
		if char == utf8.RuneError && size == 1 {
			return "", problem("it is not text in UTF-8: byte %d is 0x%02x; convert it, such as with iconv -f WINDOWS-1252 -t UTF-8", at, data[at])
		}
		at += size
	}
	return string(data), nil
}
