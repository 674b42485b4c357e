//go:build defect

package schedule

const defect = true
