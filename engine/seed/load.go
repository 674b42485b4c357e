package seed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"syscall"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
)

const (
	// downloadAttempts is how often a download is tried when it fails in a way that may pass.
	downloadAttempts = 5
	firstPause       = time.Second
	// downloadTimeout bounds one attempt as a whole.
	downloadTimeout = 10 * time.Minute
)

// Load reads the seed of a spec. directory is where a ConfigMap or a volume is mounted. Its errors are failure.Error.
func Load(ctx context.Context, spec *v1alpha1.Seed, directory string, client *http.Client) (*Dataset, error) {
	var source, name string
	var data []byte
	var err error
	switch {
	case spec.ConfigMap != nil:
		name = spec.ConfigMap.Key
		source = fmt.Sprintf("%q of ConfigMap %q", name, spec.ConfigMap.Name)
		data, err = readFile(directory, name)
	case spec.PersistentVolumeClaim != nil:
		name = spec.PersistentVolumeClaim.Path
		source = fmt.Sprintf("%q on claim %q", name, spec.PersistentVolumeClaim.ClaimName)
		data, err = readFile(directory, name)
	case spec.HTTP != nil:
		var address *url.URL
		if address, err = url.Parse(spec.HTTP.URL); err != nil {
			return nil, invalid("of spec.seed.http", errors.New("its URL is not valid"))
		}
		name = address.Path
		// A query may hold a key.
		source = "at " + (&url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}).String()
		data, err = download(ctx, client, spec.HTTP.URL)
	}
	if err != nil {
		return nil, classify(ctx, source, err)
	}
	format, err := formatOf(spec.Format, path.Base(name))
	if err != nil {
		return nil, invalid(source, err)
	}
	dataset, err := Parse(data, format)
	if err != nil {
		return nil, invalid(source, fmt.Errorf("as %s, %w", format, err))
	}
	return dataset, nil
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
	case errors.Is(err, fs.ErrNotExist):
		return invalid(source, errors.New("there is no such file; check the name"))
	case errors.Is(err, fs.ErrPermission):
		return invalid(source, errors.New("user 65532 may not read it; change its mode"))
	case errors.Is(err, errTooLarge):
		return invalid(source, err)
	case errors.As(err, &status) && !status.mayPass():
		return invalid(source, fmt.Errorf("%w; check spec.seed.http.url", err))
	case errors.As(err, &status), errors.As(err, &number):
		return unreachable(source, err)
	}
	return invalid(source, err)
}

// errServer marks what went wrong between the server and here.
var errServer = errors.New("the download failed")

var errTooLarge = fmt.Errorf("it has more than %d MiB", maxBytes>>20)

// readFile reads a file below a directory, and nothing outside of it.
func readFile(directory, name string) (data []byte, err error) {
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
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // is only read
	return readLimited(file)
}

func readLimited(from io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxBytes {
		return nil, errTooLarge
	}
	return data, nil
}

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
func download(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		data, err := fetch(ctx, client, address)
		var status statusError
		var refused *connection.AddressRefusal
		if errors.As(err, &refused) {
			return nil, err
		}
		if err == nil || attempt == downloadAttempts || errors.Is(err, errTooLarge) || errors.As(err, &status) && !status.mayPass() {
			return data, err
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

func fetch(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("its URL is not valid")
	}
	response, err := client.Do(request)
	if refused := (*connection.AddressRefusal)(nil); errors.As(err, &refused) {
		return nil, fmt.Errorf("its URL %w", refused)
	}
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // without the address and its query
		}
		return nil, fmt.Errorf("%w: %w", errServer, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, statusError(response.StatusCode)
	}
	data, err := readLimited(response.Body)
	if err != nil && !errors.Is(err, errTooLarge) {
		return nil, fmt.Errorf("%w: %w", errServer, err)
	}
	return data, err
}
