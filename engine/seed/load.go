package seed

import (
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
	"path"
	"slices"
	"strings"
	"syscall"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/seed/files"
	"seedloom.dev/seedloom/engine/seed/remote"
	"seedloom.dev/seedloom/internal/clip"
)

// Options say what of a seed is wanted.
type Options struct {
	// Directory is where a ConfigMap or a volume is mounted.
	Directory string
	// Remote opens where the files of other sources are; it is not called for a ConfigMap, a volume or a web server.
	Remote func(ctx context.Context) (Folder, error)
	// Client downloads; it is not used for other sources.
	Client *http.Client
	// Header returns the value of the header of the source with an index, where it comes from a Secret. It may be nil where none does.
	Header func(index int) string
	// Rows is how many rows of the dataset are asked for at most, from the first on; 0 is any number. Of a seed in its order no more is read.
	Rows int64
	// Few says that the rows are for a look only: no more documents are read than they need. Else all of them are, so that a run and its
	// extension see the same.
	Few bool
	// Document is told of each document, or recorded session of an agent, that was read or left out; nil for nobody.
	Document func(DocumentResult)
}

// Folder is where files of a seed are: below a folder of the system, or elsewhere. Several goroutines may use it.
type Folder interface {
	// List returns the files that any of some patterns names, as files.Folder does.
	List(ctx context.Context, patterns ...string) ([]files.File, error)
	// Open opens a file that was listed. The size is that of the file now.
	Open(name string) (content files.Content, size int64, err error)
	Close() error
}

// file is a source whose bytes are at hand.
type file struct {
	io.ReaderAt
	size int64
	name string
	// release closes what the bytes come from.
	release func() error
	// sum is the SHA-256 of its bytes, and version says in words which ones they are, where they have come over the network.
	sum, version string
}

// Load opens the seed of a spec, and reads as much of it as is wanted to know its columns and where its rows are. Its errors are
// failure.Error.
func Load(ctx context.Context, spec *v1alpha1.Seed, options Options) (*Dataset, error) {
	if spec.Files != nil {
		return loadListing(ctx, spec, options)
	}
	if spec.Documents != nil {
		return loadDocuments(ctx, spec, options)
	}
	if spec.AgentRollouts != nil {
		return loadRollouts(ctx, spec, options)
	}
	source, opened, err := open(ctx, spec, options)
	if err != nil {
		return nil, classify(ctx, source, err)
	}
	format, err := opened.format(spec.Format)
	if err != nil {
		_ = opened.close() // was only read
		return nil, invalid(source, err)
	}
	dataset, err := opened.load(ctx, spec, format, wanted(spec, options.Rows))
	if err != nil {
		_ = opened.close() // was only read
		if isRemote(err) || ctx.Err() != nil {
			return nil, classify(ctx, source, err)
		}
		return nil, invalid(source, fmt.Errorf("as %s, %w", format, err))
	}
	return dataset, nil
}

// source is where rows come from: a file, or several that follow each other.
type source interface {
	// format is the format that was asked for, or that names tell.
	format(asked v1alpha1.SeedFormat) (v1alpha1.SeedFormat, error)
	// load reads the columns and the places of the rows. The dataset owns the source.
	load(ctx context.Context, spec *v1alpha1.Seed, format v1alpha1.SeedFormat, limits limits) (*Dataset, error)
	close() error
}

// open returns a source as messages name it, and its bytes.
func open(ctx context.Context, spec *v1alpha1.Seed, options Options) (name string, opened source, err error) {
	switch {
	case spec.ConfigMap != nil:
		name = fmt.Sprintf("%q of ConfigMap %q", spec.ConfigMap.Key, spec.ConfigMap.Name)
		opened, err = openFiles(ctx, openDirectory(options.Directory), spec.ConfigMap.Key)
	case spec.HTTP != nil:
		address, problem := url.Parse(spec.HTTP.URL)
		if problem != nil {
			return "of spec.seed.http", nil, errors.New("its URL is not valid")
		}
		// A query may hold a key.
		name = "at " + (&url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}).String()
		opened, err = download(ctx, options.Client, spec.HTTP, options.Header, address.Path)
	default:
		found := severalOf(spec, options)
		if found == nil {
			return "", nil, errors.New("spec.seed has no source")
		}
		name = found.name
		opened, err = openFiles(ctx, found.open, found.patterns...)
	}
	return name, opened, err
}

// filePlace is where files of a seed are.
type filePlace struct {
	// name is what messages call the files.
	name string
	// patterns name the files; without any, the place tells which they are.
	patterns []string
	open     func(ctx context.Context) (Folder, error)
}

// severalOf is the place of a source that may be several files; nil for another one.
func severalOf(spec *v1alpha1.Seed, options Options) *filePlace {
	switch {
	case spec.PersistentVolumeClaim != nil:
		volume := spec.PersistentVolumeClaim
		name := fmt.Sprintf("%q on claim %q", clip.Text(strings.Join(volume.Patterns(), ", "), maxShownPaths), volume.ClaimName)
		return &filePlace{name, volume.Patterns(), openDirectory(options.Directory)}
	case spec.ObjectStore != nil:
		_, pattern := spec.ObjectStore.Bucket()
		return &filePlace{clip.Text(spec.ObjectStore.URL, maxShownPaths), []string{pattern}, options.Remote}
	case spec.HuggingFace != nil:
		return &filePlace{repositoryName(spec.HuggingFace), spec.HuggingFace.Paths, options.Remote}
	}
	return nil
}

// keepRowsOfFolder returns a dataset with the rows that a function makes of the files in a folder, which is closed after that.
func keepRowsOfFolder(
	ctx context.Context, from *filePlace, fill func(folder Folder, dataset *Dataset, encode *encoder) error,
) (*Dataset, error) {
	folder, err := from.open(ctx)
	if err != nil {
		return nil, classify(ctx, from.name, err)
	}
	defer func() { _ = folder.Close() }() // was only read
	return keepRows(ctx, from.name, func(dataset *Dataset, encode *encoder) error { return fill(folder, dataset, encode) })
}

// keepRows returns a dataset with the rows that a function makes and keeps. The name is what messages call the source.
func keepRows(ctx context.Context, name string, fill func(dataset *Dataset, encode *encoder) error) (*Dataset, error) {
	kept := &spool{}
	dataset := &Dataset{at: kept, close: kept.Close}
	err := fill(dataset, &encoder{to: kept})
	if err == nil {
		return dataset, nil
	}
	_ = kept.Close() // what it holds is of no use any more
	var failed *failure.Error
	if errors.As(err, &failed) {
		return nil, failed
	}
	return nil, classify(ctx, name, err)
}

// repositoryName is what messages call a repository of a hub, as the programs of hubs do.
func repositoryName(spec *v1alpha1.HuggingFaceSeed) string {
	name := "hf://datasets/" + spec.Repository
	if spec.Revision != "" {
		name += "@" + spec.Revision
	}
	return name
}

// openDirectory opens a folder of the system.
func openDirectory(directory string) func(context.Context) (Folder, error) {
	return func(context.Context) (Folder, error) {
		folder, err := files.Open(directory)
		if err != nil {
			return nil, err
		}
		return folder, nil
	}
}

// maxShownPaths is how much is shown of the paths of a seed.
const maxShownPaths = 200

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
	isInOrder := spec.Order != v1alpha1.SeedShuffled && !partitioned && len(spec.SampleRows) == 0
	if isInOrder && rows > 0 && (result.count < 0 || rows < result.count) {
		result.count = rows
	}
	return result
}

// classify turns what reading has met into a failure; starting again may help against a server or a volume that does not answer.
func classify(ctx context.Context, source string, err error) error {
	var status statusError
	var number syscall.Errno
	var none *files.NoneError
	var elsewhere *remote.Error
	switch {
	case ctx.Err() != nil:
		return failure.Of(ctx.Err())
	case errors.Is(err, errServer), errors.As(err, &elsewhere) && elsewhere.MayPass:
		return unreachable(source, err)
	case elsewhere != nil:
		return invalid(source, err)
	case errors.Is(err, errOtherVersion), errors.Is(err, remote.ErrChanged):
		return failure.New(v1alpha1.ReasonSeedChanged, failure.EndRun, "the seed %s can't be used: %v", source, err)
	case errors.As(err, &none) && (none.IsFolder || files.IsPattern(none.Pattern)):
		return invalid(source, none)
	case errors.Is(err, fs.ErrNotExist):
		return invalid(source, errors.New("there is no such file; check the name"))
	case errors.Is(err, fs.ErrPermission):
		return invalid(source, fmt.Errorf("user 65532 may not read it; change its mode (%w)", err))
	case errors.As(err, &status) && !status.mayPass():
		return invalid(source, fmt.Errorf("%w; check spec.seed.http.url", err))
	case errors.As(err, &status), errors.As(err, &number):
		return unreachable(source, err)
	}
	return invalid(source, err)
}

// isRemote says whether an error is of a place where files are fetched from, and not of what is in them.
func isRemote(err error) bool {
	var elsewhere *remote.Error
	return errors.As(err, &elsewhere) || errors.Is(err, remote.ErrChanged)
}

// openFiles opens the files of a folder that patterns name, and nothing outside of it.
func openFiles(ctx context.Context, open func(context.Context) (Folder, error), patterns ...string) (source, error) {
	folder, err := open(ctx)
	if err != nil {
		return nil, err
	}
	list, err := folder.List(ctx, patterns...)
	if err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	if list = withoutMarks(list, patterns); len(list) > 1 {
		return join(folder, list), nil
	}
	content, size, err := folder.Open(list[0].Path)
	if err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	opened := &file{
		ReaderAt: content, size: size, name: list[0].Path, release: func() error { return errors.Join(content.Close(), folder.Close()) },
	}
	if version := list[0].Version; version != "" {
		opened.sum, opened.version = version, fmt.Sprintf("%d bytes, version %s", size, clip.Text(version, maxValidator))
	}
	return opened, nil
}

// withoutMarks leaves out files such as _SUCCESS, which programs that write folders leave there, unless they are all there is, or are
// named, by patterns or where there are none.
func withoutMarks(list []files.File, patterns []string) []files.File {
	if len(patterns) == 0 {
		return list
	}
	isMark := func(file files.File) bool {
		return strings.HasPrefix(path.Base(file.Path), "_") && !slices.Contains(patterns, file.Path)
	}
	if data := slices.DeleteFunc(slices.Clone(list), isMark); len(data) > 0 {
		return data
	}
	return list
}

func (f *file) format(asked v1alpha1.SeedFormat) (v1alpha1.SeedFormat, error) {
	return formatOf(asked, path.Base(f.name))
}

func (f *file) close() error { return f.release() }

func (f *file) load(ctx context.Context, spec *v1alpha1.Seed, format v1alpha1.SeedFormat, limits limits) (*Dataset, error) {
	digest, err := f.identity(wholeSize, samples)
	if err != nil {
		return nil, err
	}
	dataset := &Dataset{at: f, close: f.close, version: f.version}
	into := dataset.scanner(spec, format, limits)
	err = scanFile(ctx, into, format, f, target{keep: func() (*spool, int64) {
		kept := &spool{}
		dataset.at, dataset.close = kept, func() error { return errors.Join(kept.Close(), f.close()) }
		return kept, 0
	}})
	if err == nil {
		err = dataset.complete(into, spec, digest, limits)
	}
	return dataset.orNone(err)
}

// orNone is the dataset, or none and the error that reading its files has met.
func (d *Dataset) orNone(err error) (*Dataset, error) {
	if err == nil {
		return d, nil
	}
	if spooled, isSpool := d.at.(*spool); isSpool {
		_ = spooled.Close() // what it holds is of no use any more
	}
	return nil, err
}

// complete settles what is known once all files were read.
func (d *Dataset) complete(into scanner, spec *v1alpha1.Seed, digest string, limits limits) error {
	if err := into.finish(); err != nil {
		return err
	}
	if kept, buffers := d.at.(interface{ flush() error }); buffers {
		if err := kept.flush(); err != nil {
			return err
		}
	}
	if d.index.count == 0 && limits.offset > 0 {
		return fmt.Errorf("it has no rows after the first %d, which spec.seed.selection.offset passes over", limits.offset)
	}
	return d.finish(spec, digest)
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

// identity tells a file from one with other content. Files up to a size are hashed whole, of larger ones some samples are.
func (f *file) identity(whole, samples int64) (string, error) {
	if f.sum != "" && f.size > whole {
		return f.sum, nil
	}
	sum := sha256.New()
	_ = binary.Write(sum, binary.LittleEndian, f.size) // a hash takes all
	hash := func(offset, length int64) error {
		_, err := io.Copy(sum, io.NewSectionReader(f, offset, length))
		return err
	}
	if f.size <= whole {
		err := hash(0, f.size)
		return hex.EncodeToString(sum.Sum(nil)), err
	}
	distance := (f.size - sampleSize) / (samples - 1)
	for number := range samples {
		if err := hash(number*distance, sampleSize); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
