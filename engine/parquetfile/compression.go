package parquetfile

import (
	"sync"

	"github.com/klauspost/compress/zstd"
)

// window is how far back the encoder looks for what comes again. Pages are hardly larger, and an encoder needs not much more than so much
// memory.
const window = 1 << 20

// encoders keeps what compresses pages, which is large, for the next ones.
var encoders sync.Pool

// A page of smallPage bytes and more is tried: a part of it is compressed first, which is a quarter, and no more than largestPart. Where
// less than a tenth of that is saved, as of numbers that are drawn, the page stands as it is: what is left to save is not worth the time,
// also of readers.
const (
	smallPage   = 4 << 10
	largestPart = 8 << 10
)

// compressPage appends what a page is compressed to with Zstandard, at its fastest: the next level takes half as much time more for files
// that are hardly smaller. Where it may, it leaves the page as it is: pages of values say whether they are compressed, dictionaries don't.
func compressPage(to, page []byte, mayLeave bool) (written []byte, isCompressed bool, err error) {
	encoder, isEncoder := encoders.Get().(*zstd.Encoder)
	if !isEncoder {
		encoder, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithZeroFrames(true),
			zstd.WithEncoderCRC(false), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true),
			zstd.WithAllLitEntropyCompression(true)) // else nothing would be saved of texts in which nothing comes again, as of identifiers
		if err != nil {
			return nil, false, err
		}
	}
	defer encoders.Put(encoder)
	if part := min(len(page)/4, largestPart); mayLeave && len(page) >= smallPage {
		if tried := len(encoder.EncodeAll(page[:part], to)) - len(to); tried > part*9/10 {
			return append(to, page...), false, nil
		}
	}
	return encoder.EncodeAll(page, to), true, nil
}
