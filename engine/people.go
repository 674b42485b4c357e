package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/people"
	"seedloom.dev/seedloom/engine/seed"
)

// openPeople opens the files of persons that columns draw from.
func (p *prepared) openPeople(ctx context.Context) error {
	for i := range p.spec.Columns {
		column := &p.spec.Columns[i]
		if column.PersonDataset() == nil {
			continue
		}
		field := fmt.Sprintf("spec.columns[%d].sampler.person.dataset", i)
		opened, err := p.loadPeople(ctx, column)
		if err != nil {
			return prefixed(err, "the people of "+field)
		}
		p.peopleFiles = append(p.peopleFiles, opened)
		file, err := people.OpenFile(column.Sampler.Person, field, opened)
		if err != nil {
			return err
		}
		if p.people == nil {
			p.people = map[string]*people.File{}
		}
		p.people[column.Name] = file
	}
	return nil
}

func (p *prepared) loadPeople(ctx context.Context, column *v1alpha1.Column) (*seed.Dataset, error) {
	directory := ""
	if p.config.PeopleDirectory != nil {
		directory = p.config.PeopleDirectory(column.Name)
	}
	client := p.seedClient()
	defer client.CloseIdleConnections()
	return seed.Load(ctx, column.PersonDataset().AsSeed(), seed.Options{Directory: directory, Client: client})
}

// prefixed says before a failure what it is about.
func prefixed(err error, about string) error {
	cause := failure.Of(err)
	result := failure.New(cause.Reason, cause.Consequence, "%s: %s", about, cause.Message)
	result.Temporary, result.Cause = cause.Temporary, cause.Cause
	return result
}

// inputsDigest tells the data that a run reads from others: that of the seed and those of people. It is empty where nothing is read.
func (p *prepared) inputsDigest() string {
	digest := ""
	if p.seed != nil {
		digest = p.seed.Digest()
	}
	if len(p.peopleFiles) == 0 {
		return digest
	}
	sum := sha256.New()
	_, _ = io.WriteString(sum, digest) // a hash takes everything
	for _, file := range p.peopleFiles {
		_, _ = io.WriteString(sum, "\n"+file.Digest())
	}
	return hex.EncodeToString(sum.Sum(nil))
}
