package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"syscall"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/store/objects"
)

// errRefused says that the condition of a request did not hold.
var errRefused = errors.New("its condition does not hold")

// credentialsError says that there are no credentials.
type credentialsError struct{ error }

// cutOff is an answer of which not all came.
type cutOff struct{ error }

// Unwrap implements errors.
func (c *cutOff) Unwrap() error { return c.error }

// answer is what came of a request that has failed. It is an error without what the request has carried.
type answer struct {
	text, advice string
	// kind is what users of a volume tell apart; nil of the rest.
	kind error
	// mayPass says that another try may succeed, mayBeDone that this one may have been done all the same, and expired that the credentials
	// were valid once.
	mayPass, mayBeDone, expired bool
}

// Error implements error.
func (a *answer) Error() string { return a.text }

// Unwrap implements errors.
func (a *answer) Unwrap() error { return a.kind }

// Advice says what a person can do.
func (a *answer) Advice() string { return a.advice }

const (
	checkAccess      = "check the credentials, and that they may read, write, list and delete below the prefix of the bucket"
	checkCredentials = "correct the credentials in the Secret or the environment"
	checkStore       = "see whether the object store is up and has room; everything that was committed is kept"
	nameRegion       = "the bucket is in another region: name it (region)"
	createBucket     = "create the bucket, or correct the URL of the output"
	checkEndpoint    = "see whether the object store is up, and whether Pods reach its endpoint"
)

// code is what the codes of stores mean.
type code struct {
	kind    error
	passes  bool
	expired bool
	advice  string
}

var codes = map[string]code{
	"NoSuchKey": {kind: fs.ErrNotExist}, "NotFound": {kind: fs.ErrNotExist}, "NoSuchUpload": {kind: fs.ErrNotExist},
	"NoSuchBucket":               {advice: createBucket},
	"PreconditionFailed":         {kind: errRefused},
	"ConditionalRequestConflict": {passes: true}, "OperationAborted": {passes: true},
	"SlowDown": {passes: true}, "RequestLimitExceeded": {passes: true}, "Throttling": {passes: true}, "ThrottlingException": {passes: true},
	"TooManyRequests": {passes: true}, "ServiceUnavailable": {passes: true}, "InternalError": {passes: true}, "RequestTimeout": {passes: true},
	"RequestTimeTooSkewed":  {passes: true, advice: "set the clock of the machine, or of the object store"},
	"ExpiredToken":          {expired: true, advice: "the credentials have expired: renew them in the Secret or the environment"},
	"ExpiredTokenException": {expired: true, advice: "the credentials have expired: renew them in the Secret or the environment"},
	"TokenRefreshRequired":  {expired: true, advice: checkCredentials},
	"InvalidAccessKeyId":    {expired: true, advice: checkCredentials},
	"InvalidToken":          {expired: true, advice: checkCredentials},
	"SignatureDoesNotMatch": {advice: checkCredentials + "; where they are right, check the region and the endpoint"},
	"AccessDenied":          {kind: fs.ErrPermission, advice: checkAccess},
	"Forbidden":             {kind: fs.ErrPermission, advice: checkAccess},
	"AllAccessDisabled":     {kind: fs.ErrPermission, advice: checkAccess},
	"NotImplemented":        {kind: errors.ErrUnsupported},
	"MethodNotAllowed":      {kind: errors.ErrUnsupported},
	"QuotaExceeded": {kind: objects.ErrFull,
		advice: "the quota of the bucket is used up: raise it, or delete what is no longer needed"},
	"XMinioStorageFull":                  {kind: objects.ErrFull, advice: "the object store is full; everything that was committed is kept"},
	"PermanentRedirect":                  {advice: nameRegion},
	"AuthorizationHeaderMalformed":       {advice: nameRegion},
	"IllegalLocationConstraintException": {advice: nameRegion},
}

// answerOf classifies how a try has failed.
func (c *client) answerOf(err error, timedOut bool) *answer {
	var api smithy.APIError
	var response *awshttp.ResponseError
	var refusal *connection.EndpointRefusal
	var inside *connection.AddressRefusal
	var certificate *tls.CertificateVerificationError
	var unknown *credentialsError
	status := 0
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	switch {
	case timedOut:
		return &answer{
			text: c.name() + " took too long to answer", advice: checkEndpoint, mayPass: true, mayBeDone: true, kind: context.DeadlineExceeded,
		}
	case errors.As(err, &refusal):
		return &answer{text: refusal.Error(), advice: "take another endpoint, or have it listed in the operator's configuration", kind: refusal}
	case errors.As(err, &inside):
		return &answer{text: "its endpoint " + inside.Error(), kind: inside}
	case errors.As(err, &certificate):
		return &answer{
			text:   fmt.Sprintf("the certificate of %s is not trusted: %v", c.name(), certificate.Err),
			advice: "name the bundle of its certificate authority (caBundleConfigMapRef)",
		}
	case errors.As(err, &unknown):
		return &answer{text: unknown.Error(), advice: checkCredentials}
	case errors.As(err, &api):
		return c.coded(api, status)
	case status >= http.StatusMultipleChoices:
		return c.unexplained(status)
	case isLost(err) || status != 0: // of a good answer not all came
		return &answer{text: fmt.Sprintf("%s can't be reached: %v", c.name(), root(err)), advice: checkEndpoint, mayPass: true, mayBeDone: true}
	}
	return &answer{text: root(err).Error(), advice: checkCredentials}
}

// coded is an answer with a code.
func (c *client) coded(api smithy.APIError, status int) *answer {
	known, is := codes[api.ErrorCode()]
	if !is {
		return c.unexplained(status).saying(api)
	}
	found := &answer{
		text: fmt.Sprintf("%s answered %s", c.name(), api.ErrorCode()), kind: known.kind, mayPass: known.passes, expired: known.expired,
		advice: known.advice, mayBeDone: status >= http.StatusInternalServerError || api.ErrorCode() == "RequestTimeout",
	}
	if found.advice == "" {
		found.advice = checkStore
	}
	if known.advice == nameRegion {
		return found.saying(api) // some say which it is
	}
	return found
}

// unexplained is an answer of which the status is known at most.
func (c *client) unexplained(status int) *answer {
	found := &answer{text: fmt.Sprintf("%s answered with the status %d", c.name(), status), advice: checkStore}
	switch {
	case status == http.StatusNotFound:
		found.kind = fs.ErrNotExist
	case status == http.StatusPreconditionFailed:
		found.kind = errRefused
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		found.kind, found.advice = fs.ErrPermission, checkAccess
	case status == http.StatusNotImplemented || status == http.StatusMethodNotAllowed:
		found.kind = errors.ErrUnsupported
	case status == http.StatusInsufficientStorage:
		found.kind = objects.ErrFull
	case status < http.StatusMultipleChoices || status >= http.StatusInternalServerError || status == http.StatusTooManyRequests,
		status == http.StatusRequestTimeout:
		found.mayPass, found.mayBeDone = true, true
	}
	return found
}

// saying adds the code and the message of a store.
func (a *answer) saying(api smithy.APIError) *answer {
	const most = 200
	message := api.ErrorMessage()
	if len(message) > most {
		message = message[:most]
	}
	if api.ErrorCode() != "" {
		a.text += fmt.Sprintf(" (%.50s: %q)", api.ErrorCode(), message)
	}
	return a
}

// isLost says whether a request or its answer was lost on its way.
func isLost(err error) bool {
	var cut *cutOff
	return isNetwork(err) || errors.As(err, &cut) || slices.ContainsFunc([]error{
		io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.EPIPE, context.DeadlineExceeded,
	}, func(kind error) bool { return errors.Is(err, kind) })
}

// root is the innermost of wrapped errors, which says what has happened without the identifiers of requests.
func root(err error) error {
	for {
		below := errors.Unwrap(err)
		if below == nil {
			return err
		}
		err = below
	}
}
