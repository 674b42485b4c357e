package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/parquet/file"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// statusWatcher sees every status that the datasets of a namespace ever have. What must hold of all of them, in whatever test, is checked
// here.
type statusWatcher struct {
	mutex    sync.Mutex
	last     map[string]*v1alpha1.DatasetGeneration
	attempts map[string]*seenAttempt
	faults   []string
}

// seenAttempt is what was seen of one attempt.
type seenAttempt struct {
	running, failed, stalled bool
	// fell says that there were fewer records than before. A row counts once it is whole; where it can't be written, which fails the run, it
	// counts no more.
	fell string
}

// watchStatuses watches a world until its test has ended, and then fails the test for what was wrong.
func watchStatuses(w *world) {
	GinkgoHelper()
	watching, err := client.NewWithWatch(rest.CopyConfig(apiConfig), client.Options{Scheme: apiClient.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	seen := &statusWatcher{last: map[string]*v1alpha1.DatasetGeneration{}, attempts: map[string]*seenAttempt{}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			seen.follow(ctx, watching, w.namespace)
		}
	}()
	DeferCleanup(func() {
		cancel()
		<-ended
		for _, attempt := range seen.attempts {
			if attempt.fell != "" && !attempt.failed {
				seen.faults = append(seen.faults, attempt.fell)
			}
		}
		Expect(seen.faults).To(BeEmpty(), "of all statuses that there were")
	})
}

// follow sees what a watch brings until it ends, as it does now and then.
func (s *statusWatcher) follow(ctx context.Context, watching client.WithWatch, namespace string) {
	events, err := watching.Watch(ctx, &v1alpha1.DatasetGenerationList{}, client.InNamespace(namespace))
	if err != nil {
		select {
		case <-ctx.Done():
		case <-time.After(pollInterval):
		}
		return
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		if dataset, is := event.Object.(*v1alpha1.DatasetGeneration); is {
			s.see(dataset)
		}
	}
}

// see checks one status by itself, and against those before.
func (s *statusWatcher) see(dataset *v1alpha1.DatasetGeneration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	fault := func(format string, arguments ...any) {
		s.faults = append(s.faults, fmt.Sprintf("%s at %s: ", dataset.Name, dataset.ResourceVersion)+fmt.Sprintf(format, arguments...))
	}
	is := func(conditionType string) bool { return isTrue(dataset, conditionType) }
	if is(v1alpha1.ConditionComplete) && is(v1alpha1.ConditionFailed) {
		fault("it is complete and failed")
	}
	if is(v1alpha1.ConditionReconciling) && (is(v1alpha1.ConditionStalled) || is(v1alpha1.ConditionReady)) {
		fault("it is reconciling, and stalled or ready")
	}
	before, run := s.last[dataset.Name], dataset.Status.Run
	s.last[dataset.Name] = dataset.DeepCopy()
	if run == nil || dataset.DeletionTimestamp != nil {
		return
	}
	key := fmt.Sprintf("%s %s-%d", dataset.Name, run.ID, run.Attempt)
	attempt := s.attempts[key]
	if attempt == nil {
		attempt = &seenAttempt{}
		s.attempts[key] = attempt
	}
	// What can't start may stall and then go on; what has run may not.
	attempt.stalled = attempt.stalled || attempt.running && is(v1alpha1.ConditionStalled)
	attempt.running = attempt.running || dataset.Status.Records != nil && dataset.Status.Records.Actual > 0
	attempt.failed = attempt.failed || is(v1alpha1.ConditionFailed) && run.CompletionTime != nil
	if is(v1alpha1.ConditionComplete) && run.CompletionTime != nil && (attempt.failed || attempt.stalled) {
		fault("attempt %s was shown as failed or stalled, and has ended well", key)
	}
	if before == nil || before.UID != dataset.UID || before.Status.Run == nil || before.Status.Run.ConfigHash != run.ConfigHash ||
		before.Status.Records == nil || dataset.Status.Records == nil {
		return
	}
	if then, now := before.Status.Records.Actual, dataset.Status.Records.Actual; now < then {
		attempt.fell = fmt.Sprintf("%s at %s: records fall from %d to %d", key, dataset.ResourceVersion, then, now)
	}
}

// expectTrueAtRest compares what is said of each dataset at rest, and in the metadata of runs that others have superseded, with what lies
// in the files.
func (w *world) expectTrueAtRest(ctx context.Context) {
	GinkgoHelper()
	var list v1alpha1.DatasetGenerationList
	Expect(apiClient.List(ctx, &list, client.InNamespace(w.namespace))).To(Succeed())
	for i := range list.Items {
		dataset := &list.Items[i]
		isSuspended := isTrue(dataset, v1alpha1.ConditionSuspended) && len(w.enginePods(ctx, dataset.Name)) == 0
		isComplete := isTrue(dataset, v1alpha1.ConditionComplete)
		if dataset.Status.Output == nil || dataset.Status.Records == nil ||
			!isSuspended && !isComplete && !isTrue(dataset, v1alpha1.ConditionFailed) {
			continue
		}
		current := w.folder(dataset)
		Expect(dataset.Status.Records.Actual).To(BeEquivalentTo(rowsIn(current)),
			"status.records.actual of %s, and rows in its files", dataset.Name)
		described, err := filepath.Glob(filepath.Join(filepath.Dir(current), "[0-9a-f]*", "metadata.json"))
		Expect(err).NotTo(HaveOccurred())
		for _, path := range described {
			// A run that could not write its files could not write its metadata either.
			if folder := filepath.Dir(path); folder != current || isComplete {
				text, err := os.ReadFile(path)
				Expect(err).NotTo(HaveOccurred())
				var metadata struct {
					Actual int64 `json:"actual_num_records"`
				}
				Expect(json.Unmarshal(text, &metadata)).To(Succeed(), path)
				Expect(metadata.Actual).To(Equal(rowsIn(folder)), "%s, and rows in its files", path)
			}
		}
	}
}

// rowsIn counts the rows of a dataset's files.
func rowsIn(folder string) (count int64) {
	GinkgoHelper()
	files, err := filepath.Glob(filepath.Join(folder, "parquet-files", "batch_*.parquet"))
	Expect(err).NotTo(HaveOccurred())
	for _, path := range files {
		reader, err := file.OpenParquetFile(path, false)
		Expect(err).NotTo(HaveOccurred(), path)
		count += reader.NumRows()
		Expect(reader.Close()).To(Succeed())
	}
	return count
}
