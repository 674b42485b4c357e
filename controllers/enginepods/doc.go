// Package enginepods talks with the running Pods of engines: it asks for their progress, and tells them their shares of
// what an endpoint takes. It reads Pods and changes nothing in the cluster; what their end means is the reconciler's business.
//
// Where to find what:
//
//	pod.go                what is read from a Pod's labels and status
//	requests.go           one request to a Pod, and many of them at a time
//	progress_poller.go    how far the Pods are
//	share_coordinator.go  who shares an endpoint, and the rounds in which Pods are told
//	shares.go             how a limit is divided
package enginepods
