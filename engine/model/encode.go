package model

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// Requests are written by hand, member by member into one slice: a request may carry megabytes of pictures, and is built for every cell.
// The slice holds an object that is still open, so that the extra members can follow.

const hexDigits = "0123456789abcdef"

// appendText appends a text as JSON, without the escapes of HTML, which would only cost tokens. Bytes that are no UTF-8 become U+FFFD.
func appendText(body []byte, text string) []byte {
	body = append(body, '"')
	start := 0
	for i := 0; i < len(text); {
		char := text[i]
		if char >= ' ' && char != '"' && char != '\\' && char < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if char >= utf8.RuneSelf {
			var decoded rune
			if decoded, size = utf8.DecodeRuneInString(text[i:]); decoded != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		body = append(append(body, text[start:i]...), escape(char)...)
		i += size
		start = i
	}
	return append(append(body, text[start:]...), '"')
}

func escape(char byte) string {
	switch char {
	case '"':
		return `\"`
	case '\\':
		return `\\`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	if char >= utf8.RuneSelf {
		return `\ufffd`
	}
	return string([]byte{'\\', 'u', '0', '0', hexDigits[char>>4], hexDigits[char&0xf]})
}

// readText reads a text that the decoder has found to be valid JSON. Most have nothing to unescape, and may be megabytes.
func readText(data []byte, into *string) error {
	if inner := data[1 : len(data)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		*into = string(inner)
		return nil
	}
	return json.Unmarshal(data, into)
}

// appendMember appends the name of a member of the object; its value is to follow.
func appendMember(body []byte, name string) []byte {
	if body[len(body)-1] != '{' {
		body = append(body, ',')
	}
	return append(append(append(body, '"'), name...), '"', ':')
}

func appendTextMember(body []byte, name, text string) []byte {
	return appendText(appendMember(body, name), text)
}

func appendIntMember(body []byte, name string, value int64) []byte {
	return strconv.AppendInt(appendMember(body, name), value, 10)
}

// appendItem prepares for the next item of a list.
func appendItem(body []byte) []byte {
	if body[len(body)-1] != '[' {
		body = append(body, ',')
	}
	return body
}
