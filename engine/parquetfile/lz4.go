package parquetfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/pierrec/lz4/v4"
)

// hadoopLZ4 is the codec that Parquet calls LZ4, without RAW: blocks as Hadoop writes them, each after its two lengths; from some writers,
// one bare block or a frame. The library only has the newer form.
type hadoopLZ4 struct{}

func init() { compress.RegisterCodec(compress.Codecs.Lz4, hadoopLZ4{}) }

var errLZ4 = errors.New("a page that is compressed with LZ4 is damaged")

// Decode decompresses a page into dst, which has its length.
func (c hadoopLZ4) Decode(dst, src []byte) []byte {
	result, err := c.DecodeWithError(dst, src)
	if err != nil {
		panic(err)
	}
	return result
}

// DecodeWithError decompresses a page into dst, which has its length.
func (hadoopLZ4) DecodeWithError(dst, src []byte) ([]byte, error) {
	if hadoopBlocks(dst, src) {
		return dst, nil
	}
	if bytes.HasPrefix(src, []byte{0x04, 0x22, 0x4d, 0x18}) {
		if _, err := io.ReadFull(lz4.NewReader(bytes.NewReader(src)), dst); err == nil {
			return dst, nil
		}
	}
	if length, err := lz4.UncompressBlock(src, dst); err != nil || length != len(dst) {
		return nil, errLZ4
	}
	return dst, nil
}

// hadoopBlocks decompresses blocks with their lengths; it fails where they aren't such.
func hadoopBlocks(dst, src []byte) bool {
	for len(src) > 8 {
		length, packed := binary.BigEndian.Uint32(src), binary.BigEndian.Uint32(src[4:])
		src = src[8:]
		if uint64(length) > uint64(len(dst)) || uint64(packed) > uint64(len(src)) {
			return false
		}
		if count, err := lz4.UncompressBlock(src[:packed], dst[:length]); err != nil || count != int(length) {
			return false
		}
		dst, src = dst[length:], src[packed:]
	}
	return len(dst) == 0 && len(src) == 0
}

// Encode is not supported: files are written with another codec.
func (hadoopLZ4) Encode([]byte, []byte) []byte { panic("LZ4 is only read") }

// EncodeLevel is not supported.
func (hadoopLZ4) EncodeLevel([]byte, []byte, int) []byte { panic("LZ4 is only read") }

// CompressBound is not supported.
func (hadoopLZ4) CompressBound(int64) int64 { panic("LZ4 is only read") }
