package column

import "seedloom.dev/seedloom/internal/runreport"

// Usage counts the requests of a cell, and what they have used. It is valid beside an error too.
type Usage = runreport.Usage
