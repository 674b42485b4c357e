package seed

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var formats = map[string]v1alpha1.SeedFormat{
	".csv": v1alpha1.SeedFormatCSV, ".tsv": v1alpha1.SeedFormatCSV, ".tab": v1alpha1.SeedFormatCSV,
	".json":  v1alpha1.SeedFormatJSON,
	".jsonl": v1alpha1.SeedFormatJSONL, ".ndjson": v1alpha1.SeedFormatJSONL,
	".parquet": v1alpha1.SeedFormatParquet, ".pq": v1alpha1.SeedFormatParquet,
}

// ending is the ending that tells the format; that of a compression may follow it.
func ending(name string) string {
	name = strings.ToLower(name)
	for _, compressed := range []string{".gz", ".zst", ".bz2"} {
		name = strings.TrimSuffix(name, compressed)
	}
	return path.Ext(name)
}

// formatOf returns the format that was asked for, or that the ending of the name tells.
func formatOf(asked v1alpha1.SeedFormat, name string) (v1alpha1.SeedFormat, error) {
	if asked != "" {
		return asked, nil
	}
	if format, known := formats[ending(name)]; known {
		return format, nil
	}
	return "", fmt.Errorf("its format can't be told from the name %q, which does not end in .csv, .tsv, .json, .jsonl, .ndjson or .parquet "+
		"(also with .gz, .zst or .bz2); set spec.seed.format", name)
}

// peeked is how much of a file is looked at to see what it is.
const peeked = 64 << 10

// decompressed returns what a compressed text becomes, or the text itself; changed says that it is other bytes. Small windows only: a few
// bytes could ask for more memory than there is.
func decompressed(from *bufio.Reader) (result *bufio.Reader, changed bool, err error) {
	magic, _ := from.Peek(6)
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		reader, err := gzip.NewReader(from)
		if err != nil {
			return nil, true, fmt.Errorf("the gzip file is damaged: %w", err)
		}
		return bufio.NewReaderSize(named{reader, "gzip"}, peeked), true, nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		reader, err := zstd.NewReader(from, zstd.WithDecoderMaxWindow(32<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, true, fmt.Errorf("the zstd file is damaged: %w", err)
		}
		return bufio.NewReaderSize(named{reader, "zstd"}, peeked), true, nil
	case bytes.HasPrefix(magic, []byte("BZh")):
		return bufio.NewReaderSize(named{bzip2.NewReader(from), "bzip2"}, peeked), true, nil
	case bytes.HasPrefix(magic, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		return nil, true, errors.New("it is compressed with xz, which is not supported; compress it with gzip or zstd, or give it as it is")
	}
	return from, false, nil
}

// named says of a compression what went wrong.
type named struct {
	from io.Reader
	name string
}

// Read reads on.
func (n named) Read(to []byte) (int, error) {
	count, err := n.from.Read(to)
	switch {
	case err == nil, errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return count, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return count, fmt.Errorf("the %s file is cut off; copy or download it again", n.name)
	}
	return count, fmt.Errorf("the %s file is damaged: %w", n.name, err)
}

// asUTF8 returns a text in UTF-8 without its byte order mark; changed says that it is other bytes, skipped how many come before it.
func asUTF8(from *bufio.Reader) (result io.Reader, changed bool, skipped int64, err error) {
	beginning, _ := from.Peek(4)
	switch {
	case bytes.HasPrefix(beginning, []byte("\xef\xbb\xbf")):
		_, err := from.Discard(3)
		return from, false, 3, err
	case bytes.HasPrefix(beginning, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(beginning, []byte{0, 0, 0xfe, 0xff}):
		return nil, true, 0, errors.New("it is text in UTF-32; convert the file to UTF-8: iconv -f UTF-32 -t UTF-8")
	case bytes.HasPrefix(beginning, []byte{0xff, 0xfe}), bytes.HasPrefix(beginning, []byte{0xfe, 0xff}):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(from), true, 0, nil
	}
	return from, false, 0, nil
}

// isPacked says whether what begins so is compressed, or text in UTF-16 that says so.
func isPacked(beginning []byte) bool {
	return isCompressed(beginning) || beginsWith(beginning, []byte{0xff, 0xfe}, []byte{0xfe, 0xff}, []byte{0, 0, 0xfe, 0xff})
}

// isCompressed says whether what begins so is compressed.
func isCompressed(beginning []byte) bool {
	return beginsWith(beginning, []byte{0x1f, 0x8b}, []byte{0x28, 0xb5, 0x2f, 0xfd}, []byte("BZh"), []byte{0xfd, '7', 'z', 'X', 'Z', 0})
}

func beginsWith(beginning []byte, magics ...[]byte) bool {
	return slices.ContainsFunc(magics, func(magic []byte) bool { return bytes.HasPrefix(beginning, magic) })
}

// recognize says of the beginning of a file what it is, where that is none of what its format can be.
func recognize(beginning []byte, format v1alpha1.SeedFormat) error {
	start := bytes.ToLower(bytes.TrimLeft(beginning[:min(len(beginning), 1024)], " \t\r\n"))
	switch {
	case bytes.HasPrefix(start, []byte("version https://git-lfs.github.com/spec/")):
		return errors.New("it is a pointer of Git LFS, not the data; fetch the data (git lfs pull), or use an address that leads to it")
	case bytes.HasPrefix(start, []byte("<!doctype html")), bytes.HasPrefix(start, []byte("<html")):
		return errors.New("it is a web page, not data: perhaps a page to log in, or a view of the file; " +
			"use an address that leads to the data itself")
	case bytes.HasPrefix(start, []byte("<?xml")):
		return errors.New("it is XML, perhaps a server's message of an error; use an address that leads to the data itself")
	case bytes.HasPrefix(beginning, []byte("PK\x03\x04")):
		return errors.New("it is a ZIP archive or a spreadsheet; give one file in CSV, JSON, JSON Lines or Parquet")
	case format == v1alpha1.SeedFormatParquet:
		return nil // whose reader says more
	case bytes.HasPrefix(beginning, []byte("PAR1")):
		return errors.New("it is Parquet; set spec.seed.format to Parquet")
	case bytes.HasPrefix(beginning, []byte("ARROW1")):
		return errors.New("it is Arrow or Feather, which is not supported; give it as Parquet")
	case len(beginning) >= 4 && !isPacked(beginning) && bytes.Count(beginning, []byte{0}) > len(beginning)/4:
		return errors.New("many of its bytes are zero: it is text in UTF-16 without a byte order mark, or no text; convert the file to UTF-8")
	case format == v1alpha1.SeedFormatCSV && bytes.HasPrefix(start, []byte(`{"`)):
		return errors.New("it looks like JSON; set spec.seed.format to JSONL or JSON")
	}
	return nil
}
