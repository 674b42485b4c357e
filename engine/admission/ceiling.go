package admission

// Ceiling is how many requests all limiters of one endpoint may have under way together. Unlike a pool's cap, its owner changes it at any
// time: it is the part of this engine in what several engines may send to the endpoint.
type Ceiling struct {
	limit, running int
	limited        bool
}

// Set changes the ceiling. Requests that are under way beyond it are left to end. Without limited there is none.
func (c *Ceiling) Set(limit int, limited bool) { c.limit, c.limited = limit, limited }

// Limit is how many requests may be under way; limited is false where there is no ceiling.
func (c *Ceiling) Limit() (limit int, limited bool) { return c.limit, c.limited }

// Running is the number of requests under way.
func (c *Ceiling) Running() int { return c.running }

func (c *Ceiling) room() Wait {
	if c.limited && c.running >= c.limit {
		return Wait{Reason: Share}
	}
	return Wait{}
}
