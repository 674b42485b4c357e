package image

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// Archive is an image that can be brought to a node.
type Archive interface {
	// Name is the image's name with its tag, Digest that by which a node knows it.
	Name() string
	Digest() string
	// WriteArchive writes it as an OCI layout in a tar archive.
	WriteArchive(output io.Writer) error
}

// Index is an image for several architectures under one name: a node takes the one that it can run.
type Index struct {
	images  []*Image
	content []byte
}

// NewIndex makes one image of those for each architecture.
func NewIndex(images ...*Image) (*Index, error) {
	if len(images) == 0 {
		return nil, errors.New("an image needs an architecture")
	}
	seen, manifests := map[string]bool{}, make([]descriptor, 0, len(images))
	for _, one := range images {
		architecture := one.spec.Architecture
		if one.Name() != images[0].Name() || seen[architecture] {
			return nil, fmt.Errorf("image %s: %s is there twice, or has another name: %s", images[0].Name(), architecture, one.Name())
		}
		seen[architecture] = true
		manifest := describe(manifestType, one.manifest)
		manifest.Platform = &platform{Architecture: architecture, OS: "linux"}
		manifests = append(manifests, manifest)
	}
	content, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": manifests})
	return &Index{images, content}, err
}

// Name is the image's name with its tag.
func (i *Index) Name() string { return i.images[0].Name() }

// Digest is that of the list of architectures, by which a node and a registry know the image.
func (i *Index) Digest() string { return describe(indexType, i.content).Digest }

// WriteArchive writes the images of all architectures into one archive.
func (i *Index) WriteArchive(output io.Writer) error {
	return writeArchive(output, i.Name(), describe(indexType, i.content), i.content, i.images)
}

// writeArchive writes images as an OCI layout that leads to a target: one of them, or the list of all, which is content. What loads the
// archives of Docker's own form finds the image for this machine, or the first.
func writeArchive(output io.Writer, name string, target descriptor, content []byte, images []*Image) error {
	target.Annotations = map[string]string{
		"io.containerd.image.name":          name,
		"org.opencontainers.image.ref.name": name[strings.LastIndex(name, ":")+1:],
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": []descriptor{target}})
	if err != nil {
		return err
	}
	local := images[0]
	for _, one := range images {
		if one.spec.Architecture == runtime.GOARCH {
			local = one
		}
	}
	docker, err := json.Marshal([]map[string]any{{
		"Config": blob(describe(configType, local.config).Digest), "RepoTags": []string{name}, "Layers": []string{blob(local.layer.Digest)},
	}})
	if err != nil {
		return err
	}
	archive := &archiveWriter{tar: tar.NewWriter(output), written: map[string]bool{}}
	archive.add("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	archive.add("index.json", index)
	archive.add("manifest.json", docker)
	if content != nil {
		archive.add(blob(target.Digest), content)
	}
	for _, one := range images {
		archive.addImage(one)
	}
	return errors.Join(archive.err, archive.tar.Close())
}

// archiveWriter writes the members of an archive, each once, up to the first error.
type archiveWriter struct {
	tar     *tar.Writer
	written map[string]bool
	err     error
}

func (a *archiveWriter) add(name string, content []byte) {
	a.addFrom(name, int64(len(content)), func(output io.Writer) error {
		_, err := output.Write(content)
		return err
	})
}

func (a *archiveWriter) addFrom(name string, size int64, write func(io.Writer) error) {
	if a.err != nil || a.written[name] {
		return
	}
	a.written[name] = true
	if a.err = a.tar.WriteHeader(header(name, 0o644, size)); a.err == nil {
		a.err = write(a.tar)
	}
}

func (a *archiveWriter) addImage(one *Image) {
	a.add(blob(describe(manifestType, one.manifest).Digest), one.manifest)
	a.add(blob(describe(configType, one.config).Digest), one.config)
	a.addFrom(blob(one.layer.Digest), one.layer.Size, func(output io.Writer) error {
		if err := one.writeLayer(output); err != nil {
			return fmt.Errorf("write the layer of %s (did a file change meanwhile?): %w", one.Name(), err)
		}
		return nil
	})
}

// Saved is an image in an archive on this machine.
type Saved struct{ path, name, digest string }

// Open reads which image an archive holds.
func Open(path string) (*Saved, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	for reader := tar.NewReader(file); ; {
		member, err := reader.Next()
		if err != nil {
			return nil, fmt.Errorf("%s holds no image: index.json is missing: %w", path, err)
		}
		if member.Name != "index.json" {
			continue
		}
		var index struct{ Manifests []descriptor }
		if err := json.NewDecoder(reader).Decode(&index); err != nil {
			return nil, fmt.Errorf("%s: index.json: %w", path, err)
		}
		if len(index.Manifests) != 1 || index.Manifests[0].Annotations["io.containerd.image.name"] == "" {
			return nil, fmt.Errorf("%s holds %d images, want one with a name", path, len(index.Manifests))
		}
		found := index.Manifests[0]
		return &Saved{path, found.Annotations["io.containerd.image.name"], found.Digest}, nil
	}
}

// Name is the image's name with its tag.
func (s *Saved) Name() string { return s.name }

// Digest is that by which a node and a registry know the image.
func (s *Saved) Digest() string { return s.digest }

// WriteArchive copies the archive.
func (s *Saved) WriteArchive(output io.Writer) error {
	file, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(output, file)
	return err
}
