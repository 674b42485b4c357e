package datasetgeneration

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/clip"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// publicationBackoffLimit is how often a Pod that publishes is started again: with the pauses of a Job, for about half an hour.
	publicationBackoffLimit int32 = 7
	// publicationDigits are those of the identity that stand in the name of a Job: with them a name has at most 63 characters.
	publicationDigits = 5
)

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

// publicationID identifies what is to be published of a run; it is empty where nothing is.
func (in *input) publicationID(run *v1alpha1.RunStatus) string {
	repository := in.resource.Spec.HubRepository()
	if repository == nil || run == nil || run.CompletionTime == nil || !in.isTrue(v1alpha1.ConditionComplete) {
		return ""
	}
	identity := struct {
		Run        string
		Attempt    int32
		Repository *v1alpha1.HuggingFaceRepository
	}{run.ID, run.Attempt, repository}
	encoded, _ := json.Marshal(identity) // settings that were decoded can be encoded
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:shortHash])
}

// isPublished says whether there is a verdict on a publication, and nobody asks to try it again.
func (in *input) isPublished(id string) bool {
	status, condition := in.resource.Status.Publication, in.condition(v1alpha1.ConditionPublished)
	if status == nil || status.Attempted != id || condition == nil {
		return false
	}
	return condition.Status == metav1.ConditionTrue || condition.Status == metav1.ConditionFalse && !retryRequested(in.resource)
}

// awaitsPublication says whether a dataset that is there has yet to be published.
func (in *input) awaitsPublication() bool {
	id := in.publicationID(in.resource.Status.Run)
	return id != "" && !in.isPublished(id) && !in.resource.Spec.IsSuspended()
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
		name = s.publicationName()
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

// publicationName is the name of the Job that publishes.
func (s *situation) publicationName() string {
	return attemptName(s.run) + "-p" + s.publication.id[:publicationDigits]
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

// syncPublication creates the Job that publishes, where one is wanted and not there.
func (r *Reconciler) syncPublication(ctx context.Context, s *situation) error {
	if s.publication.isSettled || s.publication.job != nil || s.stale.writes() || s.resource.Spec.IsSuspended() || !s.secretsArePermitted() {
		return nil
	}
	if err := r.confirm(ctx, s.resource); err != nil {
		return err
	}
	if err := r.askSecrets(ctx, s); err != nil {
		return err
	}
	job := s.publicationJob()
	if err := r.create(ctx, s, job); err != nil {
		return err
	}
	log.FromContext(ctx).Info("Created", "kind", fmt.Sprintf("%T", job), "object", job.Name)
	return nil
}

// publicationJob publishes. Of what a run has, its Pod gets the output, to be read alone, the token, and what users and the operator have
// set for all Pods; nothing of seeds and models.
func (s *situation) publicationJob() *batchv1.Job {
	template := s.podTemplate(runreport.RolePublish)
	isKept := func(name string) bool {
		return slices.Contains([]string{volumeOutput, volumeObjectStore, volumeTmp}, name) || strings.HasPrefix(name, userVolumePrefix)
	}
	pod := &template.Spec
	pod.Volumes = slices.DeleteFunc(pod.Volumes, func(volume corev1.Volume) bool { return !isKept(volume.Name) })
	engine := &pod.Containers[0]
	engine.VolumeMounts = slices.DeleteFunc(engine.VolumeMounts, func(mount corev1.VolumeMount) bool {
		return !isKept(mount.Name) || isInput(&mount)
	})
	for i := range engine.VolumeMounts {
		if mount := &engine.VolumeMounts[i]; mount.MountPath == runreport.OutputDirectory {
			mount.ReadOnly = true
		}
	}
	repository := s.resource.Spec.HubRepository()
	order, err := json.Marshal(runreport.PublicationOrder{
		Version: runreport.Version, Namespace: s.resource.Namespace, Name: s.resource.Name, ConfigHash: s.run.ConfigHash,
		ObjectStore: s.resource.Spec.Output.ObjectStore, HuggingFace: repository,
	})
	if err != nil {
		panic(err) // it has nothing but texts
	}
	engine.Env = append(engine.Env, corev1.EnvVar{Name: runreport.PublicationVariable, Value: literal(string(order))},
		secretVariable(runreport.HubTokenVariable, &repository.TokenSecretRef))
	return &batchv1.Job{
		ObjectMeta: s.objectMeta(s.publicationName(), runreport.RolePublish),
		Spec: batchv1.JobSpec{
			Completions:          new(int32(1)),
			Parallelism:          new(int32(1)),
			BackoffLimit:         new(publicationBackoffLimit),
			PodFailurePolicy:     podFailurePolicy(batchv1.PodFailurePolicyActionFailJob),
			PodReplacementPolicy: new(batchv1.Failed),
			Template:             template,
		},
	}
}

// showPublication says how far the publication is, and where the dataset was published.
func (s *situation) showPublication(status *v1alpha1.DatasetGenerationStatus, conditions *conditionSet, applyError error) {
	if s.resource.Spec.HubRepository() == nil {
		status.Publication = nil
		return
	}
	switch finished := s.publicationEnd(); {
	case s.publication.id == "":
	case s.publication.isSettled:
		conditions.keep(s.resource.Status.Conditions, v1alpha1.ConditionPublished)
	case finished == nil:
		reason, message := s.publicationActivity(applyError)
		conditions.add(v1alpha1.ConditionPublished, metav1.ConditionUnknown, reason, message)
		if status.Publication != nil {
			status.Publication.Attempted = ""
		}
	case finished.Type == batchv1.JobFailed:
		reason, message := s.publicationFailure(finished)
		conditions.add(v1alpha1.ConditionPublished, metav1.ConditionFalse, reason, message)
		if status.Publication == nil {
			status.Publication = &v1alpha1.PublicationStatus{}
		}
		status.Publication.Attempted = s.publication.id
	default:
		status.Publication = s.published()
		conditions.add(v1alpha1.ConditionPublished, metav1.ConditionTrue, v1alpha1.ReasonPublished, fmt.Sprintf(
			"the dataset is published in %s, branch %s, commit %s", status.Publication.URL, status.Publication.Revision, status.Publication.Commit))
	}
}

// publicationEnd is how the Job that publishes has ended, or nil.
func (s *situation) publicationEnd() *batchv1.JobCondition {
	if s.publication.job == nil {
		return nil
	}
	return jobEnd(s.publication.job)
}

// commitPattern is what a commit may look like that a Pod reports, urlPattern what an address may.
var (
	commitPattern = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
	urlPattern    = regexp.MustCompile(`^https?://[!-~]{1,1000}$`)
)

// published is what the Pod that has published says. What comes from a Pod is taken for data.
func (s *situation) published() *v1alpha1.PublicationStatus {
	repository := s.resource.Spec.HubRepository()
	status := &v1alpha1.PublicationStatus{
		Repository: repository.Repository, Revision: repository.EffectiveRevision(), PublishedAt: &metav1.Time{Time: s.now},
		Attempted: s.publication.id,
	}
	if _, result := s.lastPublicationEnd(); result != nil {
		if commitPattern.MatchString(result.Commit) {
			status.Commit = result.Commit
		}
		if urlPattern.MatchString(result.URL) {
			status.URL = result.URL
		}
	}
	return status
}

// publicationActivity says what a publication that goes on is doing.
func (s *situation) publicationActivity(applyError error) (reason, message string) {
	doing := fmt.Sprintf("the dataset is being published in %s", s.resource.Spec.HubRepository().Repository)
	var waiting []string
	for i := range s.publication.pods {
		if cause := waitingCause(&s.publication.pods[i]); cause != "" && !enginepods.IsOver(&s.publication.pods[i]) {
			waiting = append(waiting, cause)
		}
	}
	last, _ := s.lastPublicationEnd()
	switch {
	case s.resource.Spec.IsSuspended():
		return v1alpha1.ReasonPublishing, "the dataset is published when spec.suspend is false"
	case !s.secretsArePermitted():
		return v1alpha1.ReasonPublishing, doing + ": " + joinCauses(s.notPermitted)
	case applyError != nil:
		return v1alpha1.ReasonProgressingWithRetry, doing + ": " + withoutMomentary(applyError.Error())
	case last != nil && consequenceOf(*last) == consequenceRetry:
		_, cause := causeOf(*last)
		return v1alpha1.ReasonProgressingWithRetry, fmt.Sprintf("Pod %s has failed and is replaced: %s", last.pod, cause)
	case len(waiting) > 0:
		return v1alpha1.ReasonPublishing, doing + ": " + joinCauses(waiting)
	}
	return v1alpha1.ReasonPublishing, doing
}

// publicationFailure says why the dataset could not be published, and what to do.
func (s *situation) publicationFailure(finished *batchv1.JobCondition) (reason, message string) {
	last, _ := s.lastPublicationEnd()
	if last == nil {
		reason = v1alpha1.ReasonPublicationFailed
		message = fmt.Sprintf("the Pods are gone: %s: %s", finished.Reason, clip.Text(finished.Message, maxMessage))
	} else if reason, message = causeOf(*last); reason == "" {
		reason = v1alpha1.ReasonPublicationFailed
	}
	return reason, "The dataset is complete, and could not be published: " + s.withRetry(message)
}
