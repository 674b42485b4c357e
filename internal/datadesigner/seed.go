package datadesigner

import (
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
)

func (c *converter) seed(root *object) {
	config := root.child("seed_config")
	if config == nil {
		return
	}
	source := config.child("source")
	if source == nil {
		c.lose(config.path, "has no source, and is left out")
		return
	}
	seed := &v1alpha1.Seed{}
	switch kind := source.text("seed_type"); kind {
	case "local":
		c.localFile(source, seed)
	case "directory", "file_contents":
		c.folderFiles(source, kind, seed)
	case "agent_rollout":
		if !c.agentRollouts(source, seed) {
			return
		}
	case "hf":
		if !c.repository(source, seed) {
			return
		}
	default:
		c.loseSeed(source, kind)
		return
	}
	if config.text("sampling_strategy") == "shuffle" {
		seed.Order = v1alpha1.SeedShuffled
	}
	if selection := config.child("selection_strategy"); selection != nil {
		seed.Selection = c.selection(selection)
	}
	config.rest()
	c.spec.Seed = seed
}

// localFile is a file of the machine of whoever wrote the configuration: it must be on a volume for a cluster.
func (c *converter) localFile(from *object, to *v1alpha1.Seed) {
	file := from.text("path")
	name := place(file)
	to.PersistentVolumeClaim = &v1alpha1.PersistentVolumeClaimSeed{ClaimName: c.options.ClaimName, Path: name}
	c.note(from.at("path"), "the file is looked for as %s in the claim %s: copy it there, or name another claim in spec.seed; on the command "+
		"line it is looked for beside the manifest, or where --seed-file says", name, c.options.ClaimName)
}

// hubToken is the name of the Secret that is to hold the token for a hub.
const hubToken = "hugging-face"

// repository is a dataset repository of a hub: datasets/OWNER/NAME, with the revision behind an @, and the files in it. It says whether it
// is one.
func (c *converter) repository(from *object, to *v1alpha1.Seed) bool {
	name := strings.TrimPrefix(from.text("path"), "hf://")
	parts := strings.SplitN(name, "/", 4)
	if len(parts) < 3 || parts[0] != "datasets" || parts[1] == "" || parts[2] == "" {
		c.lose(from.at("path"), "%q is no path in a dataset repository, such as datasets/OWNER/NAME/data/*.parquet; the seed is left out", name)
		return false
	}
	seed := &v1alpha1.HuggingFaceSeed{Endpoint: strings.TrimSuffix(from.text("endpoint"), "/")}
	if seed.Endpoint == v1alpha1.DefaultHub {
		seed.Endpoint = ""
	}
	repository, revision, _ := strings.Cut(parts[2], "@")
	seed.Repository, seed.Revision = parts[1]+"/"+repository, strings.ReplaceAll(revision, "%2F", "/")
	if revision == "~parquet" {
		seed.Revision = "refs/convert/parquet"
	}
	if len(parts) == 4 && parts[3] != "" {
		seed.Paths = []string{parts[3]}
	}
	if token := from.text("token"); token != "" {
		seed.TokenSecretRef = c.secret(hubToken, token, from.at("token"))
	}
	from.rest()
	to.HuggingFace = seed
	return true
}

// loseSeed tells of a seed that can't be carried over.
func (c *converter) loseSeed(from *object, kind string) {
	switch kind {
	case "df":
		c.lose(from.path, "a frame in memory stands in no configuration: write it to a Parquet file, and make that the seed")
	default:
		c.lose(from.path, "seeds of the type %q have no counterpart: write the rows to a Parquet, CSV or JSON Lines file, and make that the seed",
			kind)
	}
}

// selection is a range of rows, whose end is included, or one of several parts.
func (c *converter) selection(from *object) *v1alpha1.SeedSelection {
	defer from.rest()
	if start, end := from.whole("start"), from.whole("end"); start != nil && end != nil {
		limit := *end - *start + 1
		return &v1alpha1.SeedSelection{Offset: start, Limit: &limit}
	}
	index, count := from.small("index"), from.small("num_partitions")
	if index == nil {
		index = new(int32)
	}
	if count == nil {
		return nil
	}
	return &v1alpha1.SeedSelection{Partition: &v1alpha1.SeedPartition{Index: index, Count: *count}}
}
