package datasetgeneration

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/runreport"
)

// situation is what an input means: the run that the resource is in, what of the cluster belongs to it, and how far it is. The
// children that are wanted and the status follow from it.
type situation struct {
	*input
	run      v1alpha1.RunStatus
	lifetime lifetime
	// workload is what belongs to the attempt; stale is all else, which is deleted.
	workload workload
	stale    children
	observed observation
	// publication is what is done with the dataset of a run that is complete.
	publication publication
}

// workload is the part of the children that belongs to the current attempt.
type workload struct {
	configMap *metav1.PartialObjectMetadata
	generate  *batchv1.Job
	finalize  *batchv1.Job
	// generating and finalizing are the Pods by role.
	generating []corev1.Pod
	finalizing []corev1.Pod
	// publish are the Jobs that publish the dataset, and publishing their Pods.
	publish    []batchv1.Job
	publishing []corev1.Pod
}

// decide says what the input means. It is a pure function: the same input gives the same situation.
func decide(in *input) *situation {
	run, life := decideRun(in)
	return situationOf(in, run, life)
}

// situationOf is the situation in a run, whatever the run is that the resource should be in.
func situationOf(in *input, run v1alpha1.RunStatus, life lifetime) *situation {
	s := &situation{input: in, run: run, lifetime: life}
	s.divide()
	s.decidePublication()
	switch life {
	case lifetimeActive:
		s.retireInterrupted()
		s.retireUnstarted()
	case lifetimeInvalid, lifetimeWaiting, lifetimeSuspended:
		// What is there has yet to say how far it has come.
		s.stale = in.children
	case lifetimeFinished:
		if s.isExpired() {
			s.stale = in.children
		}
	}
	s.observed = s.observe()
	return s
}

// divide makes what belongs to the attempt the workload, and all other children stale.
func (s *situation) divide() {
	owners := map[types.UID]bool{s.resource.UID: true}
	for i := range s.children.configMaps {
		configMap := &s.children.configMaps[i]
		if s.isCurrent(configMap, owners) {
			s.workload.configMap = configMap
		} else {
			s.stale.configMaps = append(s.stale.configMaps, *configMap)
		}
	}
	for i := range s.children.jobs {
		job := &s.children.jobs[i]
		switch {
		case !s.isCurrent(job, owners):
			s.stale.jobs = append(s.stale.jobs, *job)
		case job.Labels[v1alpha1.LabelRole] == runreport.RoleFinalize:
			s.workload.finalize = job
		case job.Labels[v1alpha1.LabelRole] == runreport.RolePublish:
			s.workload.publish = append(s.workload.publish, *job)
		default:
			s.workload.generate = job
		}
	}
	// A Job's Pods belong to the run when the Job does.
	for _, job := range []*batchv1.Job{s.workload.generate, s.workload.finalize} {
		if job != nil {
			owners[job.UID] = true
		}
	}
	for i := range s.workload.publish {
		owners[s.workload.publish[i].UID] = true
	}
	for i := range s.children.pods {
		pod := &s.children.pods[i]
		switch {
		case !s.isCurrent(pod, owners):
			s.stale.pods = append(s.stale.pods, *pod)
		case pod.Labels[v1alpha1.LabelRole] == runreport.RoleFinalize:
			s.workload.finalizing = append(s.workload.finalizing, *pod)
		case pod.Labels[v1alpha1.LabelRole] == runreport.RolePublish:
			s.workload.publishing = append(s.workload.publishing, *pod)
		default:
			s.workload.generating = append(s.workload.generating, *pod)
		}
	}
}

// isCurrent says whether the object belongs to the current attempt. A Job that is being deleted is on its way out: its
// name is free only when it is gone. A Pod that is being deleted still belongs to its Job, which waits for it.
func (s *situation) isCurrent(object client.Object, owners map[types.UID]bool) bool {
	if _, isPod := object.(*corev1.Pod); !isPod && object.GetDeletionTimestamp() != nil && !s.isStopped() {
		return false
	}
	owner := metav1.GetControllerOf(object)
	found := object.GetLabels()
	return owner != nil && owners[owner.UID] &&
		found[v1alpha1.LabelRun] == s.run.ID && found[v1alpha1.LabelAttempt] == fmt.Sprint(s.run.Attempt)
}

// retire moves Pods of the workload to what is stale.
func (s *situation) retire(isRetired func(*corev1.Pod) bool) {
	kept := make([]corev1.Pod, 0, len(s.workload.generating))
	for i := range s.workload.generating {
		if pod := &s.workload.generating[i]; isRetired(pod) {
			s.stale.pods = append(s.stale.pods, *pod)
		} else {
			kept = append(kept, *pod)
		}
	}
	s.workload.generating = kept
}

// retireUnstarted makes stale what was created for the attempt and has never run, when it would be created in another way by now, or
// when the user asks to try again: what takes its place is created anew.
func (s *situation) retireUnstarted() {
	hash := s.settingsHash()
	isRetired := func(annotations map[string]string, template *corev1.PodSpec) bool {
		return retryRequested(s.resource) || annotations[v1alpha1.AnnotationPodHash] != hash ||
			len(template.Containers) > 0 && template.Containers[0].Image != s.options.EngineImage
	}
	for _, job := range []*batchv1.Job{s.workload.generate, s.workload.finalize} {
		if job == nil || jobEnd(job) != nil || job.Status.Succeeded+job.Status.Failed > 0 {
			continue
		}
		pods := &s.workload.generating
		if job == s.workload.finalize {
			pods = &s.workload.finalizing
		}
		if slices.ContainsFunc(*pods, func(pod corev1.Pod) bool { return enginepods.HasRun(&pod) || enginepods.IsOver(&pod) }) ||
			!isRetired(job.Spec.Template.Annotations, &job.Spec.Template.Spec) {
			continue
		}
		s.stale.jobs, s.stale.pods = append(s.stale.jobs, *job), append(s.stale.pods, *pods...)
		*pods = nil
		if job == s.workload.finalize {
			s.workload.finalize = nil
		} else {
			s.workload.generate = nil
		}
	}
	if s.resource.Spec.ExecutionMode() == v1alpha1.ExecutionSync {
		s.retire(func(pod *corev1.Pod) bool {
			return !enginepods.HasRun(pod) && !enginepods.IsOver(pod) && isRetired(pod.Annotations, &pod.Spec)
		})
	}
}

// timeToLive is for how long the children of a finished run stay; nil where that is not limited.
func (s *situation) timeToLive() *time.Duration {
	seconds := cmp.Or(s.resource.Spec.TTLSecondsAfterFinished, s.options.TTLSecondsAfterFinished)
	if seconds == nil {
		return nil
	}
	return new(time.Duration(*seconds) * time.Second)
}

// isExpired says whether a run has been finished for so long that its children are deleted.
func (s *situation) isExpired() bool {
	ttl, completed := s.timeToLive(), s.run.CompletionTime
	return s.publication.isSettled && ttl != nil && completed != nil && s.now.Sub(completed.Time) >= *ttl
}

// isStopped says whether nothing of the run may go on.
func (s *situation) isStopped() bool {
	return s.lifetime == lifetimeInvalid || s.lifetime == lifetimeWaiting || s.lifetime == lifetimeSuspended
}

// startsAttempt says whether the attempt that is to be carried out is not in the status yet.
func (s *situation) startsAttempt() bool {
	recorded := s.resource.Status.Run
	return s.lifetime == lifetimeActive &&
		(recorded == nil || recorded.ID != s.run.ID || recorded.Attempt != s.run.Attempt)
}

// stagePods are the Pods of the stage that the attempt is in.
func (s *situation) stagePods() []corev1.Pod {
	if s.observed.finalizes {
		return s.workload.finalizing
	}
	return s.workload.generating
}

// engineRuns says whether the engine of one of the Pods runs, or has just ended while its Pod is not over yet.
func engineRuns(pods []corev1.Pod) bool {
	for i := range pods {
		if enginepods.HasRun(&pods[i]) && !enginepods.IsOver(&pods[i]) {
			return true
		}
	}
	return false
}

// publication is what is known of publishing the dataset of a run that is complete. Its zero value is that of a run of which nothing is to
// be published.
type publication struct {
	// id identifies what is to be published: the run, its attempt, and the settings.
	id string
	// isSettled says that the status has the verdict on it already. Nothing is started again then.
	isSettled bool
	// job is the one that publishes, and pods are its Pods.
	job  *batchv1.Job
	pods []corev1.Pod
}

// decidePublication finds out what is to be published, and what is there for it; all else that publishes is stale.
func (s *situation) decidePublication() {
	if s.lifetime == lifetimeFinished {
		s.publication.id = s.publicationID(&s.run)
	}
	wanted := &s.publication
	wanted.isSettled = wanted.id == "" || s.isPublished(wanted.id)
	name := ""
	if wanted.id != "" && !s.resource.Spec.IsSuspended() {
		name = publicationName(s.run, wanted.id)
	}
	for i := range s.workload.publish {
		job := &s.workload.publish[i]
		if job.Name == name {
			wanted.job = job
		} else {
			s.stale.jobs = append(s.stale.jobs, *job)
		}
	}
	for i := range s.workload.publishing {
		pod := &s.workload.publishing[i]
		if wanted.job != nil && metav1.IsControlledBy(pod, wanted.job) {
			wanted.pods = append(wanted.pods, *pod)
		} else {
			s.stale.pods = append(s.stale.pods, *pod)
		}
	}
	if job := wanted.job; job != nil && !wanted.isSettled && s.startsPublicationAnew(job) {
		s.stale.jobs, s.stale.pods = append(s.stale.jobs, *job), append(s.stale.pods, wanted.pods...)
		wanted.job, wanted.pods = nil, nil
	}
}

// startsPublicationAnew says whether a Job is of no use any more: somebody asks to try again what has failed, or its result is lost.
func (s *situation) startsPublicationAnew(job *batchv1.Job) bool {
	finished := jobEnd(job)
	if finished == nil {
		return false
	}
	if finished.Type == batchv1.JobFailed {
		settled := s.resource.Status.Publication
		return retryRequested(s.resource) && settled != nil && settled.Attempted == s.publication.id
	}
	last, result := s.lastPublicationEnd()
	return result == nil || last.exitCode != runreport.ExitOK
}

// lastPublicationEnd is the end of the Pod that has published, or else the latest one, and its result where it has left one.
func (s *situation) lastPublicationEnd() (last *podEnd, result *runreport.PublicationResult) {
	for i := range s.publication.pods {
		pod := &s.publication.pods[i]
		end, over := endOf(pod)
		if !over || last != nil && !endsLater(end, *last) {
			continue
		}
		last, result = &end, nil
		status := enginepods.EngineStatus(pod)
		if status == nil || status.State.Terminated == nil {
			continue
		}
		found, err := runreport.ParsePublicationResult(status.State.Terminated.Message)
		if err != nil {
			continue
		}
		result, end.lastWords, end.result = found, "", &runreport.Result{Reason: found.Reason, Message: found.Message}
	}
	return last, result
}

// endsLater says whether the end of a Pod is the one that counts, of two: ends are known to the second only.
func endsLater(end, other podEnd) bool {
	if isDone := end.exitCode == runreport.ExitOK; isDone != (other.exitCode == runreport.ExitOK) {
		return isDone
	}
	return !other.at.After(end.at)
}
