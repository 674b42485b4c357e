package component

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"seedloom.dev/seedloom/hack/cluster/internal/filelock"
)

// Method says where missing programs come from.
type Method int

// The ways to obtain a program.
const (
	// DownloadOrBuild tries a download with a short time limit and builds where that fails.
	DownloadOrBuild Method = iota
	// DownloadOnly fails where the download sites cannot be reached.
	DownloadOnly
	// BuildOnly never contacts a download site.
	BuildOnly
)

// Store is the cache of programs. The zero value of the optional fields is useful.
type Store struct {
	Cache      string // the cache folder
	Components string // the folder that holds the component modules
	Method     Method
	Downloads  Downloads
	Progress   io.Writer // one line for each long step
}

// Paths maps each program to the absolute path of its binary.
type Paths map[Program]string

// Ensure returns the paths of the programs and obtains the missing ones first. Two callers at the
// same time wait for one another instead of doing the work twice.
func (s *Store) Ensure(ctx context.Context, programs []Program) (Paths, error) {
	toolchain, err := toolchainVersion(ctx)
	if err != nil && s.Method != DownloadOnly {
		return nil, err
	}
	paths := Paths{}
	var missing []Program
	for _, program := range programs {
		path, ok, err := s.find(program, toolchain)
		if err != nil {
			return nil, err
		}
		if ok {
			paths[program] = path
			continue
		}
		missing = append(missing, program)
	}
	if len(missing) == 0 {
		return paths, nil
	}
	release, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	sitesReachable := s.Method != BuildOnly
	for number, program := range missing {
		path, err := s.obtain(ctx, program, toolchain, step{number + 1, len(missing)}, &sitesReachable)
		if err != nil {
			return nil, err
		}
		paths[program] = path
	}
	return paths, nil
}

// Link makes a folder in which every given program is found under its own name.
func (s *Store) Link(paths Paths, name string) (string, error) {
	folder := filepath.Join(s.Cache, name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	for program, target := range paths {
		link := filepath.Join(folder, string(program))
		if existing, err := os.Readlink(link); err == nil && existing == target {
			continue
		}
		temporary := fmt.Sprintf("%s.%d", link, os.Getpid())
		if err := os.Symlink(target, temporary); err != nil {
			return "", err
		}
		if err := os.Rename(temporary, link); err != nil {
			return "", errors.Join(err, os.Remove(temporary))
		}
	}
	return folder, nil
}

// BinaryFolder is the folder below which every binary of the store lies.
func (s *Store) BinaryFolder() string { return filepath.Join(s.Cache, "components") }

// find looks for a binary built from the pinned modules, then for a downloaded one.
func (s *Store) find(program Program, toolchain string) (string, bool, error) {
	p, err := s.pin(program, toolchain)
	if err != nil {
		return "", false, err
	}
	var candidates []string
	if s.Method != DownloadOnly {
		candidates = append(candidates, s.builtPath(p, program))
	}
	if s.Method != BuildOnly {
		candidates = append(candidates, s.downloadedPath(p, program))
	}
	for _, path := range candidates {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, true, nil
		}
	}
	return "", false, nil
}

func (s *Store) pin(program Program, toolchain string) (pinned, error) {
	m, err := moduleOf(program)
	if err != nil {
		return pinned{}, err
	}
	return pin(s.Components, m, toolchain)
}

func (s *Store) builtPath(p pinned, program Program) string {
	return filepath.Join(s.BinaryFolder(), fmt.Sprintf("%s-%s-%s", p.folder, p.version, p.key), string(program))
}

func (s *Store) downloadedPath(p pinned, program Program) string {
	return filepath.Join(s.BinaryFolder(), fmt.Sprintf("%s-%s-release", p.folder, p.version), string(program))
}

// obtain downloads or builds one program under the store's lock.
func (s *Store) obtain(ctx context.Context, program Program, toolchain string, step step, sitesReachable *bool) (string, error) {
	// Whoever held the lock before may have made it.
	if path, ok, err := s.find(program, toolchain); ok || err != nil {
		return path, err
	}
	p, err := s.pin(program, toolchain)
	if err != nil {
		return "", err
	}
	if *sitesReachable {
		path := s.downloadedPath(p, program)
		err := track(s.Progress, fmt.Sprintf("%s downloading %s %s", step, program, p.version), func() error {
			return s.Downloads.fetch(ctx, p, program, path)
		})
		if err == nil {
			return path, nil
		}
		if ctx.Err() != nil || s.Method == DownloadOnly {
			return "", fmt.Errorf("download %s %s: %w", program, p.version, err)
		}
		if errors.Is(err, ErrChecksum) {
			// Something answered with other bytes than were published: building instead
			// would hide that.
			return "", fmt.Errorf("download %s %s: %w", program, p.version, err)
		}
		fmt.Fprintf(s.Progress, "%s %s and what follows is built from source, since %s\n", step, program, whyBuilt(err))
		*sitesReachable = false
	}
	path := s.builtPath(p, program)
	err = track(s.Progress, fmt.Sprintf("%s building %s %s", step, program, p.version), func() error {
		return build(ctx, p, program, path)
	})
	if err != nil {
		return "", fmt.Errorf("build %s %s: %w", program, p.version, err)
	}
	return path, nil
}

// lock takes the store's lock.
func (s *Store) lock(ctx context.Context) (release func(), err error) {
	return filelock.Take(ctx, filepath.Join(s.Cache, "lock"), func() {
		fmt.Fprintf(s.Progress, "waiting for another build into %s to finish\n", s.Cache)
	})
}

// toolchainVersion is part of the cache key: another compiler makes other binaries.
func toolchainVersion(ctx context.Context) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	if err != nil {
		return "", fmt.Errorf("run \"go env GOVERSION\": %w (building the cluster's programs needs Go on the PATH)", err)
	}
	return strings.TrimSpace(string(output)), nil
}

// whyBuilt says why programs are built that could have been downloaded. A machine without the internet is nothing that went wrong.
func whyBuilt(err error) string {
	var unreachable net.Error
	if errors.As(err, &unreachable) {
		return "this machine does not reach the download sites"
	}
	return "it could not be downloaded: " + err.Error()
}
