package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// rows are the records of a dataset as another Parquet implementation reads them: the columns in the order of the files, and each value
// as text.
type rows struct {
	columns []string
	values  [][]string
}

// column returns the values of a column.
func (r *rows) column(name string) []string {
	GinkgoHelper()
	at := slices.Index(r.columns, name)
	Expect(at).To(BeNumerically(">=", 0), "the column %s is not among %v", name, r.columns)
	values := make([]string, 0, len(r.values))
	for _, row := range r.values {
		values = append(values, row[at])
	}
	return values
}

// folder is where a run's files are on this machine, from the place that the status names.
func (w *world) folder(dataset *v1alpha1.DatasetGeneration) string {
	GinkgoHelper()
	Expect(dataset.Status.Output).NotTo(BeNil(), "status.output")
	path, isPlace := strings.CutPrefix(dataset.Status.Output.URL, "pvc://"+claimName+"/")
	if inBucket, is := strings.CutPrefix(dataset.Status.Output.URL, "s3://"); is {
		path, isPlace = "store/"+inBucket, true // the objects of the store are files of the claim
	}
	Expect(isPlace).To(BeTrue(), "status.output.url = %q", dataset.Status.Output.URL)
	return filepath.Join(w.volume, filepath.FromSlash(path))
}

// checkpoints lists the Parquet files that the dataset has now, of whatever run; it needs no status.
func (w *world) checkpoints(dataset string) []string {
	GinkgoHelper()
	files, err := filepath.Glob(filepath.Join(w.output, w.namespace, dataset, "[0-9a-f]*", "parquet-files", "batch_*.parquet"))
	Expect(err).NotTo(HaveOccurred())
	slices.Sort(files)
	return files
}

// waitForCheckpoints waits until at least so many row groups are there.
func (w *world) waitForCheckpoints(ctx context.Context, dataset string, count int) []string {
	GinkgoHelper()
	var files []string
	Eventually(ctx, func() int {
		files = w.checkpoints(dataset)
		return len(files)
	}).WithTimeout(runTimeout).Should(BeNumerically(">=", count), "row groups of %s", dataset)
	return files
}

// readDataset reads all records, in the order of the files' names.
func (w *world) readDataset(ctx context.Context, dataset *v1alpha1.DatasetGeneration) *rows {
	GinkgoHelper()
	files, err := filepath.Glob(filepath.Join(w.folder(dataset), "parquet-files", "*"))
	Expect(err).NotTo(HaveOccurred())
	slices.Sort(files)
	Expect(files).To(HaveLen(int(dataset.Status.Output.Files)), "status.output.files")
	return readParquet(ctx, files...)
}

// readParquet reads files with Apache Arrow's reader, which shares no code with the writer.
func readParquet(ctx context.Context, files ...string) *rows {
	GinkgoHelper()
	all := &rows{}
	for _, path := range files {
		reader, err := file.OpenParquetFile(path, false, file.WithReadProps(parquet.NewReaderProperties(memory.DefaultAllocator)))
		Expect(err).NotTo(HaveOccurred(), "opening %s", path)
		arrow, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		Expect(err).NotTo(HaveOccurred(), "reading %s", path)
		table, err := arrow.ReadTable(ctx)
		Expect(err).NotTo(HaveOccurred(), "reading %s", path)

		var columns []string
		values := make([][]string, table.NumRows())
		for index := range int(table.NumCols()) {
			columns = append(columns, table.Schema().Field(index).Name)
			row := 0
			for _, chunk := range table.Column(index).Data().Chunks() {
				for at := range chunk.Len() {
					values[row] = append(values[row], chunk.ValueStr(at))
					row++
				}
			}
		}
		table.Release()
		Expect(reader.Close()).To(Succeed())
		if all.columns == nil {
			all.columns = columns
		}
		Expect(columns).To(Equal(all.columns), "every file has the same columns")
		all.values = append(all.values, values...)
	}
	return all
}

// metadata reads the dataset's metadata.json.
func (w *world) metadata(dataset *v1alpha1.DatasetGeneration) map[string]any {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join(w.folder(dataset), "metadata.json"))
	Expect(err).NotTo(HaveOccurred())
	var metadata map[string]any
	Expect(json.Unmarshal(text, &metadata)).To(Succeed(), "metadata.json:\n%s", text)
	return metadata
}

// keyPaths lists the keys of a document with those of the objects in it, but not those of lists, whose entries depend on the spec.
func keyPaths(document map[string]any, prefix string) []string {
	var paths []string
	for key, value := range document {
		paths = append(paths, prefix+key)
		if object, ok := value.(map[string]any); ok {
			paths = append(paths, keyPaths(object, prefix+key+".")...)
		}
	}
	slices.Sort(paths)
	return paths
}

// fingerprints are the contents of files, by path.
func fingerprints(files []string) map[string][sha256.Size]byte {
	GinkgoHelper()
	prints := map[string][sha256.Size]byte{}
	for _, path := range files {
		content, err := os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
		prints[path] = sha256.Sum256(content)
	}
	return prints
}
