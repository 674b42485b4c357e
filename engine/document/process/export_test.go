package process

import "time"

// LimitProcessor lets documents use less of a processor.
func (p *Pool) LimitProcessor(most time.Duration) { p.processor = most }
