package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// packed is a file of an archive: where it is, and its name in the archive.
type packed struct{ source, name string }

// The archives hold no times and no users of the machine that made them: the same programs give the same bytes.
var packedAt = time.Unix(0, 0).UTC()

func (p packed) mode() os.FileMode {
	if strings.Contains(p.name, ".md") || strings.HasPrefix(p.name, "LICENSE") {
		return 0o644
	}
	return 0o755
}

func packTar(output string, files []packed) (err error) {
	file, err := os.Create(output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	compressed := gzip.NewWriter(file)
	archive := tar.NewWriter(compressed)
	for _, one := range files {
		content, err := os.ReadFile(one.source)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: one.name, Mode: int64(one.mode()), Size: int64(len(content)), ModTime: packedAt, Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), compressed.Close())
}

func packZip(output string, files []packed) (err error) {
	file, err := os.Create(output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	archive := zip.NewWriter(file)
	for _, one := range files {
		content, err := os.ReadFile(one.source)
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: one.name, Method: zip.Deflate}
		header.SetMode(one.mode())
		entry, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := entry.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// writeChecksums writes the SHA-256 sums of all files of a folder, as sha256sum --check reads them.
func writeChecksums(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, entry := range entries {
		sum, err := sumOf(filepath.Join(folder, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum, entry.Name())
	}
	return os.WriteFile(filepath.Join(folder, "checksums.txt"), []byte(sums.String()), 0o644)
}

func sumOf(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return nil, err
	}
	return sum.Sum(nil), nil
}
