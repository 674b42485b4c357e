package chunk

import (
	"slices"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/tiktoken-go/tokenizer/codec"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// units are what a text is measured by.
type units interface {
	// forward is the place so many units after another, or the end of the text.
	forward(from, count int) int
	// back is the place so many units before another, or its beginning.
	back(from, count int) int
}

func unitsOf(by v1alpha1.ChunkUnit, text string) units {
	switch by {
	case v1alpha1.ChunkByCharacters:
		return characters(text)
	case v1alpha1.ChunkBySentences:
		return ends(sentences(text))
	}
	return ends(tokens(text))
}

// characters measures by code points.
type characters string

func (c characters) forward(from, count int) int {
	for ; count > 0 && from < len(c); count-- {
		_, size := utf8.DecodeRuneInString(string(c[from:]))
		from += size
	}
	return from
}

func (c characters) back(from, count int) int {
	for ; count > 0 && from > 0; count-- {
		_, size := utf8.DecodeLastRuneInString(string(c[:from]))
		from -= size
	}
	return from
}

// ends measures by units that end at some places, the last of which is the end of the text.
type ends []int32

func (e ends) forward(from, count int) int {
	at, _ := slices.BinarySearch(e, int32(from+1))
	return int(e[min(at+count-1, len(e)-1)])
}

func (e ends) back(from, count int) int {
	at, found := slices.BinarySearch(e, int32(from))
	if !found {
		at--
	}
	if at < count {
		return 0
	}
	return int(e[at-count])
}

// sentences says where sentences end.
func sentences(text string) []int32 {
	var found []int32
	at, state := int32(0), -1
	for len(text) > 0 {
		var sentence string
		sentence, text, state = uniseg.FirstSentenceInString(text, state)
		at += int32(len(sentence))
		found = append(found, at)
	}
	return found
}

// tokens says where tokens end. A character that is several tokens ends with the last of them.
func tokens(text string) []int32 {
	vocabulary := codec.NewCl100kBase()
	var found []int32
	at := 0
	for start := 0; start < len(text); {
		end := pieceEnd(text, start)
		_, parts, err := vocabulary.Encode(text[start:end])
		if err != nil {
			parts = []string{text[start:end]} // the expression has no limit of time that it could exceed
		}
		for _, part := range parts {
			at += len(part)
			if at == len(text) || utf8.RuneStart(text[at]) {
				found = append(found, int32(at))
			}
		}
		start, at = end, end
	}
	return found
}

// pieceSize is how much is looked up at once: lines up to it, so that tokens don't take much memory.
const pieceSize = 32 << 10

// pieceEnd is where a piece of a text ends: with a line, or with a character.
func pieceEnd(text string, start int) int {
	if len(text)-start <= pieceSize {
		return len(text)
	}
	end := start + pieceSize
	for at := end; at > start+pieceSize/2; at-- {
		if text[at-1] == '\n' && text[at] != '\n' {
			return at
		}
	}
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return end
}
