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

// compressPage appends what a page is compressed to with Zstandard, at its fastest: the next level takes half as much time more for files
// that are hardly smaller.
func compressPage(to, page []byte) ([]byte, error) {
	encoder, isEncoder := encoders.Get().(*zstd.Encoder)
	if !isEncoder {
		var err error
		encoder, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithZeroFrames(true),
			zstd.WithEncoderCRC(false), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return nil, err
		}
	}
	defer encoders.Put(encoder)
	return encoder.EncodeAll(page, to), nil
}
