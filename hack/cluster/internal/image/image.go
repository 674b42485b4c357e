// Package image writes container images of one layer from static binaries, for one architecture or
// several, without a registry and without a daemon. The same files give the same bytes, so an image's digest says whether a node has
// it already. Bringing the archive to a node is the caller's business.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"time"
)

// Spec describes an image.
type Spec struct {
	Name       string   // with its tag: "seedloom.dev/seedloom:dev"
	Entrypoint []string // absolute paths in the image, with arguments
	User       string   // "65532" or "65532:65532"; empty means root
	Files      []File
	// Architecture is that of the programs, as Go names it; that of this machine when it is empty.
	Architecture string
}

// File is one executable of the image, or something that programs read.
type File struct {
	Source string // on this machine
	Target string // absolute, in the image
}

// ParseFile reads "FILE" (goes to /NAME) or "FILE=/path/in/the/image".
func ParseFile(argument string) (File, error) {
	source, target, named := strings.Cut(argument, "=")
	if !named {
		target = "/" + filepath.Base(source)
	}
	if !path.IsAbs(target) || path.Clean(target) != target || target == "/" {
		return File{}, fmt.Errorf("%q: the path in the image, %q, must be absolute and name a file", argument, target)
	}
	return File{Source: source, Target: target}, nil
}

// Image is a finished image: small descriptions in memory, the layer read from its files again when
// the archive is written.
type Image struct {
	spec     Spec
	layer    descriptor
	config   []byte
	manifest []byte
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// platform is what an image of an index runs on.
type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// New reads the files once and computes the image's digest.
func New(spec Spec) (*Image, error) {
	if spec.Name == "" || !strings.Contains(path.Base(spec.Name), ":") {
		return nil, fmt.Errorf("image name %q: want a name with a tag, for example seedloom.dev/seedloom:dev", spec.Name)
	}
	if len(spec.Files) == 0 {
		return nil, fmt.Errorf("image %s: name at least one file to put into it", spec.Name)
	}
	if spec.Architecture == "" {
		spec.Architecture = runtime.GOARCH
	}
	spec.Files = append([]File(nil), spec.Files...)
	sort.Slice(spec.Files, func(i, j int) bool { return spec.Files[i].Target < spec.Files[j].Target })
	for i := 1; i < len(spec.Files); i++ {
		if spec.Files[i].Target == spec.Files[i-1].Target {
			return nil, fmt.Errorf("image %s: %s and %s both go to %s", spec.Name,
				spec.Files[i-1].Source, spec.Files[i].Source, spec.Files[i].Target)
		}
	}
	created := &Image{spec: spec}
	digest, size := sha256.New(), &counter{}
	if err := created.writeLayer(io.MultiWriter(digest, size)); err != nil {
		return nil, err
	}
	created.layer = descriptor{MediaType: layerType, Digest: "sha256:" + hex.EncodeToString(digest.Sum(nil)), Size: size.bytes}
	var err error
	if created.config, err = json.Marshal(configuration(spec, created.layer.Digest)); err != nil {
		return nil, err
	}
	created.manifest, err = json.Marshal(map[string]any{
		"schemaVersion": 2,
		"mediaType":     manifestType,
		"config":        describe(configType, created.config),
		"layers":        []descriptor{created.layer},
	})
	return created, err
}

// Digest is the manifest's digest, by which a node knows the image.
func (i *Image) Digest() string { return describe(manifestType, i.manifest).Digest }

// Name is the image's name with its tag.
func (i *Image) Name() string { return i.spec.Name }

// WriteArchive writes the image as an OCI layout in a tar archive that Docker can load as well.
func (i *Image) WriteArchive(output io.Writer) error {
	return writeArchive(output, i.Name(), describe(manifestType, i.manifest), nil, []*Image{i})
}

// writeLayer writes the file system: the directories, then the files.
func (i *Image) writeLayer(output io.Writer) error {
	layer := tar.NewWriter(output)
	for _, directory := range directories(i.spec.Files) {
		entry := header(directory+"/", 0o755, 0)
		entry.Typeflag = tar.TypeDir
		if directory == "tmp" {
			entry.Mode = 0o1777
		}
		if err := layer.WriteHeader(entry); err != nil {
			return err
		}
	}
	for _, file := range i.spec.Files {
		if err := writeFile(layer, file); err != nil {
			return fmt.Errorf("image %s: %w", i.spec.Name, err)
		}
	}
	return layer.Close()
}

func writeFile(layer *tar.Writer, file File) error {
	source, err := os.Open(file.Source)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", file.Source)
	}
	if err := layer.WriteHeader(header(strings.TrimPrefix(file.Target, "/"), 0o755, info.Size())); err != nil {
		return err
	}
	if _, err := io.Copy(layer, source); err != nil {
		return fmt.Errorf("copy %s: %w", file.Source, err)
	}
	return nil
}

// directories lists the folders that the files need, and /tmp, parents first.
func directories(files []File) []string {
	seen := map[string]bool{"tmp": true}
	for _, file := range files {
		for folder := path.Dir(file.Target); folder != "/"; folder = path.Dir(folder) {
			seen[strings.TrimPrefix(folder, "/")] = true
		}
	}
	var sorted []string
	for folder := range seen {
		sorted = append(sorted, folder)
	}
	sort.Strings(sorted)
	return sorted
}

func configuration(spec Spec, layer string) map[string]any {
	return map[string]any{
		"architecture": spec.Architecture,
		"os":           "linux",
		"created":      "1970-01-01T00:00:00Z",
		"config": map[string]any{
			"User":       spec.User,
			"Entrypoint": spec.Entrypoint,
			"Env":        []string{"PATH=/"},
			"WorkingDir": "/",
		},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{layer}},
		"history": []map[string]any{{"created": "1970-01-01T00:00:00Z", "created_by": "seedloom hack/cluster"}},
	}
}

// header fixes everything that would differ between two runs.
func header(name string, mode, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: size, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
}

func describe(mediaType string, content []byte) descriptor {
	digest := sha256.Sum256(content)
	return descriptor{MediaType: mediaType, Digest: "sha256:" + hex.EncodeToString(digest[:]), Size: int64(len(content))}
}

func blob(digest string) string { return "blobs/" + strings.Replace(digest, ":", "/", 1) }

type counter struct{ bytes int64 }

func (c *counter) Write(content []byte) (int, error) {
	c.bytes += int64(len(content))
	return len(content), nil
}

// DigestInListing finds the digest of an image in what `ctr image list` prints.
func DigestInListing(listing []byte, name string) (string, bool) {
	for line := range bytes.Lines(listing) {
		fields := strings.Fields(string(line))
		if len(fields) > 2 && fields[0] == name {
			return fields[2], true
		}
	}
	return "", false
}
