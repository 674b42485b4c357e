package datasetgeneration

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// emptyCluster has nothing that is looked up, and counts the look-ups.
type emptyCluster struct {
	client.Client
	asked int
}

func (c *emptyCluster) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	c.asked++
	return apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, key.Name)
}

// TestWhatManyRunsWaitForIsAskedForSeldom has a thousand runs that wait for a claim and a seed which don't exist, and are looked at again
// and again for ten minutes.
func TestWhatManyRunsWaitForIsAskedForSeldom(t *testing.T) {
	now := testNow
	cached, live := &emptyCluster{}, &emptyCluster{}
	r := &Reconciler{Client: cached, APIReader: live, Now: func() time.Time { return now }}
	resource := func(number int) *v1alpha1.DatasetGeneration {
		spec := newSpec()
		spec.Seed = &v1alpha1.Seed{ConfigMap: &v1alpha1.ConfigMapSeed{Name: "cities", Key: "cities.csv"}}
		run := v1alpha1.RunStatus{StartTime: &metav1.Time{Time: testNow.Add(-time.Second)}}
		return &v1alpha1.DatasetGeneration{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: fmt.Sprint(number)}, Spec: spec,
			Status: v1alpha1.DatasetGenerationStatus{Run: &run},
		}
	}
	const runs, minutes = 1000, 10
	look := func() {
		for number := range runs {
			missing, err := r.missingReferences(t.Context(), resource(number))
			if len(missing) != 2 || err != nil {
				t.Fatalf("missing %q, error %v", missing, err)
			}
		}
	}
	look()
	if live.asked != 2*runs {
		t.Errorf("%d look-ups, want one for each reference of a fresh run", live.asked)
	}
	live.asked = 0
	for range minutes {
		now = now.Add(time.Minute)
		look()
	}
	if most := minutes*60*lookUpsPerSecond + lookUpBurst; live.asked == 0 || live.asked > most {
		t.Errorf("%d look-ups in %d minutes, want some, and at most %d", live.asked, minutes, most)
	}
}

// TestSecretsAreAskedForSeldom has a thousand runs that wait for a Secret which is not for runs.
func TestSecretsAreAskedForSeldom(t *testing.T) {
	now, server := testNow, &emptyCluster{}
	r := &Reconciler{APIReader: server, Now: func() time.Time { return now }}
	const runs, minutes = 1000, 10
	look := func() {
		for number := range runs {
			resource := &v1alpha1.DatasetGeneration{
				ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: fmt.Sprint(number)}, Spec: askingSpec("http://vllm.models.svc/v1"),
			}
			if refused, _, err := r.secretsNotPermitted(t.Context(), resource, false); len(refused) != 1 || err != nil {
				t.Fatalf("refused %q, error %v", refused, err)
			}
		}
	}
	look()
	if server.asked != runs {
		t.Errorf("%d look-ups, want one for each run", server.asked)
	}
	server.asked = 0
	for range minutes {
		now = now.Add(time.Minute)
		look()
	}
	if most := minutes*60*lookUpsPerSecond + lookUpBurst; server.asked == 0 || server.asked > most {
		t.Errorf("%d look-ups in %d minutes, want some, and at most %d", server.asked, minutes, most)
	}
}

// oneSecret is an API server with one Secret, which may have the label that opens it to runs.
type oneSecret struct {
	client.Reader
	open bool
}

func (o *oneSecret) Get(_ context.Context, _ client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if o.open {
		into.SetLabels(map[string]string{v1alpha1.LabelAllowInRuns: "true"})
	}
	return nil
}

// TestNothingIsCreatedByAnAnswerThatIsRemembered has the owner of a Secret close it while a run waits.
func TestNothingIsCreatedByAnAnswerThatIsRemembered(t *testing.T) {
	server := &oneSecret{open: true}
	r := &Reconciler{APIReader: server, Now: func() time.Time { return testNow }, Options: Options{LabelledSecretsOnly: true}}
	resource := &v1alpha1.DatasetGeneration{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "reviews"}, Spec: askingSpec("http://vllm.models.svc/v1"),
	}
	var remembered []string
	for asked := true; asked; {
		var err error
		if remembered, asked, err = r.secretsNotPermitted(t.Context(), resource, false); err != nil {
			t.Fatal(err)
		}
	}
	server.open = false
	if len(remembered) > 0 {
		t.Fatalf("refused %q", remembered)
	}
	s := &situation{input: &input{resource: resource}}
	if err := r.askSecrets(t.Context(), s); !apierrors.IsConflict(err) {
		t.Errorf("error %v, want a conflict", err)
	}
	if refused, asked, _ := r.secretsNotPermitted(t.Context(), resource, false); len(refused) != 1 || asked {
		t.Errorf("refused %q, asked %t: what is remembered is not corrected", refused, asked)
	}
	server.open = true
	if err := r.askSecrets(t.Context(), s); err != nil {
		t.Errorf("error %v", err)
	}
}

// TestAnswersAreForgotten has a run that has started, and waits again later.
func TestAnswersAreForgotten(t *testing.T) {
	var known lookUps
	resource, asked := client.ObjectKey{Name: "reviews"}, reference{"spec.seed.configMap.name", kindConfigMap, "cities"}
	refused := errors.New("not allowed")
	known.keep(resource, asked, refused)
	for range lookUpBurst {
		if _, is := known.last(resource, asked, testNow); is {
			t.Fatal("it may be asked again, and is not")
		}
	}
	if answer, is := known.last(resource, asked, testNow); !is || !errors.Is(answer, refused) {
		t.Errorf("answer %v, known %t", answer, is)
	}
	known.forget(resource)
	if _, is := known.last(resource, asked, testNow); is {
		t.Error("it is known of a run that has started")
	}
}
