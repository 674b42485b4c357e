// Package datasetgeneration reconciles DatasetGeneration resources: it gathers what is in the cluster into an
// input, decides what situation that is, derives the wanted Jobs, Pods and conditions from it, and writes the status.
// How records are made is the engine's business: of it, only the validation of specs in engine/plan may be imported.
//
// Where to find what:
//
//	reconcile.go                     the steps of one reconcile, and what is watched
//	reconciler.go                    what a reconciler is made of
//	cache.go                         what of the cluster is held in memory
//	input.go, references.go          what is gathered
//	chain.go                         the dataset of another resource that is the seed
//	lookups.go                       what is asked of the API server for runs that wait
//	permissions.go                   what the owner of the platform allows
//	warnings.go                      what the cluster says of what does not start
//	ownership.go, ended_pods.go      which objects are the resource's, and what is remembered of Pods that are gone
//	situation.go                     what that means: the one pure decision
//	run.go                           which run and attempt a resource is in
//	workload.go, pod.go, children.go which objects are wanted, and how they are created and deleted
//	pod_settings.go                  what of the Pods users and the operator's configuration may set
//	failure_policy.go, sync.go       what the end of a Pod leads to
//	results.go, endings.go           how Pods have ended, and why
//	last_words.go                    what an engine that could not say why has written to its log
//	completion.go                    what that means for the run
//	startup.go, lost_pods.go         why Pods do not start, and why they do not stop
//	totals.go                        what running Pods report
//	volumes.go                       what Pods read and write: the run, the output, the seed, files of persons
//	tools.go, certificates.go        what Pods get for tool servers, and for the TLS of providers
//	object_store.go                  what Pods get for datasets in buckets
//	status.go, conditions.go         situation to status
//	publication.go                   what is done with the dataset of a run that is complete
//	deletion.go                      what is done before a resource is gone whose dataset goes with it
//	namespace.go                     what is done in a namespace that is being deleted
//	models_answered.go               what the models have answered before the first row
//	degraded.go                      what slows a run down
//	events.go, metrics.go            what is reported elsewhere
package datasetgeneration
