package sandbox

import (
	"bytes"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
)

// resourceData is RLIMIT_DATA, which counts private writable memory since Linux 4.7.
const resourceData = 2

// limitMemory keeps the process from mapping much more than a number of bytes: one operation of a program can ask for gigabytes at once.
func limitMemory(most int64) {
	debug.SetMemoryLimit(most)
	mapped, known := mappedData()
	if !known || raceDetector {
		return
	}
	// The collector may hold as much garbage as there is data, and maps memory in large pieces.
	limit := uint64(mapped + 2*most + 64<<20)
	// Where the limit can't be set, what watches the heap is left.
	_ = syscall.Setrlimit(resourceData, &syscall.Rlimit{Cur: limit, Max: limit})
}

// mappedData is the private writable memory that the process has mapped.
func mappedData() (int64, bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(status) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == "VmData:" {
			kibibytes, err := strconv.ParseInt(string(fields[1]), 10, 64)
			return kibibytes << 10, err == nil
		}
	}
	return 0, false
}

// endOnOverrun has the process end when it reaches the limit of its processor time. The goroutine ends with the process.
func endOnOverrun() {
	overrun := make(chan os.Signal, 1)
	signal.Notify(overrun, syscall.SIGXCPU)
	go func() {
		<-overrun
		os.Exit(exitProcessor)
	}()
}

// limitProcessor lets the process use so much more processor time than until now.
func limitProcessor(most time.Duration) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return
	}
	seconds := time.Duration(used.Utime.Nano()+used.Stime.Nano()+int64(most)+int64(time.Second)) / time.Second
	// The hard limit is left as it is: it could not be raised again for the next call.
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CPU, &limit); err != nil {
		return
	}
	limit.Cur = min(uint64(seconds), limit.Max)
	_ = syscall.Setrlimit(syscall.RLIMIT_CPU, &limit)
}

// refuseFiles leaves no descriptor that could still be opened. Those that are open stay so.
func refuseFiles() {
	// Where the limit can't be set, what the process runs opens no file by itself all the same.
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{})
}
