//go:build !defect

package schedule

// defect breaks the promise that nothing starts after the end, when it is built in with the tag "defect": so the simulation can be shown
// to notice.
const defect = false
