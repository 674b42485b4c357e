package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/internal/runreport"
)

// seedName is the name of the DatasetGeneration whose dataset is the manifest's seed; empty where it has none.
func (m *manifest) seedName() string { return m.document.text("spec", "seed", "datasetRef", "name") }

// seedOf is the manifest of the dataset that is the seed of another one, or nil where that is not among the files.
func (r *resources) seedOf(one *manifest) *manifest {
	name := one.seedName()
	at := slices.IndexFunc(r.manifests, func(other *manifest) bool {
		return name != "" && other.document.text("metadata", "name") == name && other.namespace() == one.namespace()
	})
	if at < 0 {
		return nil
	}
	return r.manifests[at]
}

// before returns a manifest behind those whose datasets it needs, or the circle in which it needs itself.
func (r *resources) before(one *manifest) (ordered, circle []*manifest) {
	for next := one; next != nil; next = r.seedOf(next) {
		if at := slices.Index(ordered, next); at >= 0 {
			return nil, append(slices.Clone(ordered[at:]), next)
		}
		ordered = append(ordered, next)
	}
	slices.Reverse(ordered)
	return ordered, nil
}

func circleMessage(circle []*manifest) string {
	names := make([]string, len(circle))
	for i, one := range circle {
		names[i] = one.document.text("metadata", "name")
	}
	return "datasets are each other's seeds in a circle: " + strings.Join(names, " → ")
}

// chain returns the manifests to run, each behind the one whose dataset is its seed: that with the name, and what it needs, or all where
// they belong together.
func (r *resources) chain(name string) ([]*manifest, error) {
	targets := r.manifests
	if name != "" || len(r.manifests) == 0 {
		chosen, err := r.choose(name)
		if err != nil {
			return nil, err
		}
		targets = []*manifest{chosen}
	}
	var ordered []*manifest
	roots := map[*manifest]bool{}
	for _, target := range targets {
		needed, circle := r.before(target)
		if circle != nil {
			return nil, errors.New(circleMessage(circle))
		}
		roots[needed[0]] = true
		for _, one := range needed {
			if !slices.Contains(ordered, one) {
				ordered = append(ordered, one)
			}
		}
	}
	if len(roots) > 1 {
		_, err := r.choose("")
		return nil, fmt.Errorf("%w; only those that need each other's datasets are run together", err)
	}
	return ordered, nil
}

// checkChains says which manifests need each other in a circle.
func (r *resources) checkChains() {
	for _, one := range r.manifests {
		if _, circle := r.before(one); slices.Contains(circle, one) {
			one.report(severityError, "spec.seed.datasetRef.name", circleMessage(circle))
		}
	}
}

// unchecked says of a manifest what could not be checked without that of its seed; empty where that is among the files.
func (r *resources) unchecked(one *manifest) string {
	if one.seedName() == "" || r.seedOf(one) != nil {
		return ""
	}
	return fmt.Sprintf("; which columns its seed has is not known without the manifest of %s", one.seedName())
}

// foundDataset is a dataset that is the seed of another one.
type foundDataset struct {
	runreport.SeedDataset
	rows int64
	// store is the bucket that it lies in; nil where it lies in a folder.
	store *s3.Location
}

// findDataset finds the dataset that is the seed of a manifest: that which this command has just generated, or the latest one.
func (s *session) findDataset(ctx context.Context, of *manifest, all *resources) (*foundDataset, error) {
	ref := of.resource.Spec.SeedDataset()
	if s.datasets.place == "" {
		return nil, fmt.Errorf("the seed is the dataset %q: generate it by seedloom run, and name the folder that has it with --datasets DIR",
			ref.Name)
	}
	found := &foundDataset{SeedDataset: runreport.SeedDataset{Name: ref.Name}}
	if s.datasets.inBucket() {
		spec := &of.resource.Spec
		if seed := all.seedOf(of); seed != nil && seed.resource != nil {
			spec = &seed.resource.Spec // which may say where the bucket is
		}
		var err error
		if found.store, err = s.datasets.location(spec); err != nil {
			return nil, err
		}
	}
	beside := path.Join(of.resource.Namespace, ref.Name)
	folder, generated := s.generated[beside]
	if !generated {
		var err error
		if folder, err = s.latest(ctx, found.store, beside); err != nil {
			return nil, fmt.Errorf("the seed is the dataset %q, and there is none in %s: give its manifest too, or run it first (%w)", ref.Name,
				s.datasets.place, err)
		}
	}
	rows, err := s.openRows(ctx, found.store, folder, ref.Form)
	if err != nil {
		return nil, fmt.Errorf("reading the dataset %q, which is the seed: %w", ref.Name, err)
	}
	found.Path, found.RowsDigest = folder, rows.Digest
	for _, file := range rows.Files {
		found.rows += file.Rows
	}
	return found, rows.Close()
}

// openRows opens the files of a dataset in the folder of datasets, or in the bucket.
func (s *session) openRows(ctx context.Context, bucket *s3.Location, folder, form string) (*store.RowFiles, error) {
	if bucket != nil {
		return store.OpenRowsInBucket(ctx, bucket, folder, form)
	}
	return store.OpenRows(s.datasets.place, folder, form)
}

// latest is the folder of the latest dataset in a folder of the datasets, or of the bucket.
func (s *session) latest(ctx context.Context, bucket *s3.Location, beside string) (string, error) {
	if bucket == nil {
		return latest(s.datasets.place, beside)
	}
	opened, err := store.OpenBucket(ctx, bucket, beside, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = opened.Close() }() // was only read
	_, newest, err := contentOf(opened)
	if err == nil && newest == "" {
		err = fmt.Errorf("%w in %s", store.ErrNoDataset, beside)
	}
	return path.Join(beside, newest), err
}

// latest is the folder of the latest dataset in the folder beside, which is in root.
func latest(root, beside string) (string, error) {
	within, err := os.OpenRoot(root)
	if err != nil {
		return "", err
	}
	defer within.Close()
	name := path.Join(beside, latestName)
	target, err := within.Readlink(name)
	if err != nil {
		// Where there are no links, a file says where it leads.
		text, unreadable := within.ReadFile(name)
		if unreadable != nil {
			return "", unreadable
		}
		target = strings.TrimSpace(string(text))
	}
	return path.Join(beside, path.Base(target)), nil
}

// fit gives a spec as many records as follow from its seed, where it does not say how many.
func (f *foundDataset) fit(spec *v1alpha1.DatasetGenerationSpec) (err error) {
	spec.NumRecords, err = plan.NumRecords(spec, f.rows)
	return err
}

// unknownFlags is the error of flags that name what none of several manifests has.
func (i *input) unknownFlags(chain []*manifest) error {
	providers, servers := map[string]bool{}, map[string]bool{}
	for _, one := range chain {
		for _, provider := range one.resource.Spec.Providers {
			providers[provider.Name] = true
		}
		for _, server := range one.resource.Spec.ToolServers {
			servers[server.Name] = true
		}
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(i.apiKeys)) {
		if !providers[name] {
			problems = append(problems, fmt.Errorf("--api-key names the provider %q, which no manifest has", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i.toolKeys)) {
		if !servers[name] {
			problems = append(problems, fmt.Errorf("--tool-key names the tool server %q, which no manifest has", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i.seedHeaders)) {
		has := func(one *manifest) bool { return slices.ContainsFunc(one.resource.Spec.SeedHeaders(), isHeader(name)) }
		if !slices.ContainsFunc(chain, has) {
			problems = append(problems, fmt.Errorf("--seed-header names the header %q, which spec.seed.http of no manifest has", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i.validatorHeaders)) {
		has := func(one *manifest) bool { return hasValidatorHeader(&one.resource.Spec, name) }
		if !slices.ContainsFunc(chain, has) {
			problems = append(problems, fmt.Errorf("--validator-header names %q, which is no COLUMN:HEADER of a header from a Secret in "+
				"validation.remote of a manifest", name))
		}
	}
	readsHub := func(one *manifest) bool { return one.resource.Spec.SeedRepository() != nil }
	if i.seedToken != "" && !slices.ContainsFunc(chain, readsHub) {
		problems = append(problems, errors.New("--seed-token is for a seed from a hub (spec.seed.huggingFace), which no manifest has"))
	}
	return errors.Join(append(problems, i.unknownFiles(chain)...)...)
}

// unknownFiles are the errors of flags with files that none of several manifests reads.
func (i *input) unknownFiles(chain []*manifest) (problems []error) {
	for _, name := range slices.Sorted(maps.Keys(i.peopleFiles)) {
		has := func(one *manifest) bool { return readsPeople(&one.resource.Spec, name) }
		if !slices.ContainsFunc(chain, has) {
			problems = append(problems, fmt.Errorf("--people-file is for columns with people from a ConfigMap or a volume, and %q is none in any "+
				"manifest", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i.volumeDirectories)) {
		has := func(one *manifest) bool { return slices.Contains(mediaVolumes(&one.resource.Spec), name) }
		if !slices.ContainsFunc(chain, has) {
			problems = append(problems, fmt.Errorf("--volume-dir is for volumes that the context of a prompt names, and %q is none in any manifest",
				name))
		}
	}
	return problems
}

// only leaves out of the flags with keys what a spec does not have.
func (i *input) only(spec *v1alpha1.DatasetGenerationSpec) *input {
	fitting := *i
	fitting.apiKeys, fitting.toolKeys = maps.Clone(i.apiKeys), maps.Clone(i.toolKeys)
	maps.DeleteFunc(fitting.apiKeys, func(name, _ string) bool { return spec.Provider(name) == nil })
	maps.DeleteFunc(fitting.toolKeys, func(name, _ string) bool {
		return !slices.ContainsFunc(spec.ToolServers, func(server v1alpha1.ToolServer) bool { return server.Name == name })
	})
	fitting.seedHeaders = maps.Clone(i.seedHeaders)
	maps.DeleteFunc(fitting.seedHeaders, func(name, _ string) bool { return !slices.ContainsFunc(spec.SeedHeaders(), isHeader(name)) })
	if spec.SeedRepository() == nil {
		fitting.seedToken = ""
	}
	fitting.validatorHeaders = maps.Clone(i.validatorHeaders)
	maps.DeleteFunc(fitting.validatorHeaders, func(name, _ string) bool { return !hasValidatorHeader(spec, name) })
	fitting.peopleFiles, fitting.volumeDirectories = maps.Clone(i.peopleFiles), maps.Clone(i.volumeDirectories)
	maps.DeleteFunc(fitting.peopleFiles, func(column, _ string) bool { return !readsPeople(spec, column) })
	volumes := mediaVolumes(spec)
	maps.DeleteFunc(fitting.volumeDirectories, func(name, _ string) bool { return !slices.Contains(volumes, name) })
	return &fitting
}
