package seed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"seedloom.dev/seedloom/engine/connection"
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
func download(ctx context.Context, client *http.Client, address, name string) (*file, error) {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		content := &spool{}
		err := fetch(ctx, client, address, content)
		if err == nil {
			err = content.flush()
		}
		if err == nil {
			return &file{ReaderAt: content, size: content.size, name: name, close: content.Close}, nil
		}
		_ = content.Close() // half of a file is of no use
		var status statusError
		if attempt == downloadAttempts || !errors.Is(err, errServer) && !errors.As(err, &status) || errors.As(err, &status) && !status.mayPass() {
			return nil, err
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

func fetch(ctx context.Context, client *http.Client, address string, to *spool) error {
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("its URL is not valid")
	}
	response, err := client.Do(request)
	if refused := (*connection.AddressRefusal)(nil); errors.As(err, &refused) {
		return fmt.Errorf("its URL %w", refused)
	}
	if refused := (*connection.EndpointRefusal)(nil); errors.As(err, &refused) {
		return refused
	}
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // without the address and its query
		}
		return fmt.Errorf("%w: %w", errServer, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return statusError(response.StatusCode)
	}
	body := &failing{from: response.Body}
	if _, err := io.Copy(to, body); err != nil && body.failed {
		return fmt.Errorf("%w: %w", errServer, err)
	} else if err != nil {
		return err
	}
	return nil
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
