// Package factory makes the generators of a plan's columns. It is the one place that knows all kinds of columns; it runs none of them.
package factory

import (
	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/column/custom"
	"seedloom.dev/seedloom/engine/column/embedding"
	"seedloom.dev/seedloom/engine/column/expression"
	"seedloom.dev/seedloom/engine/column/image"
	"seedloom.dev/seedloom/engine/column/llm"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/column/validation"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/media"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/people"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/tools"
)

// Files keeps images in the dataset, and gives them back.
type Files interface {
	image.Files
	media.Files
}

// Build makes the generators of all configured columns. persons are those that columns draw from, by the name of the column.
func Build(
	p *plan.Plan, models *model.Set, toolServers *tools.Set, files Files, workers *sandbox.Workers,
	checkers *validation.Checkers, persons map[string]*people.File,
) (*column.Generators, error) {
	generators := column.NewGenerators(p.Schema.Len())
	dataset := sampler.Dataset{
		Seed: p.Spec.RandomSeed, Schema: p.Schema, Records: p.NumRecords, SamplerOf: p.Spec.SamplerOf,
		People: people.NewLibrary(), Persons: persons,
	}
	if err := linkSamplers(generators, p, dataset); err != nil {
		return nil, err
	}
	judges, correctors, err := validations(p, workers, checkers)
	if err != nil {
		return nil, err
	}
	for _, configured := range p.Columns {
		switch index := configured.Index; configured.Kind {
		case plan.KindSampler:
			if generators.Cell[index] == nil {
				generators.Cell[index], err = sampler.New(configured.Name, configured.Spec.Sampler, dataset)
			}
		case plan.KindLLMText, plan.KindLLMCode, plan.KindLLMStructured, plan.KindLLMJudge:
			generators.Model[index], err = llm.New(llm.Config{
				Column: configured.Spec, Model: configured.Model, Seed: p.Spec.RandomSeed, Client: models.Client(configured.Model.Alias),
				Restarts: p.Spec.EffectiveConversationRestarts(), Corrections: p.Spec.EffectiveConversationCorrectionSteps(),
				Tools:      toolsOf(configured, toolServers),
				Media:      media.New(configured.Name, configured.Spec.Prompt().Context, p.Schema, files),
				Validators: correctors[configured.Name],
			})
		case plan.KindEmbedding:
			generators.Model[index] = embedding.New(configured.Name, configured.Spec.Embedding, p.Schema, models.Client(configured.Model.Alias))
		case plan.KindImage:
			spec := configured.Spec.Image
			generators.Model[index], err = image.New(configured.Name, spec, plan.ImagesByChat(spec, configured.Model), p.Spec.RandomSeed,
				media.New(configured.Name, spec.Context, p.Schema, files), models.Client(configured.Model.Alias), files)
		case plan.KindExpression:
			generators.Cell[index], err = expression.New(configured.Name, configured.Spec.Expression, p.Schema.Fields()[index].Type,
				p.Spec.RandomSeed)
		case plan.KindValidation:
			if batch := judges[index].Batch(); batch != nil {
				generators.Batch[index] = batch
			} else {
				generators.Cell[index] = judges[index]
			}
		case plan.KindCustom:
			generators.Batch[index], err = custom.New(configured.Name, configured.Spec.Custom, p.Schema.Fields()[index].Type, workers)
		default:
			err = failure.New(v1alpha1.ReasonInternalError, failure.EndRun, "column %q: no generator is known for %s",
				configured.Name, configured.Kind)
		}
		if err != nil {
			return nil, err
		}
	}
	return generators, nil
}

// linkSamplers makes the generators of the columns that constraints link.
func linkSamplers(generators *column.Generators, p *plan.Plan, dataset sampler.Dataset) error {
	for _, link := range p.Links {
		members, restrictions := link.Samplers(p.Spec)
		linked, err := sampler.Link(members, restrictions, dataset)
		if err != nil {
			return err
		}
		for i, generator := range linked {
			generators.Cell[link.Columns[i].Index] = generator
		}
	}
	return nil
}

// validations makes the generators of the columns that judge others, by their index, and what corrects the columns of models, by their
// names, in the order of the plan.
func validations(
	p *plan.Plan, workers *sandbox.Workers, checkers *validation.Checkers,
) (map[int]*validation.Generator, map[string][]llm.Validator, error) {
	judges, correctors := map[int]*validation.Generator{}, map[string][]llm.Validator{}
	for _, configured := range p.Columns {
		if configured.Kind != plan.KindValidation {
			continue
		}
		spec := configured.Spec.Validation
		judge, err := validation.New(validation.Config{
			Name: configured.Name, Spec: spec, Schema: p.Schema, Seed: p.Spec.RandomSeed, Checkers: checkers, Workers: workers,
		})
		if err != nil {
			return nil, nil, err
		}
		judges[configured.Index] = judge
		if spec.OnInvalid != v1alpha1.InvalidCorrect {
			continue
		}
		for _, target := range plan.CorrectedTargets(p.Spec, spec) {
			correctors[target] = append(correctors[target], judge.Corrector(spec, target, configured.Requires))
		}
	}
	return judges, correctors, nil
}

// toolsOf returns the tools that a column gives to its model, or nil.
func toolsOf(configured *plan.Column, toolServers *tools.Set) llm.Tools {
	if toolbox := toolServers.Toolbox(configured.Spec.Prompt().Tools); toolbox != nil {
		return toolbox
	}
	return nil
}
