// Package webhook refuses DatasetGeneration resources that are wrong before they are stored, and has the certificate that its server needs.
// What is wrong is decided by the same functions as in the controller, which knows nothing of this package: without the webhook the same
// is in the condition Accepted.
//
//	validator.go    what is refused, and what is warned of
//	certificate.go  the server's certificate, made and rotated by the managers themselves
package webhook
