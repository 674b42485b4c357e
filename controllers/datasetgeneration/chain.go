package datasetgeneration

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/clip"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// indexSeed finds resources by the name of the one whose dataset is their seed.
	indexSeed = "spec.seed.datasetRef.name"
	// maxChain bounds how far it is looked whether resources are each other's seeds.
	maxChain = 64
	// claimScheme begins the places of datasets on volumes.
	claimScheme = "pvc://"
	// runDigestPrefix begins what stands for the digest of rows that an older engine has written without one.
	runDigestPrefix = "run:"
)

// seedState is what is known of the dataset that a resource has for its seed.
type seedState struct {
	// spec is that of its resource; nil while there is none.
	spec *v1alpha1.DatasetGenerationSpec
	// complete is the dataset as it is now; nil while there is none that can be read.
	complete *v1alpha1.SeedRunStatus
	// reason and message say why there is none. lasting says that a person is needed for it.
	reason, message string
	lasting         bool
}

// gatherSeed finds out whether the dataset that is the seed is there, and decides which one the run reads: that which is complete, or
// else the one with which the run was started, as long as the spec still asks for that run.
func (r *Reconciler) gatherSeed(ctx context.Context, in *input) error {
	ref := in.resource.Spec.SeedDataset()
	if ref == nil || len(in.violations) > 0 {
		return nil
	}
	in.configHash = ""
	state, err := r.seedState(ctx, in.resource)
	if err != nil {
		return err
	}
	in.seed = state
	used := state.complete
	if state.spec != nil && (used != nil || in.resource.Status.Run == nil) {
		if in.violations = plan.DroppedInSeed(&in.resource.Spec, state.spec); len(in.violations) > 0 {
			return nil
		}
	}
	recorded := in.resource.Status.Run
	if used == nil && recorded != nil && recorded.Seed != nil && in.hashWith(recorded.Seed) == recorded.ConfigHash {
		used = recorded.Seed.DeepCopy()
	}
	if used == nil {
		return nil
	}
	in.seedRun = used
	in.fitRecords()
	in.configHash = in.hashWith(used)
	return nil
}

// hashWith is the identity of the run with a seed, by which its engine knows it too: where the spec does not say how many records there are
// to be, it is that with as many as follow from the seed.
func (in *input) hashWith(seed *v1alpha1.SeedRunStatus) string {
	spec := in.resource.Spec
	if spec.NumRecords == 0 {
		spec.NumRecords = seed.FollowingRecords
	}
	return plan.RunHash(&spec, seed.RowsDigest)
}

// fitRecords gives the spec, as it is seen from here on, as many records as follow from its seed, where it does not say how many. Summing
// them up may take a second: the sum is recorded with the run.
func (in *input) fitRecords() {
	if recorded := in.resource.Status.Run; recorded != nil && recorded.Seed != nil {
		before := *in.seedRun
		before.FollowingRecords = recorded.Seed.FollowingRecords
		if in.hashWith(&before) == recorded.ConfigHash {
			in.seedRun.FollowingRecords = before.FollowingRecords
		}
	}
	if in.resource.Spec.NumRecords > 0 {
		return
	}
	if in.seedRun.FollowingRecords == 0 {
		following, err := plan.NumRecords(&in.resource.Spec, in.seedRun.Records)
		if err != nil {
			in.violations = append(in.violations, plan.Violation{Field: "spec.numRecords", Reason: plan.ReasonInvalidValue, Message: err.Error()})
			return
		}
		in.seedRun.FollowingRecords = following
	}
	in.resource = in.resource.DeepCopy()
	in.resource.Spec.NumRecords = in.seedRun.FollowingRecords
}

// seedState follows the names of datasets that are seeds, from a resource on.
func (r *Reconciler) seedState(ctx context.Context, resource *v1alpha1.DatasetGeneration) (seedState, error) {
	var seed *v1alpha1.DatasetGeneration
	names := []string{resource.Name}
	for ref := resource.Spec.SeedDataset(); ref != nil && len(names) <= maxChain; {
		if ref.Name == resource.Name {
			return seedState{reason: v1alpha1.ReasonDatasetCycle, lasting: true, message: clip.Text(fmt.Sprintf(
				"datasets are each other's seeds in a circle (%s): take spec.seed.datasetRef out of one of them",
				strings.Join(append(names, ref.Name), " → ")), maxMessage)}, nil
		}
		if slices.Contains(names, ref.Name) {
			break // a circle further on, of which those in it say so
		}
		next := &v1alpha1.DatasetGeneration{}
		err := r.Get(ctx, types.NamespacedName{Namespace: resource.Namespace, Name: ref.Name}, next)
		if err != nil && !apierrors.IsNotFound(err) {
			return seedState{}, fmt.Errorf("reading DatasetGeneration %s, whose dataset is the seed: %w", ref.Name, err)
		}
		if err != nil && seed == nil {
			return seedState{reason: v1alpha1.ReasonReferenceNotFound, message: fmt.Sprintf(
				"spec.seed.datasetRef.name: DatasetGeneration %q does not exist in namespace %s; create it, and the run begins by itself "+
					"once it is Complete", ref.Name, resource.Namespace)}, nil
		}
		if err != nil {
			break // which the one before it says
		}
		seed = cmp.Or(seed, next)
		names, ref = append(names, ref.Name), next.Spec.SeedDataset()
	}
	state := seedStateOf(seed)
	state.spec = &seed.Spec
	return state, nil
}

// seedStateOf is what a resource gives to one that has its dataset for a seed.
func seedStateOf(seed *v1alpha1.DatasetGeneration) seedState {
	status := &seed.Status
	waiting := func(format string, arguments ...any) seedState {
		return seedState{reason: v1alpha1.ReasonWaitingForDataset,
			message: fmt.Sprintf("waiting for DatasetGeneration %q, whose dataset is the seed, to be Complete: it ", seed.Name) +
				fmt.Sprintf(format, arguments...)}
	}
	if !seed.DeletionTimestamp.IsZero() {
		return seedState{reason: v1alpha1.ReasonReferenceNotFound, message: fmt.Sprintf(
			"spec.seed.datasetRef.name: DatasetGeneration %q is being deleted; create it anew, and the run begins by itself once it is Complete",
			seed.Name)}
	}
	if status.ObservedGeneration != seed.Generation {
		return waiting("was created or changed, and is not looked at yet")
	}
	if complete := completeDataset(seed); complete != nil {
		if !isBelowOutput(complete) {
			return seedState{reason: v1alpha1.ReasonDatasetFailed, lasting: true, message: clip.Text(fmt.Sprintf(
				"DatasetGeneration %q has its dataset in %s, and its spec.output names another place now, so that nobody knows how to read it: "+
					"put spec.output back, or have it made in the new place (spec.randomSeed)", seed.Name, complete.URL), maxMessage)}
		}
		return seedState{complete: complete}
	}
	if stalled := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionStalled); stalled != nil {
		// What a resource says of one before it is passed on as it is, so that the message names the first of them.
		message := stalled.Message
		if stalled.Reason != v1alpha1.ReasonDatasetFailed && stalled.Reason != v1alpha1.ReasonDatasetCycle {
			message = fmt.Sprintf("DatasetGeneration %q has no dataset, and needs you: %s: %s", seed.Name, stalled.Reason, message)
		}
		return seedState{reason: v1alpha1.ReasonDatasetFailed, message: clip.Text(message, maxMessage), lasting: true}
	}
	if meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionSuspended) {
		return waiting("is suspended; set its spec.suspend to false")
	}
	reason := v1alpha1.ReasonPending
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil {
		reason = ready.Reason
	}
	return waiting("is %s", reason)
}

// completeDataset is the dataset of a resource that is Complete, or nil.
func completeDataset(seed *v1alpha1.DatasetGeneration) *v1alpha1.SeedRunStatus {
	status := &seed.Status
	condition := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionComplete)
	if condition == nil || condition.Status != metav1.ConditionTrue || condition.ObservedGeneration != seed.Generation {
		return nil // or that of an earlier generation, while the present one can't run
	}
	if status.Run == nil || status.Output == nil || status.Records == nil {
		return nil
	}
	digest := status.Output.RowsDigest
	if digest == "" {
		digest = fmt.Sprintf("%s%s/%d", runDigestPrefix, hashDigits(status.Run.ConfigHash, 32), status.Records.Actual)
	}
	complete := &v1alpha1.SeedRunStatus{
		Name: seed.Name, RunID: status.Run.ID, URL: status.Output.URL, RowsDigest: digest, Records: status.Records.Actual,
	}
	if !strings.HasPrefix(complete.URL, claimScheme) {
		complete.ObjectStore = seed.Spec.Output.ObjectStore.DeepCopy()
	}
	return complete
}

// isBelowOutput says whether a dataset lies where the output of its resource does, which may have been changed since: how a bucket is
// reached stands there alone.
func isBelowOutput(dataset *v1alpha1.SeedRunStatus) bool {
	if strings.HasPrefix(dataset.URL, claimScheme) {
		return true
	}
	_, is := folderInBucket(dataset)
	return is
}

// folderInBucket is the folder of a dataset in the bucket that it is read from, and says whether it lies in that.
func folderInBucket(dataset *v1alpha1.SeedRunStatus) (folder string, is bool) {
	if dataset.ObjectStore == nil {
		return "", false
	}
	return strings.CutPrefix(dataset.URL, strings.TrimSuffix(dataset.ObjectStore.URL, "/")+"/")
}

// seedPlace is where the dataset that is the seed lies: on a claim, or in a bucket, for which the claim is empty. Both are empty without
// one.
func seedPlace(seed *v1alpha1.SeedRunStatus) (claim, folder string) {
	if seed == nil {
		return "", ""
	}
	if seed.ObjectStore != nil {
		folder, _ = folderInBucket(seed)
		return "", folder
	}
	claim, folder, _ = strings.Cut(strings.TrimPrefix(seed.URL, claimScheme), "/")
	return claim, folder
}

// seedStore is the bucket of the seed: that of spec.seed, or that with the dataset of another resource. It is nil where there is none.
func (s *situation) seedStore() *v1alpha1.ObjectStoreOutput {
	if store := s.resource.Spec.SeedStore(); store != nil {
		return store.Store()
	}
	if s.run.Seed == nil {
		return nil
	}
	return s.run.Seed.ObjectStore
}

// seedDataset is what the engine has to know of the dataset that is the seed.
func seedDataset(seed *v1alpha1.SeedRunStatus) *runreport.SeedDataset {
	if seed == nil {
		return nil
	}
	_, folder := seedPlace(seed)
	return &runreport.SeedDataset{Name: seed.Name, Path: path.Clean(folder), ObjectStore: seed.ObjectStore, RowsDigest: seed.RowsDigest}
}

// addWaiting says what a resource without a dataset for its seed waits for.
func (s *situation) addWaiting(conditions *conditionSet) {
	if s.seed.lasting {
		conditions.add(v1alpha1.ConditionReady, metav1.ConditionFalse, s.seed.reason, s.seed.message)
		conditions.add(v1alpha1.ConditionStalled, metav1.ConditionTrue, s.seed.reason, s.seed.message)
		return
	}
	message := s.seed.message
	if s.stale.writes() {
		message += "; the Pods of the earlier run are being stopped"
	}
	conditions.add(v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonWaitingForDataset, message)
	conditions.add(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonProgressing, message)
}

// addSeedTrouble says in Accepted why the dataset that is the seed can't be had, and whether it did.
func (s *situation) addSeedTrouble(conditions *conditionSet) bool {
	status, message := metav1.ConditionFalse, s.seed.message
	switch {
	case s.lifetime == lifetimeWaiting:
		if s.seed.reason == v1alpha1.ReasonWaitingForDataset {
			status = metav1.ConditionUnknown
		}
	case s.lifetime == lifetimeActive && s.observed.ending == nil &&
		(s.seed.reason == v1alpha1.ReasonReferenceNotFound || s.seed.reason == v1alpha1.ReasonDatasetCycle):
		message += fmt.Sprintf(". This run goes on with the rows of run %s", s.run.Seed.RunID)
	default:
		return false
	}
	conditions.add(v1alpha1.ConditionAccepted, status, s.seed.reason, message)
	return true
}

// indexBySeed has the cache find resources by the dataset that is their seed.
func indexBySeed(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &v1alpha1.DatasetGeneration{}, indexSeed, func(object client.Object) []string {
		resource, is := object.(*v1alpha1.DatasetGeneration)
		if !is || resource.Spec.SeedDataset() == nil {
			return nil
		}
		return []string{resource.Spec.SeedDataset().Name}
	})
	if err != nil {
		return fmt.Errorf("indexing resources by their seeds: %w", err)
	}
	return nil
}

// dependents are the resources whose seed is the dataset of one.
func (r *Reconciler) dependents(ctx context.Context, seed client.ObjectKey) ([]v1alpha1.DatasetGeneration, error) {
	var list v1alpha1.DatasetGenerationList
	err := r.List(ctx, &list, &client.ListOptions{
		Namespace: seed.Namespace, FieldSelector: fields.OneTermEqualSelector(indexSeed, seed.Name),
	})
	if err != nil {
		return nil, fmt.Errorf("listing the resources whose seed is DatasetGeneration %s: %w", seed.Name, err)
	}
	return list.Items, nil
}

// requestsOfDependents are for those whose seed is the dataset of a resource that has changed.
func (r *Reconciler) requestsOfDependents(ctx context.Context, seed client.Object) []reconcile.Request {
	found, err := r.dependents(ctx, client.ObjectKeyFromObject(seed))
	if err != nil {
		return nil // the index is there since the start
	}
	requests := make([]reconcile.Request, len(found))
	for i := range found {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&found[i])
	}
	return requests
}

// concernsDependents lets those changes of a resource pass that those see whose seed is its dataset: how far it is in numbers is none.
func concernsDependents() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(change event.UpdateEvent) bool {
		before, isBefore := change.ObjectOld.(*v1alpha1.DatasetGeneration)
		after, isAfter := change.ObjectNew.(*v1alpha1.DatasetGeneration)
		if !isBefore || !isAfter {
			return false
		}
		return before.Generation != after.Generation || !reflect.DeepEqual(seedStateOf(before), seedStateOf(after))
	}}
}

// reader is the name of a resource whose run reads the dataset of one that is being deleted; empty where there is none.
func (r *Reconciler) reader(ctx context.Context, seed *v1alpha1.DatasetGeneration) (string, error) {
	found, err := r.dependents(ctx, client.ObjectKeyFromObject(seed))
	if err != nil {
		return "", err
	}
	for i := range found {
		run := found[i].Status.Run
		if run != nil && run.CompletionTime == nil && run.Seed != nil && found[i].DeletionTimestamp.IsZero() {
			return found[i].Name, nil
		}
	}
	return "", nil
}
