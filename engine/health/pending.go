package health

import (
	"slices"
	"sync"
	"time"
)

// pending are the questions that have no answer yet. The goroutines that ask share it.
type pending struct {
	mutex   sync.Mutex
	aliases []string
}

func newPending(questions []question) *pending {
	waited := &pending{}
	for i := range questions {
		waited.aliases = append(waited.aliases, questions[i].alias)
	}
	return waited
}

// answered notes that a question has its answer.
func (p *pending) answered(index int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.aliases[index] = ""
}

// waited are the models whose answers are waited for, each once.
func (p *pending) waited() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var found []string
	for _, alias := range p.aliases {
		if alias != "" && !slices.Contains(found, alias) {
			found = append(found, alias)
		}
	}
	return found
}

// report says now and then who is waited for, until the function that it returns is called, which waits for its end.
func (p *pending) report(config Config) (end func()) {
	if config.Waiting == nil || config.WaitingAfter <= 0 {
		return func() {}
	}
	done := make(chan struct{})
	var reporting sync.WaitGroup
	reporting.Go(func() {
		ticker := time.NewTicker(config.WaitingAfter)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				if aliases := p.waited(); len(aliases) > 0 {
					config.Waiting(aliases)
				}
			}
		}
	})
	return func() {
		close(done)
		reporting.Wait()
	}
}
