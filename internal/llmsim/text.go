package llmsim

var (
	adjectives = []string{"quiet", "bright", "curious", "patient", "distant", "gentle", "sturdy", "careful", "wooden", "early", "golden",
		"hidden", "modern", "narrow", "polite", "rapid", "silent", "tender", "useful", "vivid"}
	nouns = []string{"river", "lantern", "harbor", "teacher", "garden", "letter", "engine", "mountain", "painter", "market", "bridge",
		"sailor", "window", "village", "journey", "library", "orchard", "signal", "theatre", "kitchen", "answer", "question", "morning", "story"}
	verbs = []string{"follows", "remembers", "describes", "repairs", "welcomes", "explains", "carries", "changes", "finds", "measures",
		"observes", "paints", "protects", "reveals", "supports", "teaches"}
	places = []string{"near the harbor", "in the valley", "after the rain", "before sunrise", "across the border", "under the old roof",
		"along the coast", "at the edge of town", "during the winter", "without a sound"}
	openings = []string{"In the end", "At first", "As a rule", "Every now and then", "To be fair", "Later that year", "By all accounts",
		"Even so"}
)

// appendText appends readable English of at most maxTokens tokens; most texts have between half of them and all.
func appendText(buffer []byte, draws *random, maxTokens int) []byte {
	limit := maxTokens * bytesPerToken
	target := limit/2 + draws.below(limit/2+1)
	start := len(buffer)
	for {
		end := len(buffer)
		if end > start {
			buffer = append(buffer, ' ')
		}
		buffer = appendSentence(buffer, draws)
		switch length := len(buffer) - start; {
		case length > limit && end > start:
			return buffer[:end]
		case length > limit:
			return cutAtWord(buffer, start, limit)
		case length >= target:
			return buffer
		}
	}
}

func appendSentence(buffer []byte, draws *random) []byte {
	pick := func(words []string) { buffer = append(buffer, words[draws.below(len(words))]...) }
	if draws.below(4) == 0 {
		pick(openings)
		buffer = append(buffer, ", the "...)
	} else {
		buffer = append(buffer, "The "...)
	}
	pick(adjectives)
	buffer = append(buffer, ' ')
	pick(nouns)
	buffer = append(buffer, ' ')
	pick(verbs)
	buffer = append(buffer, " the "...)
	if draws.below(2) == 0 {
		pick(adjectives)
		buffer = append(buffer, ' ')
	}
	pick(nouns)
	if draws.below(2) == 0 {
		buffer = append(buffer, ' ')
		pick(places)
	}
	return append(buffer, '.')
}

// cutAtWord shortens the text to whole words where there is room for one.
func cutAtWord(buffer []byte, start, limit int) []byte {
	for end := start + limit; end > start; end-- {
		if buffer[end] == ' ' {
			return buffer[:end]
		}
	}
	return buffer[:start+limit]
}

const hexDigits = "0123456789abcdef"

// appendJSONString appends text as a JSON string. The text is valid UTF-8, as every text that was decoded from JSON is.
func appendJSONString(buffer []byte, text string) []byte {
	buffer = append(buffer, '"')
	start := 0
	for index := 0; index < len(text); index++ {
		c := text[index]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		buffer = append(buffer, text[start:index]...)
		start = index + 1
		switch c {
		case '"', '\\':
			buffer = append(buffer, '\\', c)
		case '\n':
			buffer = append(buffer, '\\', 'n')
		default:
			buffer = append(buffer, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	buffer = append(buffer, text[start:]...)
	return append(buffer, '"')
}

func appendHex(buffer []byte, value uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		buffer = append(buffer, hexDigits[value>>shift&15])
	}
	return buffer
}
