package engine

import "seedloom.dev/seedloom/engine/trace"

// startTrace returns where the spans go, nil where nobody wants them, and what ends it. A trace that can't be written is no reason not to run.
func (p *prepared) startTrace() (sink trace.Sink, done func()) {
	switch {
	case !p.plan.Spec.IsTraced():
		return nil, func() {}
	case p.config.Trace != nil:
		return p.config.Trace, func() {}
	}
	output, err := p.store.CreateTrace(p.config.Shard, p.config.Run.Attempt)
	if err != nil {
		p.config.Logger.Warn("the run is not traced", "error", err)
		return nil, func() {}
	}
	files := trace.NewFiles(output, p.config.Logger)
	return files, files.Close
}
