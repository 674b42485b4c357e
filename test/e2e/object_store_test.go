package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// The addresses of what stands in for services outside (test/e2e/standins), what their users need, and the repository of the hub.
const (
	storeEndpoint = "http://standins:7070"
	unfitEndpoint = "http://standins:9000"
	hubEndpoint   = "http://standins:8080"
	bucketName    = "bucket"
	bucketPrefix  = "team"
	accessKey     = "access"
	secretKey     = "secret-of-the-test"
	hubToken      = "hf_goodTokenOfMe"
	hubRepository = "me/stories"
)

var _ = Describe("A dataset in a bucket", func() {
	It("goes on after a kill, is published, and goes with its resource; an unfit store is refused", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.startStandIns(ctx)
		w.simulator.answerAfter(ctx, "500ms")
		w.apply(ctx, stories, named("unfit"), inBucket(unfitEndpoint))
		w.apply(ctx, stories, shards(2), inBucket(storeEndpoint), published, func(dataset *v1alpha1.DatasetGeneration) {
			dataset.Spec.Output.RetentionPolicy = v1alpha1.RetentionDelete
			dataset.Spec.RandomSeed = 12 // other rows than those of the other
		})

		By("going on after a kill, without paying again for what is in the bucket")
		w.waitForCheckpoints(ctx, "stories", 3)
		kill(w.runningPod(ctx, "stories"))
		w.simulator.answerAfter(ctx, "50ms")
		paid := readParquet(ctx, w.checkpoints("stories")...).column("id")
		Expect(len(paid)).To(BeNumerically("<", 120), "it was killed in mid-run")
		dataset := w.waitFor(ctx, "stories", v1alpha1.ConditionComplete)
		Expect(dataset.Status.Records.Actual).To(BeEquivalentTo(120))
		Expect(dataset.Status.Output.URL).To(HavePrefix("s3://" + bucketName + "/" + bucketPrefix + "/" + w.namespace + "/stories/"))
		expectAccounted(dataset)
		prompts := w.simulator.prompts(ctx)
		for _, id := range paid {
			Expect(prompts).To(HaveKeyWithValue(id, 1), "requests for the checkpointed row %s", id)
		}
		read := w.readDataset(ctx, dataset)
		Expect(distinct(read.column("id"))).To(Equal(120))
		Expect(filepath.Join(w.folder(dataset), "_SUCCESS")).To(BeAnExistingFile())

		By("refusing a store that ignores conditions, with its name, before the first row")
		refused := w.waitFor(ctx, "unfit", v1alpha1.ConditionFailed)
		failed := conditionOf(refused, v1alpha1.ConditionFailed)
		Expect(failed.Reason).To(Equal(v1alpha1.ReasonObjectStoreUnfit))
		Expect(failed.Message).To(And(ContainSubstring(unfitEndpoint), ContainSubstring(`"s3test"`), ContainSubstring("If-None-Match")))
		Expect(refused.Status.Records.Actual).To(BeZero())

		By("being published by a Pod of its own")
		w.waitForState(ctx, "stories", v1alpha1.ConditionPublished, metav1.ConditionTrue, v1alpha1.ReasonPublished)
		publication, repository := w.get(ctx, "stories").Status.Publication, w.repository(ctx, hubRepository)
		Expect(publication.URL).To(Equal(hubEndpoint + "/datasets/" + hubRepository))
		Expect(publication.Commit).To(Equal(repository.Commit))
		Expect(repository.Private).To(BeTrue())
		Expect(repository.Files).To(ContainElement("README.md"))
		Expect(repository.Files).To(ContainElement("parquet-files/" + filepath.Base(w.checkpoints("stories")[0])))
		Eventually(ctx, func() []string { return eventReasons(w.events(ctx, "stories")) }).WithTimeout(startTimeout).
			Should(ContainElement(v1alpha1.ReasonPublished))

		By("being the seed of others, as it lies in the bucket and as it was published")
		w.apply(ctx, openings, named("from-bucket"), inBucket(storeEndpoint), func(dataset *v1alpha1.DatasetGeneration) {
			dataset.Spec.Seed = &v1alpha1.Seed{DatasetRef: &v1alpha1.DatasetSeed{Name: "stories"}}
		})
		w.apply(ctx, openings, named("from-hub"), records(120), inBucket(storeEndpoint), func(dataset *v1alpha1.DatasetGeneration) {
			dataset.Spec.Seed = &v1alpha1.Seed{HuggingFace: &v1alpha1.HuggingFaceSeed{
				Repository: hubRepository, Endpoint: hubEndpoint, TokenSecretRef: &v1alpha1.SecretKeyReference{Name: "hub", Key: "token"},
			}}
		})
		w.apply(ctx, openings, named("from-files"), records(120), inBucket(storeEndpoint), func(other *v1alpha1.DatasetGeneration) {
			other.Spec.Seed = &v1alpha1.Seed{ObjectStore: &v1alpha1.ObjectStoreSeed{
				URL: dataset.Status.Output.URL + "/parquet-files", Endpoint: storeEndpoint,
				CredentialsSecretRef: &v1alpha1.SecretReference{Name: "bucket"},
			}}
		})
		for _, name := range []string{"from-bucket", "from-hub", "from-files"} {
			seeded := w.readDataset(ctx, w.waitFor(ctx, name, v1alpha1.ConditionComplete))
			Expect(seeded.column("id")).To(Equal(read.column("id")), "the rows of %s", name)
			Expect(seeded.column("opening")).To(HaveEach(HaveSuffix(" begins")))
		}

		By("having no secret where people look")
		said := w.kubectl(ctx, "get", "datasetgenerations,pods,jobs,configmaps,events", "--output", "yaml") +
			w.kubectl(ctx, "logs", "--selector", v1alpha1.LabelDataset, "--tail", "-1")
		for _, secret := range []string{secretKey, hubToken} {
			Expect(strings.Contains(said, secret)).To(BeFalse(), "the secret %s", secret)
		}

		By("deleting it with its resource, and nothing else")
		neighbour := filepath.Join(w.output, w.namespace, "stories-2", "file")
		Expect(os.MkdirAll(filepath.Dir(neighbour), 0o755)).To(Succeed())
		Expect(os.WriteFile(neighbour, []byte("of another"), 0o600)).To(Succeed())
		Expect(apiClient.Delete(ctx, w.get(ctx, "stories"))).To(Succeed())
		Eventually(ctx, func() bool {
			return apierrors.IsNotFound(apiClient.Get(ctx, client.ObjectKeyFromObject(dataset), &v1alpha1.DatasetGeneration{}))
		}).WithTimeout(runTimeout).Should(BeTrue(), "the resource is gone")
		left, err := filepath.Glob(filepath.Join(w.output, w.namespace, "stories", "*"))
		Expect(err).NotTo(HaveOccurred())
		Expect(left).To(BeEmpty())
		Expect(neighbour).To(BeAnExistingFile())
	})
})

// inBucket has the output in a bucket in place of the volume.
func inBucket(endpoint string) func(*v1alpha1.DatasetGeneration) {
	return func(dataset *v1alpha1.DatasetGeneration) {
		dataset.Spec.Output = v1alpha1.Output{ObjectStore: &v1alpha1.ObjectStoreOutput{
			URL: "s3://" + bucketName + "/" + bucketPrefix, Endpoint: endpoint,
			CredentialsSecretRef: &v1alpha1.SecretReference{Name: "bucket"},
		}}
	}
}

// published has the dataset published in the hub.
func published(dataset *v1alpha1.DatasetGeneration) {
	dataset.Spec.Publish = &v1alpha1.Publish{HuggingFace: &v1alpha1.HuggingFaceRepository{
		Repository: hubRepository, Endpoint: hubEndpoint, License: "cc0-1.0",
		TokenSecretRef: v1alpha1.SecretKeyReference{Name: "hub", Key: "token"},
	}}
}

// startStandIns starts what stands in for services outside of the cluster. From then on datasets are looked for in the bucket.
func (w *world) startStandIns(ctx context.Context) {
	GinkgoHelper()
	w.output = filepath.Join(w.volume, "store", bucketName, bucketPrefix)
	for folder := filepath.Dir(w.output); folder != w.volume; folder = filepath.Dir(folder) {
		Expect(os.MkdirAll(folder, 0o755)).To(Succeed())
		Expect(os.Chmod(folder, 0o777)).To(Succeed()) // the store runs as a user without rights
	}
	create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "bucket"},
		StringData: map[string]string{"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey},
	})
	create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "hub"}, StringData: map[string]string{"token": hubToken},
	})
	manifest, err := filepath.Abs(filepath.Join("standins", "standins.yaml"))
	Expect(err).NotTo(HaveOccurred())
	w.kubectl(ctx, "apply", "--filename", manifest)
	w.kubectl(ctx, "rollout", "status", "deployment/standins", "--timeout=60s")
}

// stopStandIns stops them, where they run, so that nobody has the volume any more.
func (w *world) stopStandIns(ctx context.Context) {
	GinkgoHelper()
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "standins"}}
	deleteAndWait(ctx, deployment, startTimeout)
	Eventually(ctx, func() []corev1.Pod {
		var pods corev1.PodList
		selector := client.MatchingLabels{"app.kubernetes.io/name": "standins"}
		Expect(apiClient.List(ctx, &pods, client.InNamespace(w.namespace), selector)).To(Succeed())
		return pods.Items
	}).WithTimeout(startTimeout).Should(BeEmpty())
}

// publishedRepository is what a repository of the hub has.
type publishedRepository struct {
	Commit  string
	Private bool
	Files   []string
}

// repository looks at a repository of the hub, through the API server's proxy.
func (w *world) repository(ctx context.Context, name string) publishedRepository {
	GinkgoHelper()
	answer, err := clientset.CoreV1().RESTClient().Verb(http.MethodGet).Namespace(w.namespace).Resource("services").
		Name("standins:8080").SubResource("proxy").Suffix("_sim/repository").Param("name", name).Do(ctx).Raw()
	Expect(err).NotTo(HaveOccurred(), "the hub answered:\n%s", answer)
	var found publishedRepository
	Expect(json.Unmarshal(answer, &found)).To(Succeed())
	return found
}
