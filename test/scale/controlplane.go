package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// managerUser is as whom the manager speaks with the API server: a user with the rights of config/rbac, and no others.
const managerUser = "seedloom-manager"

// auditPolicy has the API server write down what the manager asks for, and nobody else's requests.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: [` + managerUser + `]
- level: None
`

// controlPlane is an API server with its etcd. It belongs to whoever has started it, who stops it.
type controlPlane struct {
	environment *envtest.Environment
	folder      string
	// kube is a client without limits.
	kube client.WithWatch
	// config is how kube connects.
	config *rest.Config
	// kubeconfig is the path of what the manager connects with.
	kubeconfig string
	audit      *audit
}

func startControlPlane(ctx context.Context) (plane *controlPlane, err error) {
	folder, err := os.MkdirTemp("", "seedloom-scale-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	plane = &controlPlane{folder: folder, kubeconfig: filepath.Join(folder, "kubeconfig")}
	defer func() {
		if err != nil {
			err = errors.Join(err, plane.stop())
		}
	}()
	policy, log := filepath.Join(folder, "policy.yaml"), filepath.Join(folder, "audit.log")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return plane, fmt.Errorf("writing the audit policy: %w", err)
	}
	root, err := repository()
	if err != nil {
		return plane, err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return plane, err
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths: []string{filepath.Join(root, "config", "crd", "bases")}, ErrorIfCRDPathMissing: true, Scheme: scheme,
	}
	environment.ControlPlane.GetAPIServer().Configure().Set("audit-policy-file", policy).Set("audit-log-path", log)
	config, err := environment.Start()
	if err != nil {
		return plane, fmt.Errorf("starting the control plane: %w", err)
	}
	plane.environment, plane.audit = environment, &audit{path: log}
	config.QPS = -1
	plane.config = config
	if plane.kube, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return plane, fmt.Errorf("connecting: %w", err)
	}
	user, err := environment.AddUser(envtest.User{Name: managerUser}, nil)
	if err != nil {
		return plane, fmt.Errorf("adding the manager's user: %w", err)
	}
	access, err := user.KubeConfig()
	if err != nil {
		return plane, fmt.Errorf("making the manager's kubeconfig: %w", err)
	}
	if err := os.WriteFile(plane.kubeconfig, access, 0o600); err != nil {
		return plane, fmt.Errorf("writing the manager's kubeconfig: %w", err)
	}
	return plane, plane.grant(ctx)
}

func (p *controlPlane) stop() error {
	var err error
	if p.environment != nil {
		err = p.environment.Stop()
	}
	return errors.Join(err, os.RemoveAll(p.folder))
}

// grant gives the manager's user what config/rbac gives the manager.
func (p *controlPlane) grant(ctx context.Context) error {
	subject := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: managerUser}}
	role := &rbacv1.ClusterRole{}
	root, err := repository()
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(root, "config", "rbac", "role.yaml"))
	if err != nil {
		return fmt.Errorf("reading the manager's role: %w", err)
	}
	if err := yaml.UnmarshalStrict(data, role); err != nil {
		return fmt.Errorf("reading the manager's role: %w", err)
	}
	lease := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: leaseNamespace, Name: "lease"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create", "get", "update", "patch"}},
		{APIGroups: []string{"", "events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
	}}
	for _, object := range []client.Object{
		role, lease,
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: role.Name}, Subjects: subject,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}},
		&rbacv1.RoleBinding{ObjectMeta: lease.ObjectMeta, Subjects: subject,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: lease.Name}},
	} {
		if err := p.kube.Create(ctx, object); err != nil {
			return fmt.Errorf("granting rights: %w", err)
		}
	}
	return nil
}

// namespace creates a namespace with a claim for datasets.
func (p *controlPlane) namespace(ctx context.Context, name string) error {
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "datasets"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}
	if err := p.kube.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		return fmt.Errorf("creating namespace %s: %w", name, err)
	}
	if err := p.kube.Create(ctx, claim); err != nil {
		return fmt.Errorf("creating a claim: %w", err)
	}
	return nil
}

// repository is the folder of the checkout.
func repository() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the checkout: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		above := filepath.Dir(folder)
		if above == folder {
			return "", errors.New("this is no folder of the checkout")
		}
		folder = above
	}
}
