package engine

import (
	"context"
	"time"

	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/health"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/tools"
)

// CheckResult is what the models and the tools of a spec have answered.
type CheckResult struct {
	// Models are the answers of the models, one for each form in which the columns ask them, in the order of the columns.
	Models []health.Result
	// Failure is what would end a run before its first row; nil when nothing would.
	Failure *failure.Error
}

// Check asks the tools and the models of a spec whether they can do what its columns need, as Generate does before the first row, and makes
// no row. Of the configuration it uses the spec, the seed, keys, certificates and the log. It writes nothing.
func Check(ctx context.Context, config Config) (*CheckResult, error) {
	spec, err := decodeSpec(config.Run)
	if err != nil {
		return nil, err
	}
	ready := &prepared{opened: &opened{config: config, spec: spec}, workers: sandbox.NewWorkers()}
	defer ready.closeInputs()
	if _, err := ready.compile(ctx); err != nil {
		return nil, err
	}
	models, err := ready.openModels()
	if err != nil {
		return nil, err
	}
	defer models.Close()
	toolServers := tools.NewSet(spec, ready.toolConfig(previewOutage))
	defer toolServers.Close()
	result := &CheckResult{}
	if err := toolServers.Check(ctx); err != nil {
		result.Failure = failure.Of(err)
		return result, nil
	}
	limited, cancel := context.WithTimeout(ctx, healthCheckTimeout)
	defer cancel()
	if result.Models, err = ready.askModels(limited, models, toolServers, false); err != nil {
		return nil, err
	}
	result.Failure = health.Failure(health.Problems(result.Models))
	return result, nil
}

// toolConfig is what sessions with tool servers work with.
func (p *prepared) toolConfig(patience time.Duration) tools.Config {
	return tools.Config{
		Endpoints: p.config.Endpoints,
		Key:       p.config.ToolKey, Socket: p.config.ToolSocket, Patience: patience, Logger: p.config.Logger, Version: p.config.Version,
	}
}

// openModels returns the clients of the models. The caller closes them.
func (p *prepared) openModels() (*model.Set, error) {
	models := model.NewSet(p.spec, p.config.APIKey)
	models.LogTo(p.config.Logger)
	models.Allow(p.config.AllowedAddresses)
	models.Allow(p.config.Endpoints.Networks())
	models.Restrict(p.config.Endpoints)
	if p.config.Transport != nil {
		models.Through(p.config.Transport)
	}
	if err := models.LoadCertificates(p.config.TLSDirectory); err != nil {
		models.Close()
		return nil, err
	}
	return models, nil
}
