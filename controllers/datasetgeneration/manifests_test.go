package datasetgeneration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// managerIn is the name by which the API server knows the manager that is installed in a namespace.
func managerIn(namespace string) string {
	return "system:serviceaccount:" + namespace + ":seedloom-manager"
}

// asManager is how the manager that is installed in a namespace connects: with the rights of its roles, and no others.
func asManager(namespace string) *rest.Config {
	GinkgoHelper()
	user, err := environment.AddUser(envtest.User{Name: managerIn(namespace), Groups: []string{"system:serviceaccounts"}}, nil)
	Expect(err).NotTo(HaveOccurred())
	return user.Config()
}

// kustomized are the objects of a folder below config, as kubectl renders it.
func kustomized(folder string) []*unstructured.Unstructured {
	GinkgoHelper()
	kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	rendered, err := exec.Command(kubectl, "kustomize", filepath.Join("..", "..", "config", folder)).Output()
	Expect(err).NotTo(HaveOccurred(), "kubectl kustomize config/"+folder)
	var objects []*unstructured.Unstructured
	for document := range bytes.SplitSeq(rendered, []byte("\n---\n")) {
		object := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal(document, &object.Object)).To(Succeed())
		objects = append(objects, object)
	}
	return objects
}

// install applies objects as an administrator does.
func install(w *world, objects []*unstructured.Unstructured, options ...client.ApplyOption) {
	GinkgoHelper()
	for _, object := range objects {
		Expect(kube.Apply(w.ctx, client.ApplyConfigurationFromUnstructured(object),
			append(options, client.FieldOwner("administrator"), client.ForceOwnership)...)).To(Succeed(), object.GetKind()+" "+object.GetName())
	}
}

// inNamespace moves the objects of config/namespaced elsewhere.
func inNamespace(objects []*unstructured.Unstructured, namespace string) {
	for _, object := range objects {
		object.SetNamespace(namespace)
		subjects, _, _ := unstructured.NestedSlice(object.Object, "subjects")
		for _, subject := range subjects {
			subject.(map[string]any)["namespace"] = namespace
		}
		if len(subjects) > 0 {
			Expect(unstructured.SetNestedSlice(object.Object, subjects, "subjects")).To(Succeed())
		}
	}
}

func ofKinds(objects []*unstructured.Unstructured, kinds ...string) []*unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(objects), func(object *unstructured.Unstructured) bool {
		return !slices.Contains(kinds, object.GetKind())
	})
}

// allowed are all rights of a user, as "verb resource" of every resource and verb that the API server knows, in one namespace.
func allowed(w *world, user, namespace string) []string {
	GinkgoHelper()
	server, err := discovery.NewDiscoveryClientForConfig(apiServer)
	Expect(err).NotTo(HaveOccurred())
	_, lists, err := server.ServerGroupsAndResources()
	Expect(err).NotTo(HaveOccurred())
	verbs := []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "escalate", "bind", "impersonate"}
	var rights []string
	for _, list := range lists {
		group, _, _ := strings.Cut(list.GroupVersion, "/")
		if !strings.Contains(list.GroupVersion, "/") {
			group = ""
		}
		resources := list.APIResources
		if group == v1alpha1.GroupName {
			// It is no resource, but the right to name the object as an owner.
			resources = append(resources, metav1.APIResource{Name: "datasetgenerations/finalizers"})
		}
		for _, resource := range resources {
			name, subresource, _ := strings.Cut(resource.Name, "/")
			for _, verb := range verbs {
				review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
					User: user, Groups: []string{"system:authenticated"},
					ResourceAttributes: &authorizationv1.ResourceAttributes{
						Namespace: namespace, Verb: verb, Group: group, Resource: name, Subresource: subresource,
					},
				}}
				Expect(kube.Create(w.ctx, review)).To(Succeed())
				if right := verb + " " + group + "/" + resource.Name; review.Status.Allowed && !slices.Contains(rights, right) {
					rights = append(rights, right)
				}
			}
		}
	}
	slices.Sort(rights)
	return rights
}

// needed are the rights without which the manager can't work. Everything else is denied it: Secrets above all, what runs in Pods
// (exec, logs), roles, and changes of what users have written.
var needed = []string{
	"create /configmaps", "create /pods", "create batch/jobs", "create events.k8s.io/events",
	"delete /configmaps", "delete /pods", "delete batch/jobs",
	"get /configmaps", "get /namespaces", "get /persistentvolumeclaims", "get /pods", "get batch/jobs",
	"get seedloom.dev/datasetgenerations", "get seedloom.dev/datasetgenerations/status",
	"list /configmaps", "list /events", "list /persistentvolumeclaims", "list /pods", "list batch/jobs", "list seedloom.dev/datasetgenerations",
	"patch batch/jobs", "patch events.k8s.io/events", "patch seedloom.dev/datasetgenerations", "patch seedloom.dev/datasetgenerations/status",
	"update seedloom.dev/datasetgenerations/finalizers",
	"watch /configmaps", "watch /events", "watch /persistentvolumeclaims", "watch /pods", "watch batch/jobs",
	"watch seedloom.dev/datasetgenerations",
}

// asking are the rights to ask who somebody is and what they may do, of the cluster-wide manager for its metrics; and those that everybody
// has.
var asking = []string{
	"create authentication.k8s.io/tokenreviews", "create authorization.k8s.io/subjectaccessreviews",
	"create authorization.k8s.io/localsubjectaccessreviews",
	"create authorization.k8s.io/selfsubjectaccessreviews", "create authorization.k8s.io/selfsubjectrulesreviews",
	"create authentication.k8s.io/selfsubjectreviews",
}

func without(rights, others []string) []string {
	return slices.DeleteFunc(slices.Clone(rights), func(right string) bool { return slices.Contains(others, right) })
}

var _ = Describe("The manifests", func() {
	It("are accepted by the API server, and give the manager the rights that it needs and no others", func() {
		w := newWorld()
		install(w, ofKinds(kustomized("default"), "Namespace"))
		install(w, ofOtherKinds(kustomized("default"), "Namespace", "CustomResourceDefinition"), client.DryRunAll)
		Expect(without(allowed(w, managerIn("seedloom-system"), w.namespace), asking)).To(Equal(needed))
	})

	It("of one namespace have no right beyond it", func() {
		w := newWorld()
		objects := kustomized("namespaced")
		for _, object := range objects {
			Expect(object.GetNamespace()).To(Equal("datasets"), object.GetKind()+" "+object.GetName())
		}
		inNamespace(objects, w.namespace)
		install(w, ofKinds(objects, "ServiceAccount", "Role", "RoleBinding"))
		install(w, ofOtherKinds(objects, "ServiceAccount", "Role", "RoleBinding"), client.DryRunAll)
		leading := []string{"create /events", "patch /events", "create coordination.k8s.io/leases"}
		Expect(without(without(allowed(w, managerIn(w.namespace), w.namespace), asking), leading)).To(Equal(needed))
		Expect(without(allowed(w, managerIn(w.namespace), "kube-system"), asking)).To(BeEmpty())
		Expect(without(allowed(w, managerIn(w.namespace), ""), asking)).To(BeEmpty())
	})

	It("of network policies are accepted by the API server", func() {
		w := newWorld()
		for _, folder := range []string{"network-policy/manager", "network-policy/engines"} {
			objects := kustomized(folder)
			inNamespace(objects, w.namespace)
			install(w, objects, client.DryRunAll)
		}
	})
})

// ofOtherKinds are the objects of other kinds.
func ofOtherKinds(objects []*unstructured.Unstructured, kinds ...string) []*unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(objects), func(object *unstructured.Unstructured) bool {
		return slices.Contains(kinds, object.GetKind())
	})
}
