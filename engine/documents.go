package engine

import "seedloom.dev/seedloom/engine/seed"

// reportDocument says of a document of the seed that it was left out, and how much of one can't be seen.
func (p *prepared) reportDocument(result seed.DocumentResult) {
	switch {
	case result.Problem != "":
		p.config.Logger.Warn("a document of the seed is left out", "document", result.Name, "problem", result.Problem)
	case result.Hidden > 0:
		p.config.Logger.Info("a document of the seed has text that a reader can't see", "document", result.Name,
			"hiddenCharacters", result.Hidden, "chunks", result.Chunks)
	}
}
