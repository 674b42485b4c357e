package engine

import (
	"context"

	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/seed/bucket"
	remotefiles "seedloom.dev/seedloom/engine/seed/remote"
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
	store := o.spec.SeedStore().Store()
	if o.config.SeedStoreDirectory == "" { // then the credentials and certificates are those of the environment
		store.CredentialsSecretRef, store.CABundleConfigMapRef = nil, nil
	}
	location, err := ObjectStore(store, o.config.SeedStoreDirectory)
	if err != nil {
		return nil, err
	}
	location.Transport = o.seedGuard().Client().Transport
	return bucket.Open(ctx, location)
}
