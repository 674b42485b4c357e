package s3

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

// The files of a Secret with credentials: the names of the variables that every program of this kind reads. The token is that of temporary
// credentials, and may be missing.
const (
	AccessKeyFile    = "AWS_ACCESS_KEY_ID"
	SecretKeyFile    = "AWS_SECRET_ACCESS_KEY"
	SessionTokenFile = "AWS_SESSION_TOKEN"
)

const (
	// defaultTimeout is how long a try may take, beside a second for each slowestRate bytes.
	defaultTimeout = 20 * time.Second
	slowestRate    = 512 << 10
	// defaultPatience is how long a request is tried again. Whoever commits a row group tries that again too.
	defaultPatience = 45 * time.Second
	// firstPause and longestPause bound the time between two tries, of which a random part is waited.
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
	// defaultRegion is that of stores that have none: their signatures need some name.
	defaultRegion = "us-east-1"
	// credentialsAge is how long what was read of a Secret is used: the kubelet replaces its files when it changes.
	credentialsAge = time.Minute
)

// client sends requests, until they are answered.
type client struct {
	location          *Location
	api               *awss3.Client
	bucket            string
	timeout, patience time.Duration
	partBytes         int
	// endpoint is empty where the store is Amazon's.
	endpoint    string
	credentials aws.CredentialsProvider
	// server is what the store calls itself in its answers.
	server atomic.Pointer[string]
	// life ends with close.
	life  context.Context
	close func()
}

func newClient(ctx context.Context, location *Location) (*client, error) {
	c := &client{
		location: location, bucket: location.Bucket, timeout: cmp.Or(location.Timeout, defaultTimeout),
		patience: cmp.Or(location.Patience, defaultPatience), partBytes: cmp.Or(location.PartBytes, defaultPartBytes),
	}
	options := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithLogger(logging.Nop{}),
		config.WithDefaultRegion(defaultRegion),
	}
	if location.Region != "" {
		options = append(options, config.WithRegion(location.Region))
	}
	if location.CredentialsDirectory != "" {
		options = append(options, config.WithCredentialsProvider(fromFiles(location.CredentialsDirectory)))
	}
	settings, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("the settings of the object store can't be read: %w", err)
	}
	transport, err := location.transport(settings.HTTPClient)
	if err != nil {
		return nil, err
	}
	c.credentials = settings.Credentials
	c.api = awss3.NewFromConfig(settings, func(options *awss3.Options) {
		options.Credentials = found{settings.Credentials}
		options.HTTPClient = &http.Client{Transport: &watched{transport, &c.server}}
		if location.Endpoint != "" {
			options.BaseEndpoint = aws.String(location.Endpoint)
		}
		if c.endpoint = aws.ToString(options.BaseEndpoint); c.endpoint != "" { // the environment may have it too
			options.UsePathStyle = !location.VirtualHosted
		}
		// Many stores don't know the newer checksums; what matters has one of its own.
		options.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		options.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	c.life, c.close = life, func() {
		end()
		if idle, is := transport.(interface{ CloseIdleConnections() }); is {
			idle.CloseIdleConnections()
		}
	}
	return c, nil
}

// transport is what carries the requests. Without certificates of its own it takes those that the environment has for such programs.
func (l *Location) transport(environment aws.HTTPClient) (http.RoundTripper, error) {
	base, plain := http.DefaultTransport.(*http.Transport)
	if l.Transport != nil {
		base, plain = l.Transport.(*http.Transport)
	}
	if !plain {
		return l.Transport, nil
	}
	base = base.Clone()
	base.MaxIdleConnsPerHost = 2 * callsAtOnce
	if len(l.CABundle) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(l.CABundle) {
			return nil, errors.New("the CA bundle of the object store has no certificate in PEM")
		}
		base.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	} else if built, is := environment.(*awshttp.BuildableClient); is {
		base.TLSClientConfig = built.GetTransport().TLSClientConfig.Clone()
	}
	return base, nil
}

// watched notes what servers call themselves.
type watched struct {
	http.RoundTripper
	server *atomic.Pointer[string]
}

// RoundTrip implements http.RoundTripper.
func (w *watched) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := w.RoundTripper.RoundTrip(request)
	if err == nil {
		if name := response.Header.Get("Server"); name != "" && len(name) < 100 {
			w.server.Store(&name)
		}
	}
	return response, err
}

// found says of credentials that there are none, where that is so.
type found struct{ aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (f found) Retrieve(ctx context.Context) (aws.Credentials, error) {
	credentials, err := f.CredentialsProvider.Retrieve(ctx)
	var known *credentialsError
	if err == nil || errors.As(err, &known) {
		return credentials, err
	}
	return credentials, &credentialsError{fmt.Errorf("no credentials for the object store were found: %w", root(err))}
}

// fromFiles reads the credentials of a Secret, again and again.
func fromFiles(directory string) aws.CredentialsProvider {
	return aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		content := func(name string) string {
			data, err := os.ReadFile(filepath.Join(directory, name))
			if err != nil {
				return ""
			}
			return strings.TrimSpace(string(data))
		}
		read := aws.Credentials{
			AccessKeyID: content(AccessKeyFile), SecretAccessKey: content(SecretKeyFile), SessionToken: content(SessionTokenFile),
			Source: "Secret", CanExpire: true, Expires: time.Now().Add(credentialsAge),
		}
		if read.AccessKeyID == "" || read.SecretAccessKey == "" {
			missing := fmt.Errorf("the Secret with the credentials must have %s and %s", AccessKeyFile, SecretKeyFile)
			return aws.Credentials{}, &credentialsError{missing}
		}
		return read, nil
	}))
}

// try sends a request again until it is answered. It says whether a try before the last one may have been done, though its answer was lost.
// The context of a try ends when it has taken too long for the bytes that it sends.
func (c *client) try(bytes int, request func(ctx context.Context) error) (repeated bool, err error) {
	end := time.Now().Add(c.patience)
	timeout := c.timeout + time.Duration(bytes)*time.Second/slowestRate
	renewed := false
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		ctx, cancel := context.WithTimeout(c.life, timeout)
		err = request(ctx)
		timedOut := ctx.Err() != nil && c.life.Err() == nil
		cancel()
		if err == nil {
			return repeated, nil
		}
		answer := c.answerOf(err, timedOut)
		if answer.expired && !renewed {
			renewed = c.renew()
			if renewed {
				continue
			}
		}
		wait := time.Duration(rand.Int64N(int64(pause))) + 1
		if !answer.mayPass || c.life.Err() != nil || time.Now().Add(wait).After(end) {
			return repeated, answer
		}
		repeated = repeated || answer.mayBeDone
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-c.life.Done():
			timer.Stop()
		}
	}
}

// renew has the credentials read again; it says whether that can be.
func (c *client) renew() bool {
	cache, is := c.credentials.(*aws.CredentialsCache)
	if is {
		cache.Invalidate()
	}
	return is
}

// name is what the store is called: by itself, and by its address.
func (c *client) name() string {
	address := "Amazon S3"
	if c.endpoint != "" {
		address = c.endpoint
	}
	if server := c.server.Load(); server != nil && c.endpoint != "" {
		address += fmt.Sprintf(" (it calls itself %q)", *server)
	}
	return address
}

// isNetwork says whether an error is of the way to the store: then nobody knows what was done.
func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network)
}
