// Package memory sets how a process that runs an engine, or the manager, collects its garbage. It is for main functions alone: the
// settings are those of the whole process.
package memory

import (
	"os"
	"runtime/debug"
	"strconv"

	"seedloom.dev/seedloom/internal/runreport"
)

// percent is how much the heap may grow between two collections, in relation to what is in use. An engine uses some tens of MiB, whatever
// the size of its dataset, and makes much garbage: the default of 100 would spend a tenth of its processor time on saving memory that is
// there.
const percent = 200

// unlimited is near how much memory garbage is collected more often where no limit is known, as on a laptop: for large values, percent
// alone would keep three times of what is in use.
const unlimited = 448 << 20

// cachePercent is the same for the manager, most of whose memory is a cache that seldom changes: what is left for garbage would never be
// used while it rests.
const cachePercent = 40

// TuneCache is Tune for a process most of whose memory is a cache.
func TuneCache() { tune(cachePercent) }

// Tune has garbage collected rarely as long as there is memory, and more often near the limit of the container (see
// runreport.MemoryLimitVariable), of which a tenth is left to what the collector does not know of. What the environment says by GOGC and
// GOMEMLIMIT stays.
func Tune() { tune(percent) }

func tune(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
	limit, err := strconv.ParseInt(os.Getenv(runreport.MemoryLimitVariable), 10, 64)
	switch {
	case os.Getenv("GOMEMLIMIT") != "":
	case err == nil && limit > 0:
		debug.SetMemoryLimit(limit / 10 * 9)
	default:
		debug.SetMemoryLimit(unlimited)
	}
}
