package sandbox

import "time"

// Confinement bounds the process that has it, which does the work of others. It belongs to one goroutine.
type Confinement struct{ bounded bool }

// Bound bounds the memory of the process for good, and the processor time that it may use from now on. The process ends where it goes
// beyond them.
func (c *Confinement) Bound(memory int64, processor time.Duration) {
	if !c.bounded {
		endOnOverrun()
		limitMemory(memory)
		c.bounded = true
	}
	limitProcessor(processor)
}

// RefuseFiles keeps the process from opening anything more for good: neither files nor connections.
func (c *Confinement) RefuseFiles() { refuseFiles() }
