//go:build !linux

package sandbox

import (
	"runtime/debug"
	"time"
)

// limitMemory has the collector work harder near the limit; what watches the heap ends the process.
func limitMemory(most int64) { debug.SetMemoryLimit(most) }

// limitProcessor does nothing here: steps and the time that passes are limited all the same.
func limitProcessor(time.Duration) {}

func endOnOverrun() {}

// refuseFiles does nothing here: what the process runs opens no file by itself.
func refuseFiles() {}
