package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/hub"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/runreport"
)

// Publication is what a call of Publish works with.
type Publication struct {
	// Dataset is what is published. It is only read.
	Dataset    *store.Store
	Repository *v1alpha1.HuggingFaceRepository
	// Token is that of the hub. It reaches no log, error, or file.
	Token  string
	Logger *slog.Logger
	// Version is the version of the engine.
	Version string
	// AllowedAddresses are networks inside that the hub may lead to with its files, and Endpoints says where requests may be sent; nil is
	// anywhere.
	AllowedAddresses []netip.Prefix
	Endpoints        *connection.Endpoints
}

// Publish has a repository of a hub hold a dataset whose run has ended. Cut off, it may be called again, and goes on from where it was. Its
// errors are failure.Error.
func Publish(ctx context.Context, wanted Publication) (*hub.Result, error) {
	dataset, err := wanted.Dataset.Public(ctx)
	if err != nil {
		return nil, failure.Of(err)
	}
	if len(dataset.Tables) == 0 {
		return nil, failure.New(v1alpha1.ReasonPublicationRefused, failure.EndRun, "the dataset has no records to publish")
	}
	content, err := wanted.content(dataset)
	if err != nil {
		return nil, failure.Of(err)
	}
	place := wanted.Repository
	wanted.Logger.Info("publishing the dataset", "repository", place.Repository, "revision", place.EffectiveRevision(),
		"files", len(content.Files)+1)
	result, err := hub.Publish(ctx, hub.Config{
		UserAgent: "seedloom/" + wanted.Version, Allowed: wanted.AllowedAddresses, Endpoints: wanted.Endpoints,
		Report: func(uploaded, all int) { wanted.Logger.Info("files are uploaded", "uploaded", uploaded, "of", all) },
	}, hub.Target{
		Endpoint: place.EffectiveEndpoint(), Repository: place.Repository, Branch: place.EffectiveRevision(), Private: place.IsPrivate(),
		Token: wanted.Token,
	}, content)
	if err != nil {
		return nil, failure.Of(err)
	}
	return result, nil
}

// content is what the repository is to hold.
func (p *Publication) content(dataset *store.PublicDataset) (*hub.Content, error) {
	card, err := dataset.Card(store.PublicCard{Repository: p.Repository.Repository, License: p.Repository.License, Tags: p.Repository.Tags})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(card)
	content := &hub.Content{
		Message: fmt.Sprintf("%d records by Seedloom", dataset.Records()), Folders: store.PublicFolders(),
		Card: hub.File{
			Path: "README.md", Bytes: int64(len(card)), SHA256: hex.EncodeToString(sum[:]), Read: func() ([]byte, error) { return card, nil },
		},
	}
	add := func(entry store.FileEntry, begin []byte) {
		content.Files = append(content.Files, hub.File{
			Path: entry.Path, Bytes: entry.Bytes, SHA256: entry.SHA256, Begin: begin,
			Read: func() ([]byte, error) { return p.Dataset.ReadFile(entry.Path) },
		})
	}
	for i := range dataset.Tables {
		for _, file := range dataset.Tables[i].Files {
			add(file, []byte("PAR1"))
		}
	}
	for _, image := range dataset.Images {
		add(image, nil)
	}
	return content, nil
}

// OpenDataset opens the dataset of a run to be read. The caller closes it. Its errors are failure.Error.
func OpenDataset(ctx context.Context, config Config) (*store.Store, error) {
	return config.openOutput(ctx, nil)
}

// ExitCodeOf says to whatever started the engine whether starting it again may help with an error; nil is none.
func ExitCodeOf(err error) int {
	problem := failure.Of(err)
	switch {
	case problem == nil:
		return runreport.ExitOK
	case problem.Traits().AskedToStop:
		return runreport.ExitInterrupted
	}
	return exitCode(problem, runreport.OutcomeFailed)
}
