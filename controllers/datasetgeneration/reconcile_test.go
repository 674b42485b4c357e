package datasetgeneration

import (
	"context"
	"errors"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// errReadOnly is what a readOnlyCluster answers to each write.
var errReadOnly = errors.New("the server takes no writes")

// readOnlyCluster has one resource, which nobody can change.
type readOnlyCluster struct {
	client.Client
	resource *v1alpha1.DatasetGeneration
}

func (c readOnlyCluster) Get(_ context.Context, _ client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	c.resource.DeepCopyInto(object.(*v1alpha1.DatasetGeneration))
	return nil
}

func (c readOnlyCluster) Patch(context.Context, client.Object, client.Patch, ...client.PatchOption) error {
	return errReadOnly
}

// TestErrorsNameTheRun reads what the log shows of a reconcile that fails.
func TestErrorsNameTheRun(t *testing.T) {
	resource := &v1alpha1.DatasetGeneration{Spec: newSpec()}
	resource.Spec.Output.RetentionPolicy = v1alpha1.RetentionDelete // its finalizer is the first write
	resource.Status.Run = &v1alpha1.RunStatus{ID: "3f2c81aa", Attempt: 2}
	r := &Reconciler{Client: readOnlyCluster{resource: resource}}
	_, err := r.Reconcile(t.Context(), reconcile.Request{})
	if !errors.Is(err, errReadOnly) || !strings.Contains(err.Error(), "run 3f2c81aa, attempt 2: ") {
		t.Errorf("error %v, want that of the write, with the run and its attempt", err)
	}
}
