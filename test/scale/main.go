// Command scale measures the operator in a crowd: a real API server and etcd, the real manager as a program of its own, and Jobs and Pods
// that this program plays. It compares each figure with the range that ranges.yaml declares, and fails when one is outside.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

var errMissed = errors.New("figures are outside of their ranges")

func main() {
	name := flag.String("profile", "full", "Size of the crowd: full or small.")
	only := flag.String("only", "", "Measure one scenario: "+strings.Join(scenarioNames(), ", ")+".")
	profiles := flag.String("profiles", "", "Folder that Go's profiles of the operator are written to; none when empty.")
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, *name, *only, *profiles); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

func measure(ctx context.Context, name, only, profiles string) error {
	size, err := readProfile(name)
	if err != nil {
		return err
	}
	size.profiles = profiles
	figures, err := run(ctx, size, only)
	if err != nil {
		return err
	}
	size.print(os.Stdout, figures)
	if missed := size.check(figures); len(missed) > 0 && only == "" {
		return fmt.Errorf("%w:\n%s", errMissed, strings.Join(missed, "\n"))
	}
	return nil
}

// scenario measures some figures on a control plane of its own.
type scenario struct {
	name string
	run  func(ctx context.Context, size profile) ([]figure, error)
}

var scenarios = []scenario{{"run", measureRun}, {"crowd", measureCrowd}, {"rest", measureRest}}

func scenarioNames() []string {
	var names []string
	for _, one := range scenarios {
		names = append(names, one.name)
	}
	return names
}

// run measures all scenarios, or one.
func run(ctx context.Context, size profile, only string) ([]figure, error) {
	var figures []figure
	for _, one := range scenarios {
		if only != "" && one.name != only {
			continue
		}
		found, err := one.run(ctx, size)
		if err != nil {
			return nil, fmt.Errorf("scenario %s: %w", one.name, err)
		}
		figures = append(figures, found...)
	}
	return figures, nil
}
