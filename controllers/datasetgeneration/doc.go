// Package datasetgeneration reconciles DatasetGeneration resources: it gathers what is in the cluster once, derives the wanted
// Jobs, Pods and conditions from that by pure functions, and writes the status.
// How records are made is the engine's business: of it, only the validation of specs in engine/plan may be imported.
//
// Where to find what:
//
//	reconciler.go                    the steps of one reconcile, and what is watched
//	facts.go, references.go          what is gathered
//	run.go                           which run and attempt a resource is in
//	workload.go, pod.go, children.go which objects are wanted, and how they are created and deleted
//	failure_policy.go, sync.go       what the end of a Pod leads to
//	results.go, endings.go           how Pods have ended, and why
//	completion.go                    what that means for the run
//	startup.go                       why Pods do not start
//	totals.go                        what running Pods report
//	tools.go, certificates.go        what Pods get for tool servers, and for the TLS of providers
//	status.go, conditions.go         facts to status
//	degraded.go                      what slows a run down
//	events.go, metrics.go            what others are told
package datasetgeneration
