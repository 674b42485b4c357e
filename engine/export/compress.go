package export

import (
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// zstdWindow bounds the memory of each file that is open.
const zstdWindow = 1 << 20

// compressed returns what compresses into a writer. A file is one frame, since some readers stop after the first. Closing it leaves the
// writer open.
func compressed(options Options, to io.Writer) (io.WriteCloser, error) {
	switch {
	case options.Format == v1alpha1.ExportArrow || options.Compression == "":
		return unclosed{to}, nil
	case options.Compression == v1alpha1.ExportGzip:
		return gzip.NewWriter(to), nil
	case options.Compression == v1alpha1.ExportZstd:
		return zstd.NewWriter(to, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(zstdWindow))
	}
	return nil, fmt.Errorf("there is no compression %q; take None, Gzip or Zstd", options.Compression)
}

// unclosed is a writer that closing does nothing to.
type unclosed struct{ io.Writer }

// Close does nothing.
func (unclosed) Close() error { return nil }

// ending is what the names of files end in.
func ending(options Options) string {
	name := map[v1alpha1.ExportFormat]string{
		v1alpha1.ExportJSONL: ".jsonl", v1alpha1.ExportCSV: ".csv", v1alpha1.ExportArrow: ".arrow",
	}[options.Format]
	switch {
	case options.Format == v1alpha1.ExportArrow:
		return name
	case options.Compression == v1alpha1.ExportGzip:
		return name + ".gz"
	case options.Compression == v1alpha1.ExportZstd:
		return name + ".zst"
	}
	return name
}
