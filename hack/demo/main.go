// Command demo shows Seedloom's main job on a real cluster: it applies the sample DatasetGeneration, and prints what a user would look
// at. It only calls what a user can call (make, kubectl, the API) and reads files; nothing of the engine or the controller lives here.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"seedloom.dev/seedloom/api/v1alpha1"
)

const (
	namespace   = "demo"
	claimName   = "datasets"
	datasetName = "movie-reviews"
)

func main() {
	timeout := flag.Duration("timeout", 5*time.Minute, "how long the dataset may take")
	flag.Parse()
	// The client's library complains, with a stack trace, when nobody has said where its log goes. What a user must know is in errors.
	log.SetLogger(zap.New(zap.WriteTo(io.Discard)))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *timeout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "\nThe demo has failed: %v\n", err)
		os.Exit(1)
	}
}

// step is one line of the demo's summary.
type step struct {
	title string
	took  time.Duration
}

// demo is one run of the demo. One goroutine uses it.
type demo struct {
	begun      time.Time
	steps      []step
	kubeconfig string
	// volume is the folder of the claim on this machine.
	volume string
	client client.Client
}

func run(ctx context.Context, timeout time.Duration) error {
	d := &demo{begun: time.Now()}
	steps := []struct {
		title string
		do    func(context.Context) error
	}{
		{"Bring up Kubernetes (the first time it is built: 15 minutes on 2 idle cores, an hour on busy ones; then seconds)", d.startCluster},
		{"Build the images and put them into the cluster",
			func(ctx context.Context) error { return execute(ctx, "make", "--no-print-directory", "images") }},
		{"Deploy the operator from config/default",
			func(ctx context.Context) error { return execute(ctx, "make", "--no-print-directory", "deploy") }},
		{"Prepare an empty namespace and volume", d.prepareNamespace},
		{"Start the simulated model server", d.startSimulator},
		{"Apply config/samples/movies and watch it", func(ctx context.Context) error { return d.generate(ctx, timeout) }},
	}
	for number, step := range steps {
		fmt.Printf("\n[%d/%d] %s\n", number+1, len(steps), step.title)
		if err := d.timed(ctx, step.title, step.do); err != nil {
			return fmt.Errorf("%s: %w", step.title, err)
		}
	}
	if err := d.show(ctx); err != nil {
		return err
	}
	d.summarize()
	return nil
}

func (d *demo) timed(ctx context.Context, title string, do func(context.Context) error) error {
	start := time.Now()
	err := do(ctx)
	took := time.Since(start)
	d.steps = append(d.steps, step{title, took})
	if err == nil {
		fmt.Printf("      done in %.1f s\n", took.Seconds())
	}
	return err
}

func (d *demo) startCluster(ctx context.Context) error {
	if err := execute(ctx, "make", "--no-print-directory", "cluster-up"); err != nil {
		return err
	}
	path, err := cluster(ctx, "kubeconfig")
	if err != nil {
		return err
	}
	d.kubeconfig = lastLine(path)
	configuration, err := clientcmd.BuildConfigFromFlags("", d.kubeconfig)
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	// The type is not served yet: the client looks it up when it is first used.
	d.client, err = client.New(configuration, client.Options{Scheme: scheme})
	return err
}

// prepareNamespace removes what an earlier demo has left, and makes the namespace and the volume.
func (d *demo) prepareNamespace(ctx context.Context) error {
	for _, arguments := range [][]string{
		{"delete", "datasetgenerations", "--all", "--namespace", namespace, "--ignore-not-found", "--wait"},
		{"delete", "namespace", namespace, "--ignore-not-found", "--wait", "--timeout=180s"},
	} {
		if err := kubectl(ctx, arguments...); err != nil {
			return err
		}
	}
	if _, err := cluster(ctx, "volume-remove", "--namespace", namespace, "--name", claimName); err != nil {
		return err
	}
	if err := kubectl(ctx, "create", "namespace", namespace); err != nil {
		return err
	}
	if err := kubectl(ctx, "label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted"); err != nil {
		return err
	}
	folder, err := cluster(ctx, "volume", "--namespace", namespace, "--name", claimName)
	d.volume = lastLine(folder)
	return err
}

func (d *demo) startSimulator(ctx context.Context) error {
	if err := kubectl(ctx, "apply", "--namespace", namespace, "--kustomize", absolute("config/llmsim")); err != nil {
		return err
	}
	return kubectl(ctx, "rollout", "status", "deployment/llmsim", "--namespace", namespace, "--timeout=120s")
}

func (d *demo) generate(ctx context.Context, timeout time.Duration) error {
	if err := kubectl(ctx, "apply", "--namespace", namespace, "--kustomize", absolute("config/samples/movies")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return d.watch(ctx)
}

// summarize says how long each step took, and how to go on.
func (d *demo) summarize() {
	fmt.Printf("\nTime\n")
	for _, step := range d.steps {
		fmt.Printf("  %7.1f s  %s\n", step.took.Seconds(), step.title)
	}
	fmt.Printf("  %7.1f s  in all\n", time.Since(d.begun).Seconds())
	fmt.Printf(`
To look further
  export KUBECONFIG=%s
  kubectl get dsgen --namespace %s     # without kubectl installed: go -C hack/cluster run . kubectl -- get dsgen ...
  kubectl describe dsgen %s --namespace %s
  kubectl get pods,jobs --namespace %s
  ls -R %s    # the dataset's files
Change config/samples/movies/datasetgeneration.yaml, and apply it again:
  kubectl apply --kustomize config/samples/movies --namespace %s
To take everything down
  make demo-down
`, d.kubeconfig, namespace, datasetName, namespace, namespace, d.volume, namespace)
}

// execute runs a command whose output the user sees.
func execute(ctx context.Context, name string, arguments ...string) error {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(arguments, " "), err)
	}
	return nil
}

// cluster runs a command of hack/cluster, and returns what it prints.
func cluster(ctx context.Context, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", append([]string{"-C", "hack/cluster", "run", "."}, arguments...)...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("hack/cluster %s: %w", strings.Join(arguments, " "), err)
	}
	return string(output), nil
}

func kubectl(ctx context.Context, arguments ...string) error {
	return execute(ctx, "go", append([]string{"-C", "hack/cluster", "run", ".", "kubectl", "--"}, arguments...)...)
}

// absolute returns the path of something in the repository, at whose root `make` runs the demo: kubectl runs in another folder.
func absolute(path string) string {
	resolved, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return resolved
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// errEnded is how a dataset that did not become Complete ends the demo.
var errEnded = errors.New("the dataset did not complete")
