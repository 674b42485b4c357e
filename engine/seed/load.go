package seed

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"syscall"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
)

// Options say what of a seed is wanted.
type Options struct {
	// Directory is where a ConfigMap or a volume is mounted.
	Directory string
	// Client downloads; it is not used for other sources.
	Client *http.Client
	// Header returns the value of the header of the source with an index, where it comes from a Secret. It may be nil where none does.
	Header func(index int) string
	// Rows is how many rows of the dataset are asked for at most, from the first on; 0 is any number. Of a seed in its order no more is read.
	Rows int64
	// Few says that the rows are for a look only: no more documents are read than they need. Else all of them are, so that a run and its
	// extension see the same.
	Few bool
	// Document is told of each document that was read or left out; nil for nobody.
	Document func(DocumentResult)
}

// file is a source whose bytes are at hand.
type file struct {
	io.ReaderAt
	size  int64
	name  string
	close func() error
	// sum is the SHA-256 of its bytes, and version says in words which ones they are, where they have come over the network.
	sum, version string
}

// Load opens the seed of a spec, and reads as much of it as is wanted to know its columns and where its rows are. Its errors are
// failure.Error.
func Load(ctx context.Context, spec *v1alpha1.Seed, options Options) (*Dataset, error) {
	if spec.Documents != nil {
		return loadDocuments(ctx, spec, options)
	}
	source, opened, err := open(ctx, spec, options)
	if err != nil {
		return nil, classify(ctx, source, err)
	}
	format, err := formatOf(spec.Format, path.Base(opened.name))
	if err != nil {
		_ = opened.close() // was only read
		return nil, invalid(source, err)
	}
	dataset, err := scan(ctx, spec, format, opened, wanted(spec, options.Rows))
	if err != nil {
		_ = opened.close() // was only read
		if ctx.Err() != nil {
			return nil, failure.Of(ctx.Err())
		}
		return nil, invalid(source, fmt.Errorf("as %s, %w", format, err))
	}
	return dataset, nil
}

// open returns a source as messages name it, and its bytes.
func open(ctx context.Context, spec *v1alpha1.Seed, options Options) (source string, opened *file, err error) {
	switch {
	case spec.ConfigMap != nil:
		source = fmt.Sprintf("%q of ConfigMap %q", spec.ConfigMap.Key, spec.ConfigMap.Name)
		opened, err = openFile(options.Directory, spec.ConfigMap.Key)
	case spec.PersistentVolumeClaim != nil:
		source = fmt.Sprintf("%q on claim %q", spec.PersistentVolumeClaim.Path, spec.PersistentVolumeClaim.ClaimName)
		opened, err = openFile(options.Directory, spec.PersistentVolumeClaim.Path)
	case spec.HTTP != nil:
		address, problem := url.Parse(spec.HTTP.URL)
		if problem != nil {
			return "of spec.seed.http", nil, errors.New("its URL is not valid")
		}
		// A query may hold a key.
		source = "at " + (&url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}).String()
		opened, err = download(ctx, options.Client, spec.HTTP, options.Header, address.Path)
	default:
		err = errors.New("spec.seed has no source")
	}
	return source, opened, err
}

// limits say which rows of the file are read.
type limits struct {
	// offset rows are passed over; then count rows are read, or all with a negative count.
	offset, count int64
}

func wanted(spec *v1alpha1.Seed, rows int64) limits {
	result := limits{count: -1}
	selection := spec.Selection
	if selection != nil {
		result.offset = selection.EffectiveOffset()
		if selection.Limit != nil {
			result.count = *selection.Limit
		}
	}
	partitioned := selection != nil && selection.Partition != nil
	if spec.Order != v1alpha1.SeedShuffled && !partitioned && rows > 0 && (result.count < 0 || rows < result.count) {
		result.count = rows
	}
	return result
}

// classify turns what reading has met into a failure; starting again may help against a server or a volume that does not answer.
func classify(ctx context.Context, source string, err error) error {
	var status statusError
	var number syscall.Errno
	switch {
	case ctx.Err() != nil:
		return failure.Of(ctx.Err())
	case errors.Is(err, errServer):
		return unreachable(source, err)
	case errors.Is(err, errOtherVersion):
		return failure.New(v1alpha1.ReasonSeedChanged, failure.EndRun, "the seed %s can't be used: %v", source, err)
	case errors.Is(err, fs.ErrNotExist):
		return invalid(source, errors.New("there is no such file; check the name"))
	case errors.Is(err, fs.ErrPermission):
		return invalid(source, errors.New("user 65532 may not read it; change its mode"))
	case errors.As(err, &status) && !status.mayPass():
		return invalid(source, fmt.Errorf("%w; check spec.seed.http.url", err))
	case errors.As(err, &status), errors.As(err, &number):
		return unreachable(source, err)
	}
	return invalid(source, err)
}

// openFile opens a file below a directory, and nothing outside of it.
func openFile(directory, name string) (opened *file, err error) {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	// Looking first keeps from waiting for ever on what is not a file.
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a file; give the path of one")
	}
	content, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	return &file{ReaderAt: content, size: info.Size(), name: name, close: content.Close}, nil
}

// scan reads the columns and the places of the rows. The dataset owns the file.
func scan(ctx context.Context, spec *v1alpha1.Seed, format v1alpha1.SeedFormat, opened *file, limits limits) (*Dataset, error) {
	beginning := make([]byte, min(opened.size, peeked))
	if _, err := opened.ReadAt(beginning, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := recognize(beginning, format); err != nil {
		return nil, err
	}
	digest, err := opened.identity()
	if err != nil {
		return nil, err
	}
	dataset := &Dataset{at: opened, close: opened.close, version: opened.version}
	if err := dataset.scan(ctx, spec, format, opened, limits); err != nil {
		if spooled, isSpool := dataset.at.(*spool); isSpool {
			_ = spooled.Close() // what it holds is of no use any more
		}
		return nil, err
	}
	if kept, isSpool := dataset.at.(*spool); isSpool {
		if err := kept.flush(); err != nil {
			return nil, errors.Join(err, kept.Close())
		}
	}
	if dataset.index.count == 0 && limits.offset > 0 {
		return nil, fmt.Errorf("it has no rows after the first %d, which spec.seed.selection.offset passes over", limits.offset)
	}
	if dataset.index.count == 0 {
		return nil, errNoRows
	}
	dataset.offsetRows = limits.offset
	if err := dataset.partition(spec.Selection); err != nil {
		return nil, err
	}
	kinds := sha256.Sum256(fmt.Append(nil, dataset.schema.Fields()))
	dataset.digest = digest + "-" + hex.EncodeToString(kinds[:8])
	return dataset, nil
}

func (d *Dataset) scan(ctx context.Context, spec *v1alpha1.Seed, format v1alpha1.SeedFormat, opened *file, limits limits) error {
	content := bufio.NewReaderSize(&cancelled{ctx, io.NewSectionReader(opened, 0, opened.size)}, peeked)
	unpacked, packed, err := decompressed(content)
	if err != nil {
		return err
	}
	if packed {
		peek, _ := unpacked.Peek(1024)
		if isCompressed(peek) {
			return errors.New("it is compressed twice; decompress it once, such as by gunzip, and give the result")
		}
		if err := recognize(peek, format); err != nil {
			return err
		}
	}
	if format == v1alpha1.SeedFormatParquet {
		if !packed {
			return d.scanParquet(ctx, spec, opened, opened.size, limits)
		}
		whole := &spool{}
		defer func() { _ = whole.Close() }() // is removed with what it holds
		if _, err := io.Copy(whole, unpacked); err != nil {
			return err
		}
		if err := whole.flush(); err != nil {
			return err
		}
		return d.scanParquet(ctx, spec, whole, whole.size, limits)
	}
	text, converted, skipped, err := asUTF8(unpacked)
	if err != nil {
		return err
	}
	base := skipped
	if packed || converted {
		// Rows are read from what the file becomes, which is kept.
		kept := &spool{}
		text, base = io.TeeReader(text, kept), 0
		d.at, d.close = kept, func() error { return errors.Join(kept.Close(), opened.close()) }
	}
	if format == v1alpha1.SeedFormatCSV {
		return d.scanCSV(spec, text, base, opened.name, limits)
	}
	return d.scanJSON(spec, text, base, format == v1alpha1.SeedFormatJSON, limits)
}

// cancelled ends reading when a context does.
type cancelled struct {
	ctx  context.Context
	from io.Reader
}

// Read reads on.
func (c *cancelled) Read(to []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.from.Read(to)
}

// Files up to wholeSize are hashed whole. Of larger ones, their size, their beginning and end and samples between are, since a few rows may
// be all that is wanted of them.
const (
	wholeSize  = 16 << 20
	samples    = 64
	sampleSize = 64 << 10
)

// identity tells a file from one with other content.
func (f *file) identity() (string, error) {
	if f.sum != "" && f.size > wholeSize {
		return f.sum, nil
	}
	sum := sha256.New()
	_ = binary.Write(sum, binary.LittleEndian, f.size) // a hash takes all
	hash := func(offset, length int64) error {
		_, err := io.Copy(sum, io.NewSectionReader(f, offset, length))
		return err
	}
	if f.size <= wholeSize {
		err := hash(0, f.size)
		return hex.EncodeToString(sum.Sum(nil)), err
	}
	distance := (f.size - sampleSize) / (samples - 1)
	for number := range int64(samples) {
		if err := hash(number*distance, sampleSize); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
