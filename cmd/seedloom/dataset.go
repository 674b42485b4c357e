package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// metadataName is the file that each dataset has, and latestName leads to the latest of several.
	metadataName = "metadata.json"
	latestName   = "latest"
)

// datasetHelp says, in help texts, what DATASET is.
const datasetHelp = `DATASET is the folder of a dataset, the folder above it (NAMESPACE/NAME, of which the latest is taken), or, with
--output DIR, the name of a DatasetGeneration or NAMESPACE/NAME, as "seedloom run --output DIR" has made it. Folders may be in a
bucket, as s3://BUCKET/FOLDER.`

// datasetOptions are the flags that say where a dataset is that a run has made.
type datasetOptions struct{ output outputOptions }

func (o *datasetOptions) register(flags *pflag.FlagSet) {
	o.output.register(flags)
	flags.Lookup("output").Usage = "the `DIR`, or s3://BUCKET/PREFIX, for datasets of \"seedloom run\", in which DATASET is a name"
}

// open opens a dataset to be read, and returns the name of its folder. The caller closes it.
func (o *datasetOptions) open(ctx context.Context, dataset string) (*store.Store, string, error) {
	isInBucket := strings.HasPrefix(dataset, bucketScheme)
	if isInBucket && o.output.place != "" {
		return nil, "", fmt.Errorf("with --output, DATASET is a name or NAMESPACE/NAME, and not %q", dataset)
	}
	if isInBucket || o.output.inBucket() {
		return o.openInBucket(ctx, dataset)
	}
	folder, err := o.locate(dataset)
	if err != nil {
		return nil, "", err
	}
	opened, err := store.Open(filepath.Dir(folder), filepath.Base(folder), nil)
	return opened, folder, err
}

// candidates are the folders that a dataset may be in.
func (o *datasetOptions) candidates(dataset string) ([]string, error) {
	if o.output.place == "" {
		return []string{dataset}, nil
	}
	if !filepath.IsLocal(dataset) {
		return nil, fmt.Errorf("with --output, DATASET is a name or NAMESPACE/NAME, and not %q", dataset)
	}
	return []string{o.output.join(path.Join("default", filepath.ToSlash(dataset))), o.output.join(filepath.ToSlash(dataset))}, nil
}

// locate returns the folder of a dataset on this machine.
func (o *datasetOptions) locate(dataset string) (string, error) {
	candidates, err := o.candidates(dataset)
	if err != nil {
		return "", err
	}
	for _, candidate := range candidates {
		folders := []string{candidate}
		if name, err := latest(candidate, ""); err == nil {
			folders = append(folders, filepath.Join(candidate, name))
		}
		for _, folder := range folders {
			if folder, err := filepath.EvalSymlinks(folder); err == nil && isDataset(folder) {
				return folder, nil
			}
		}
	}
	return "", o.notFound(candidates)
}

func (o *datasetOptions) notFound(candidates []string) error {
	hint := "; a name is looked for in the folder that --output names"
	if o.output.place != "" {
		hint = ""
	}
	return fmt.Errorf("there is no dataset in %s, with a %s, and none that %s/%s leads to%s", strings.Join(candidates, " or "), metadataName,
		candidates[0], latestName, hint)
}

func isDataset(folder string) bool {
	info, err := os.Stat(filepath.Join(folder, metadataName))
	return err == nil && info.Mode().IsRegular()
}

// openInBucket opens a dataset in a bucket.
func (o *datasetOptions) openInBucket(ctx context.Context, dataset string) (*store.Store, string, error) {
	candidates, err := o.candidates(dataset)
	if err != nil {
		return nil, "", err
	}
	for _, candidate := range candidates {
		opened, err := o.openFolder(ctx, candidate)
		if err != nil {
			return nil, "", err
		}
		found, newest, err := contentOf(opened)
		if found && err == nil {
			return opened, candidate, nil
		}
		_ = opened.Close() // was only read
		if err != nil {
			return nil, "", err
		}
		if newest == "" {
			continue
		}
		folder := strings.TrimSuffix(candidate, "/") + "/" + newest
		if opened, err = o.openFolder(ctx, folder); err != nil {
			return nil, "", err
		}
		if found, _, err = contentOf(opened); found && err == nil {
			return opened, folder, nil
		}
		_ = opened.Close() // was only read
		if err != nil {
			return nil, "", err
		}
	}
	return nil, "", o.notFound(candidates)
}

// openFolder opens a folder in a bucket, by its URL.
func (o *datasetOptions) openFolder(ctx context.Context, folder string) (*store.Store, error) {
	place, config := o.output, engine.Config{}
	place.place = folder
	if err := place.apply(&v1alpha1.DatasetGenerationSpec{}, &config); err != nil {
		return nil, err
	}
	location := config.ObjectStore
	name := path.Base(location.Prefix)
	if location.Prefix = path.Dir(location.Prefix); location.Prefix == "." {
		location.Prefix = ""
	}
	return store.OpenBucket(ctx, location, name, nil)
}

// contentOf says whether a folder is that of a dataset, and else which folder in it the latest one has, where there is one.
func contentOf(opened *store.Store) (isDataset bool, newest string, err error) {
	_, err = opened.ReadFile(metadataName)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err == nil, "", err
	}
	name, err := opened.ReadFile(latestName)
	if errors.Is(err, fs.ErrNotExist) {
		return false, "", nil
	}
	return false, path.Base(strings.TrimSpace(string(name))), err
}

// warnOfPart says of a dataset whose run has not made all of its records that it has not.
func warnOfPart(streams *Streams, opened *store.Store) {
	var described struct {
		Run struct{ Outcome runreport.Outcome }
	}
	data, err := opened.ReadFile(metadataName)
	if err == nil && json.Unmarshal(data, &described) == nil && described.Run.Outcome != runreport.OutcomeComplete {
		streams.Errorf("the run of this dataset is not complete, but %s: records may be missing", described.Run.Outcome)
	}
}
