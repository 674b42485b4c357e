package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

const kindDatasetGeneration = "DatasetGeneration"

// manifest is a DatasetGeneration of a file, with all that was found wrong with it.
type manifest struct {
	document *document
	// resource is nil when the document has another form.
	resource *v1alpha1.DatasetGeneration
	object   map[string]any
	// cut says that lists were too long, so that only their beginnings are there.
	cut      bool
	problems []problem
	// counted says how many rows the seed has, where that is known.
	counted string
}

func (m *manifest) isValid() bool { return countOf(m.problems, severityError) == 0 }

func (m *manifest) report(severity severity, field, message string) {
	m.problems = append(m.problems, m.document.at(severity, field, message))
}

// readManifest reads a document, and puts what the flags change into it.
func (d *definition) readManifest(from *document, changes *overrides) (*manifest, error) {
	m := &manifest{document: from}
	object, is := from.object(d.structural)
	m.problems = append(m.problems, from.problems...)
	if !is {
		return m, nil
	}
	delete(object, "status") // which is the controller's alone
	m.object = object
	for _, long := range cutLists(object, d.structural) {
		m.cut = true
		m.report(severityError, long.field, long.message)
	}
	if version, want := fmt.Sprint(object["apiVersion"]), v1alpha1.SchemeGroupVersion.String(); version != want {
		m.report(severityError, "apiVersion", fmt.Sprintf("is %q, and must be %q", version, want))
	}
	changes.apply(object)
	data, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var resource v1alpha1.DatasetGeneration
	if json.Unmarshal(data, &resource) == nil { // what has another type is found by the definition, with its place
		if resource.Namespace == "" {
			resource.Namespace = "default"
		}
		m.resource = &resource
	}
	return m, nil
}

// check finds all that is wrong with a manifest, as an API server and the controller would, and what is odd in it.
func (d *definition) check(ctx context.Context, m *manifest) {
	if m.object == nil {
		return
	}
	refusals, unknown := d.refusalsOf(ctx, m.object)
	consequences, parents := d.reportUnknown(m, unknown)
	m.reportRefusals(refusals, consequences, parents)
	if m.resource != nil && m.isValid() {
		for _, warning := range plan.Warnings(&m.resource.Spec) {
			m.report(severityWarning, warning.Field, warning.Message)
		}
	}
}

// maxUnknown bounds how many unknown fields are listed.
const maxUnknown = 100

// reportUnknown reports the fields that the definition does not know. consequences are fields and objects that are wrong only since
// something in them has the wrong name, and parents are the objects that hold unknown fields.
func (d *definition) reportUnknown(m *manifest, unknown []string) (consequences, parents map[string]bool) {
	consequences, parents = map[string]bool{}, map[string]bool{}
	for i, path := range unknown {
		if i == maxUnknown {
			m.report(severityError, "", fmt.Sprintf("there are %d more fields that the API does not have", len(unknown)-i))
			break
		}
		parent, name := "", path
		if cut := strings.LastIndex(path, "."); cut >= 0 {
			parent, name = path[:cut], path[cut+1:]
		}
		hint := plan.Suggestion(name, d.fieldsOf(parent))
		if match := quoted.FindStringSubmatch(hint); match != nil && strings.Contains(hint, "did you mean") {
			if _, there := m.document.places[joined(parent, match[1])]; !there {
				consequences[joined(parent, match[1])] = true
			}
		}
		parents[parent] = true
		m.report(severityError, path, fmt.Sprintf("there is no field %q%s", name, hint))
	}
	return consequences, parents
}

// reportRefusals reports what an API server and the controller refuse, each field once, without the consequences of unknown fields.
func (m *manifest) reportRefusals(refusals []refusal, consequences, parents map[string]bool) {
	said := map[string]bool{}
	report := func(field, message string) {
		said[field] = true
		if !isConsequence(field, consequences) {
			m.report(severityError, field, message)
		}
	}
	for _, refusal := range refusals {
		if refusal.enum {
			report(refusal.field, refusal.message)
		}
	}
	// Of a spec that is none, or that is not there as a whole, nothing more can be said.
	if _, isObject := m.object["spec"].(map[string]any); m.resource != nil && isObject && !m.cut {
		for _, violation := range plan.Validate(&m.resource.Spec) {
			union := violation.Reason == plan.ReasonInvalidUnion && parents[violation.Field]
			if !said[violation.Field] && !union {
				report(violation.Field, violation.Message)
			}
		}
	}
	for _, refusal := range refusals {
		// What the spec says of itself is said above, in better words.
		if !said[refusal.field] && !(refusal.ofParts && parents[refusal.field]) {
			report(refusal.field, refusal.message)
		}
	}
}

// isConsequence says whether a field is one of those, or in one.
func isConsequence(field string, consequences map[string]bool) bool {
	for path := range consequences {
		if field == path || strings.HasPrefix(field, path+".") || strings.HasPrefix(field, path+"[") {
			return true
		}
	}
	return false
}

// overrides are what flags change in a manifest.
type overrides struct {
	// endpoints are those of providers, by their names.
	endpoints map[string]string
	// numRecords is 0 when it stays as it is.
	numRecords int64
	trace      bool
	// applied are the names of providers whose endpoints were changed.
	applied map[string]bool
}

// unknown is the error of an endpoint whose provider no manifest has.
func (o *overrides) unknown() error {
	for _, name := range slices.Sorted(maps.Keys(o.endpoints)) {
		if !o.applied[name] {
			return fmt.Errorf("--endpoint names the provider %q, which is not in spec.providers", name)
		}
	}
	return nil
}

// apply changes the object, and notes the providers that it has.
func (o *overrides) apply(object map[string]any) {
	spec, is := object["spec"].(map[string]any)
	if !is {
		return // which is found as a problem
	}
	if o.numRecords != 0 {
		spec["numRecords"] = o.numRecords
	}
	if o.trace {
		settings, is := spec["run"].(map[string]any)
		if !is {
			settings = map[string]any{}
			spec["run"] = settings
		}
		settings["trace"] = string(v1alpha1.TraceEnabled)
	}
	for name, endpoint := range o.endpoints {
		if setEndpoint(spec, name, endpoint) {
			o.applied[name] = true
		}
	}
}

func setEndpoint(spec map[string]any, name, endpoint string) (found bool) {
	providers, _ := spec["providers"].([]any) // what is no list is found as a problem
	for _, entry := range providers {
		if provider, is := entry.(map[string]any); is && provider["name"] == name {
			provider["endpoint"], found = endpoint, true
		}
	}
	return found
}

// namespace is the one of the file, or that which kubectl would choose.
func (m *manifest) namespace() string {
	return cmp.Or(m.document.text("metadata", "namespace"), "default")
}
