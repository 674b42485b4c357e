package datasetgeneration

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/allowlist"
)

// Violations are all that is wrong with a spec, by itself and by what the owner of the platform allows: what admission refuses, and what
// Accepted shows.
func (o *Options) Violations(spec *v1alpha1.DatasetGenerationSpec) []plan.Violation {
	return slices.Concat(plan.Validate(spec), invalidReferences(spec), oversized(spec), o.endpointViolations(spec))
}

// endpointViolations says which endpoints of a spec are not allowed, as far as that is known before they are dialled. The engine looks at
// the addresses that names lead to.
func (o *Options) endpointViolations(spec *v1alpha1.DatasetGenerationSpec) []plan.Violation {
	list := o.Endpoints
	if list == nil {
		list = &allowlist.List{}
	}
	var found []plan.Violation
	for _, endpoint := range endpoints(spec) {
		address, err := url.Parse(endpoint.name)
		if err != nil || endpoint.name == "" {
			// That it is no URL is a violation of its own.
			continue
		}
		if why := list.RefusesURL(address); why != "" {
			found = append(found, plan.Violation{Field: endpoint.field, Reason: plan.ReasonInvalidValue, Message: why})
		}
	}
	return found
}

// endpoints are the URLs to which the engine of a spec sends requests, each with its field.
func endpoints(spec *v1alpha1.DatasetGenerationSpec) []reference {
	var found []reference
	add := func(name, field string, arguments ...any) {
		found = append(found, reference{field: fmt.Sprintf(field, arguments...), name: name})
	}
	for i := range spec.Providers {
		add(spec.Providers[i].Endpoint, "spec.providers[%d].endpoint", i)
		add(spec.Providers[i].ProxyURL, "spec.providers[%d].proxyURL", i)
	}
	for i := range spec.ToolServers {
		add(spec.ToolServers[i].Endpoint, "spec.toolServers[%d].endpoint", i)
	}
	for i := range spec.Columns {
		if validation := spec.Columns[i].Validation; validation != nil && validation.Remote != nil {
			add(validation.Remote.Endpoint, "spec.columns[%d].validation.remote.endpoint", i)
		}
		if dataset := spec.Columns[i].PersonDataset(); dataset != nil && dataset.HTTP != nil {
			add(dataset.HTTP.URL, "spec.columns[%d].sampler.person.dataset.http.url", i)
		}
	}
	if spec.Seed != nil && spec.Seed.HTTP != nil {
		add(spec.Seed.HTTP.URL, "spec.seed.http.url")
	}
	if store := spec.SeedStore(); store != nil {
		add(store.Endpoint, "spec.seed.objectStore.endpoint")
	}
	if repository := spec.SeedRepository(); repository != nil {
		add(repository.EffectiveEndpoint(), "spec.seed.huggingFace.endpoint")
	}
	if place := spec.Output.ObjectStore; place != nil {
		add(place.Endpoint, "spec.output.objectStore.endpoint")
	}
	if repository := spec.HubRepository(); repository != nil {
		add(repository.EffectiveEndpoint(), "spec.publish.huggingFace.endpoint")
	}
	return found
}

// errNotForRuns is what is known of a Secret that lacks the label by which its owner opens it to runs.
var errNotForRuns = errors.New("the Secret is not for runs")

// secretsNotPermitted says which Secrets of a spec are not for runs. Of a Secret nothing but its metadata is read. Those that images are
// pulled with are not among them: the kubelet shows them to their registry alone. With live, and of what was not asked before, it is what
// the API server says now; asked says whether all is.
func (r *Reconciler) secretsNotPermitted(
	ctx context.Context, resource *v1alpha1.DatasetGeneration, live bool,
) (refused []string, asked bool, err error) {
	var failures []error
	asked = true
	for _, reference := range referencesOfRun(resource) {
		if reference.kind != kindSecret {
			continue
		}
		remembered, err := r.lookUpSecret(ctx, resource, reference, live)
		asked = asked && !remembered
		switch {
		case apierrors.IsNotFound(err):
			refused = append(refused, fmt.Sprintf("%s: Secret %q does not exist in namespace %s; create it with the label %s=true, "+
				"and the run goes on by itself", reference.field, reference.name, resource.Namespace, v1alpha1.LabelAllowInRuns))
		case errors.Is(err, errNotForRuns):
			refused = append(refused, fmt.Sprintf("%s: Secret %q is not for runs; who may change it can allow it: "+
				"kubectl label secret %s --namespace %s %s=true", reference.field, reference.name, reference.name, resource.Namespace,
				v1alpha1.LabelAllowInRuns))
		case err != nil:
			failures = append(failures, fmt.Errorf("%s: the Secret %q can't be looked up: %w", reference.field, reference.name, err))
		}
	}
	return refused, asked, errors.Join(failures...)
}

// lookUpSecret says whether a Secret is for runs, by what is remembered when it is too early to ask again. A watch would spare that, but
// needs the right to list Secrets, with their values.
func (r *Reconciler) lookUpSecret(
	ctx context.Context, resource *v1alpha1.DatasetGeneration, asked reference, live bool,
) (remembered bool, answer error) {
	owner := client.ObjectKeyFromObject(resource)
	if !live {
		if answer, known := r.lookUps.last(owner, asked, r.Now()); known {
			return true, answer
		}
	}
	secret := metadataOf(kindSecret)
	answer = r.APIReader.Get(ctx, types.NamespacedName{Namespace: resource.Namespace, Name: asked.name}, secret)
	if answer == nil && secret.Labels[v1alpha1.LabelAllowInRuns] != "true" {
		answer = errNotForRuns
	}
	if ctx.Err() == nil {
		r.lookUps.keep(owner, asked, answer)
	}
	return false, answer
}
