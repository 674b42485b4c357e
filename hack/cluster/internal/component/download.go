package component

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// ErrChecksum says that a downloaded file is not the published one.
var ErrChecksum = errors.New("the checksum does not match")

// Downloads says where release binaries are published. The zero value means the projects' own sites.
type Downloads struct {
	KubernetesSite string        // instead of https://dl.k8s.io
	GitHubSite     string        // instead of https://github.com
	FirstByte      time.Duration // how long a site may take to answer; 5 s if zero
}

// release is one published file and where the program lies in it.
type release struct {
	url, checksums string
	member         string // path in the archive; empty: the file is the program itself
}

// fetch downloads one program, checks it and renames it into place.
func (d Downloads) fetch(ctx context.Context, p pinned, program Program, destination string) error {
	published := d.release(p, program)
	want, err := d.checksum(ctx, published)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(destination), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(destination), ".download-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	digest := sha256.New()
	if err := d.get(ctx, published.url, io.MultiWriter(file, digest)); err != nil {
		return err
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != want {
		return fmt.Errorf("%w: %s has SHA-256 %s, published is %s", ErrChecksum, published.url, got, want)
	}
	if published.member == "" {
		if err := errors.Join(file.Chmod(0o755), file.Close()); err != nil {
			return err
		}
		return os.Rename(file.Name(), destination)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return extract(file, published.member, destination)
}

// release names the published file of a program.
func (d Downloads) release(p pinned, program Program) release {
	kubernetes, github := d.KubernetesSite, d.GitHubSite
	if kubernetes == "" {
		kubernetes = "https://dl.k8s.io"
	}
	if github == "" {
		github = "https://github.com"
	}
	system, number := runtime.GOOS+"-"+runtime.GOARCH, strings.TrimPrefix(p.version, "v")
	switch p.folder {
	case "etcd":
		base := github + "/etcd-io/etcd/releases/download/" + p.version + "/"
		name := "etcd-" + p.version + "-" + system
		return release{url: base + name + ".tar.gz", checksums: base + "SHA256SUMS", member: name + "/etcd"}
	case "containerd":
		url := github + "/containerd/containerd/releases/download/" + p.version + "/containerd-" + number + "-" + system + ".tar.gz"
		return release{url: url, checksums: url + ".sha256sum", member: "bin/" + string(program)}
	case "coredns":
		url := github + "/coredns/coredns/releases/download/" + p.version + "/coredns_" + number + "_" +
			strings.ReplaceAll(system, "-", "_") + ".tgz"
		return release{url: url, checksums: url + ".sha256", member: "coredns"}
	default:
		url := kubernetes + "/" + p.version + "/bin/" + runtime.GOOS + "/" + runtime.GOARCH + "/" + string(program)
		return release{url: url, checksums: url + ".sha256"}
	}
}

// checksum reads the published SHA-256: a bare number, or lines of "number  file name".
func (d Downloads) checksum(ctx context.Context, published release) (string, error) {
	var content bytes.Buffer
	if err := d.get(ctx, published.checksums, &content); err != nil {
		return "", err
	}
	lines := bufio.NewScanner(&content)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		bare := len(fields) == 1
		named := len(fields) == 2 && strings.TrimPrefix(path.Base(fields[1]), "*") == path.Base(published.url)
		if (bare || named) && len(fields[0]) == sha256.Size*2 {
			return strings.ToLower(fields[0]), nil
		}
	}
	return "", fmt.Errorf("%s names no SHA-256 for %s", published.checksums, path.Base(published.url))
}

// get copies a page. The site has FirstByte to begin its answer; the copy itself may take long.
func (d Downloads) get(ctx context.Context, url string, destination io.Writer) error {
	limit := d.FirstByte
	if limit == 0 {
		limit = 5 * time.Second
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := time.AfterFunc(limit, cancel)
	defer timer.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%s did not answer within %s", url, limit)
		}
		return err
	}
	defer response.Body.Close()
	timer.Stop()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	_, err = io.Copy(destination, response.Body)
	return err
}

// extract copies one member of a gzip-compressed tar archive to destination.
func extract(archive io.Reader, member, destination string) error {
	compressed, err := gzip.NewReader(archive)
	if err != nil {
		return err
	}
	reader := tar.NewReader(compressed)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the archive holds no %s", member)
		}
		if err != nil {
			return err
		}
		if path.Clean(header.Name) == member && header.Typeflag == tar.TypeReg {
			break
		}
	}
	temporary := destination + ".partial"
	defer os.Remove(temporary)
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, reader)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(temporary, destination)
}
