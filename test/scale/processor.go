package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processorTimes is what the programs of a stage have used of the processor, in seconds.
type processorTimes struct{ manager, apiServer, etcd float64 }

func (s *stage) processorTimes() (times processorTimes, err error) {
	if times.manager, err = s.manager.processorTime(); err != nil {
		return times, err
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return times, fmt.Errorf("listing processes: %w", err)
	}
	for _, process := range processes {
		id, err := strconv.Atoi(filepath.Base(process))
		if err != nil {
			continue
		}
		name, parent, seconds, err := processOf(id)
		if err != nil || parent != os.Getpid() {
			// It has ended since it was listed, or is another's.
			continue
		}
		switch name {
		case "kube-apiserver":
			times.apiServer = seconds
		case "etcd":
			times.etcd = seconds
		}
	}
	return times, nil
}

// processOf is the name of a process, its parent, and what it has used of the processor, in seconds.
func processOf(id int) (name string, parent int, seconds float64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
	if err != nil {
		return "", 0, 0, fmt.Errorf("reading of a process: %w", err)
	}
	// The name, in brackets, may have spaces and brackets; the 12th and 13th field after it count hundredths of a second.
	text := string(data)
	begin, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	fields := strings.Fields(text[end+1:])
	if parent, err = strconv.Atoi(fields[1]); err != nil {
		return "", 0, 0, fmt.Errorf("reading of a process: %w", err)
	}
	for _, field := range fields[11:13] {
		hundredths, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return "", 0, 0, fmt.Errorf("reading of a process: %w", err)
		}
		seconds += hundredths / 100
	}
	return text[begin+1 : end], parent, seconds, nil
}
