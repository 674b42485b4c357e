//go:build !race

package sandbox

// raceDetector says that the memory of the race detector is mapped too, which no limit of ours leaves room for.
const raceDetector = false
