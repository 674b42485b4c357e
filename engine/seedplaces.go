package engine

import (
	"cmp"
	"context"

	"seedloom.dev/seedloom/engine/hub"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/seed/bucket"
	remotefiles "seedloom.dev/seedloom/engine/seed/remote"
	"seedloom.dev/seedloom/engine/seed/repository"
	"seedloom.dev/seedloom/engine/store"
)

// openSeedPlace opens where the files of the seed are that are neither mounted nor on a web server.
func (o *opened) openSeedPlace(ctx context.Context) (seed.Folder, error) {
	place, err := o.seedPlace(ctx)
	if err != nil {
		return nil, err
	}
	return remotefiles.Open(ctx, place), nil
}

func (o *opened) seedPlace(ctx context.Context) (remotefiles.Place, error) {
	if o.spec.SeedRepository() != nil {
		return o.seedRepository()
	}
	place := o.spec.SeedStore().Store()
	if o.config.SeedStoreDirectory == "" { // then the credentials and certificates are those of the environment
		place.CredentialsSecretRef, place.CABundleConfigMapRef = nil, nil
	}
	location, err := ObjectStore(place, o.config.SeedStoreDirectory)
	if err != nil {
		return nil, err
	}
	location.Transport = o.seedGuard().Client().Transport
	return bucket.Open(ctx, location)
}

// seedRepository opens the repository that is the seed, at the commit with which the run has begun.
func (o *opened) seedRepository() (*repository.Repository, error) {
	from := o.spec.SeedRepository()
	endpoint := from.EffectiveEndpoint()
	if from.Endpoint == "" {
		endpoint = cmp.Or(o.config.SeedHub, endpoint)
	}
	options := repository.Options{
		Source: hub.Source{
			Endpoint: endpoint, Repository: from.Repository, Token: o.config.SeedToken, UserAgent: "seedloom/" + o.config.Version,
			Transport: o.seedGuard().Client().Transport,
		},
		Chosen: o.describeRepository,
	}
	if o.store != nil { // a check of models has no output
		options.Pin = o.store.PinCommit
	}
	return repository.Open(o.spec.Seed, options)
}

// maxListedFiles bounds the files of a repository that metadata lists.
const maxListedFiles = 1000

// describeRepository notes which files of a repository the seed is.
func (o *opened) describeRepository(choice *repository.Choice) {
	o.repository = &store.SeedRepository{
		Address: choice.Address, Commit: choice.Commit, Config: choice.Config, Split: choice.Split, FileCount: len(choice.Files),
		Files: make([]string, min(len(choice.Files), maxListedFiles)),
	}
	for i := range o.repository.Files {
		o.repository.Files[i] = choice.Files[i].Path
	}
	o.config.Logger.Info("the seed is read from a repository", "address", choice.Address, "commit", choice.Commit, "config", choice.Config,
		"split", choice.Split, "files", len(choice.Files))
}
