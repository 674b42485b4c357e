package sandbox

import (
	"os"
	"strconv"
)

// EnvironmentsOfIdleWorkers are what the operating system says of the environments of the processes.
func EnvironmentsOfIdleWorkers(w *Workers) ([]string, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var environments []string
	for _, process := range w.idle {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(process.command.Process.Pid) + "/environ")
		if err != nil {
			return nil, err
		}
		environments = append(environments, string(data))
	}
	return environments, nil
}
