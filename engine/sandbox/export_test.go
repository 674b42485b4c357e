package sandbox

import (
	"errors"
	"os"
	"strconv"
)

// EnvironmentsOfIdleWorkers are what the operating system says of the environments of the processes.
func EnvironmentsOfIdleWorkers(w *Workers) ([]string, error) {
	errNone := errors.New("no process is idle")
	var environments []string
	for {
		process, err := w.processes.Take(func() (*worker, error) { return nil, errNone })
		if errors.Is(err, errNone) {
			return environments, nil
		}
		if err != nil {
			return nil, err
		}
		defer w.processes.GiveBack(process)
		data, err := os.ReadFile("/proc/" + strconv.Itoa(process.command.Process.Pid) + "/environ")
		if err != nil {
			return nil, err
		}
		environments = append(environments, string(data))
	}
}
