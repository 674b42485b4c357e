// Package connection says what is wrong with a connection to a server, and for how long a server wants to be left alone, in the same words
// for all that the engine talks to. It opens no connection, and decides nothing about what a failure leads to.
package connection

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// Failed is what there is to say of a failure of which nothing else is known.
const Failed = "the connection failed"

// Problem names what is wrong with a connection in the words that people look up; it is empty where the error is none that is known. It
// takes them from the system's errors only, whose texts hold nothing of the request.
func Problem(err error) string {
	var errno syscall.Errno
	var dns *net.DNSError
	var timeout net.Error
	var proxy *ProxyRefusal
	if problem := TLSProblem(err); problem != "" {
		return problem
	}
	switch {
	case errors.As(err, &proxy):
		return proxy.Error()
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &dns):
		return "looking up " + dns.Name + ": " + dns.Err
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF):
		return "the connection was closed"
	}
	return ""
}

// TLSProblem names a problem with the encryption that no retry solves by itself, or returns an empty string.
func TLSProblem(err error) string {
	var certificate *tls.CertificateVerificationError
	var operation *net.OpError
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &certificate):
		return "its TLS certificate can't be verified: " + certificate.Err.Error()
	case errors.As(err, &operation) && operation.Op == "remote error":
		// So the package tls calls the alerts of the other side.
		return "it refused the TLS connection, as it does when a client certificate is missing or not good: " + operation.Err.Error()
	case errors.As(err, &header), errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS; is its endpoint http instead of https?"
	}
	return ""
}

// ProxyRefusal is a proxy's refusal to connect.
type ProxyRefusal struct{ Status int }

// Error names the status.
func (e *ProxyRefusal) Error() string {
	if e.Status == http.StatusProxyAuthRequired {
		return "the proxy demands a password (HTTP 407)"
	}
	return fmt.Sprintf("the proxy refused to connect (HTTP %d)", e.Status)
}
