package datasetgeneration

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/clip"
	"seedloom.dev/seedloom/internal/runreport"
)

// publicationBackoffLimit is how often a Pod that publishes is started again: with the pauses of a Job, for about half an hour.
const publicationBackoffLimit int32 = 7

// publicationJob publishes. Of what a run has, its Pod gets the output, to be read alone, the token, and what users and the operator have
// set for all Pods; nothing of seeds and models.
func (s *situation) publicationJob() (*batchv1.Job, error) {
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
		return nil, fmt.Errorf("encoding what is to be published: %w", err)
	}
	engine.Env = append(engine.Env, corev1.EnvVar{Name: runreport.PublicationVariable, Value: literal(string(order))},
		secretVariable(runreport.HubTokenVariable, &repository.TokenSecretRef))
	return &batchv1.Job{
		ObjectMeta: s.objectMeta(publicationName(s.run, s.publication.id), runreport.RolePublish),
		Spec: batchv1.JobSpec{
			Completions:          new(int32(1)),
			Parallelism:          new(int32(1)),
			BackoffLimit:         new(publicationBackoffLimit),
			PodFailurePolicy:     podFailurePolicy(batchv1.PodFailurePolicyActionFailJob),
			PodReplacementPolicy: new(batchv1.Failed),
			Template:             template,
		},
	}, nil
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
