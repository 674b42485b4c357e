package seed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/internal/clip"
)

const (
	// downloadAttempts is how often a download is tried when it fails in a way that may pass.
	downloadAttempts = 5
	firstPause       = time.Second
	// downloadTimeout bounds one attempt as a whole.
	downloadTimeout = 10 * time.Minute
)

// errServer marks what went wrong between the server and here.
var errServer = errors.New("the download failed")

// statusError is an answer with a status other than 200.
type statusError int

// Error says what the server answered.
func (e statusError) Error() string {
	return fmt.Sprintf("the server answered with HTTP %d %s", int(e), http.StatusText(int(e)))
}

func (e statusError) mayPass() bool {
	return e >= 500 || e == http.StatusTooManyRequests || e == http.StatusRequestTimeout
}

// download fetches a file, and tries again when that may help.
func download(
	ctx context.Context, client *http.Client, spec *v1alpha1.HTTPSeed, secret func(index int) string, name string,
) (source, error) {
	wanted, err := newRequest(spec, secret)
	if err != nil {
		return nil, err
	}
	pause := firstPause
	for attempt := 1; ; attempt++ {
		content := &spool{}
		opened, err := fetch(ctx, client, wanted, content)
		if err == nil {
			opened.name = name
			err = opened.checkSum(spec.SHA256)
		}
		if err == nil {
			return opened, nil
		}
		_ = content.Close() // half of a file is of no use
		var status statusError
		refused := errors.As(err, &status)
		if attempt == downloadAttempts || !errors.Is(err, errServer) && !refused || refused && !status.mayPass() {
			return nil, hiding{err, wanted}
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
		pause *= 2
	}
}

// fetch asks for a file once.
func fetch(ctx context.Context, client *http.Client, wanted *request, to *spool) (*file, error) {
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, wanted.address, nil)
	if err != nil {
		return nil, errors.New("its URL is not valid")
	}
	wanted.AddTo(request.Header)
	response, err := wanted.through(client).Do(request)
	if err != nil {
		return nil, notFetched(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, wanted.refused(response)
	}
	body, sum := &failing{from: response.Body}, sha256.New()
	if _, err := io.Copy(io.MultiWriter(to, sum), body); err != nil && body.failed {
		return nil, fmt.Errorf("%w: %w", errServer, err)
	} else if err != nil {
		return nil, err
	}
	if err := to.flush(); err != nil {
		return nil, err
	}
	return &file{
		ReaderAt: to, size: to.size, release: to.Close, sum: hex.EncodeToString(sum.Sum(nil)),
		version: wanted.Hide(version(to.size, response.Header)),
	}, nil
}

// notFetched is why there was no answer.
func notFetched(err error) error {
	if refused := (*connection.AddressRefusal)(nil); errors.As(err, &refused) {
		return fmt.Errorf("its URL %w", refused)
	}
	if refused := (*connection.EndpointRefusal)(nil); errors.As(err, &refused) {
		return refused
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the address and its query
	}
	return fmt.Errorf("%w: %w", errServer, err)
}

// maxValidator is how much is kept of what a server says to tell a file from another version of it.
const maxValidator = 100

// version says in words which version of a file a server has sent.
func version(size int64, header http.Header) string {
	text := fmt.Sprintf("%d bytes", size)
	for _, validator := range []struct{ header, words string }{{"ETag", ", ETag %s"}, {"Last-Modified", ", modified %s"}} {
		value := strings.ToValidUTF8(header.Get(validator.header), "?")
		if value != "" && !strings.ContainsFunc(value, unicode.IsControl) {
			text += fmt.Sprintf(validator.words, clip.Text(value, maxValidator))
		}
	}
	return text
}

// errOtherVersion marks that a file is not the one that was asked for.
var errOtherVersion = errors.New("it is another version of the file")

// checkSum refuses a file that has not the checksum that it must have.
func (f *file) checkSum(wanted string) error {
	if wanted == "" || f.sum == wanted {
		return nil
	}
	return fmt.Errorf("%w: its SHA-256 is %s, and spec.seed.http.sha256 says %s (it has %s); see what has changed, and correct the checksum "+
		"for a new run", errOtherVersion, f.sum, wanted, f.version)
}

// failing notes that reading has failed, and not what was written to.
type failing struct {
	from   io.Reader
	failed bool
}

// Read reads on.
func (f *failing) Read(to []byte) (int, error) {
	count, err := f.from.Read(to)
	f.failed = err != nil && !errors.Is(err, io.EOF)
	return count, err
}
