// Command movies makes the seed dataset of the sample config/samples/movies: it takes the movies of the npm package vega-datasets,
// picks the best-known ones that are complete, and prints them as CSV. It needs npm; nothing at run time needs this program.
//
//	go run ./hack/samples/movies > config/samples/movies/movies.csv
package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	sourcePackage = "vega-datasets@3.2.1"
	sourceFile    = "package/data/movies.json"
	// sourceSHA256 makes sure that the same data is picked from for as long as this file is not edited.
	sourceSHA256 = "e63c499759e3b07b49563e036f55290f87feb56def8703ec049ca305ab1523d3"
	// pickedMovies keeps the seed far below the 1 MiB that a ConfigMap can hold.
	pickedMovies = 300
)

// movie is one entry of the source. Everything but the title and the date may be missing there, and a few titles are numbers.
type movie struct {
	Title       json.RawMessage `json:"Title"`
	Released    string          `json:"Release Date"`
	Genre       string          `json:"Major Genre"`
	Director    string          `json:"Director"`
	Rating      string          `json:"MPAA Rating"`
	Runtime     *int            `json:"Running Time min"`
	IMDBRating  *float64        `json:"IMDB Rating"`
	IMDBVotes   *int            `json:"IMDB Votes"`
	title       string
	releaseDate time.Time
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "movies:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	data, err := download(ctx)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != sourceSHA256 {
		return fmt.Errorf("%s of %s has the SHA-256 %x, want %s", sourceFile, sourcePackage, sum, sourceSHA256)
	}
	var movies []movie
	if err := json.Unmarshal(data, &movies); err != nil {
		return fmt.Errorf("parsing %s: %w", sourceFile, err)
	}
	return writeCSV(out, pick(movies, pickedMovies))
}

// download returns the source file out of the package's archive, which npm fetches into a temporary folder.
func download(ctx context.Context) ([]byte, error) {
	folder, err := os.MkdirTemp("", "seedloom-movies-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	command := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", folder, sourcePackage)
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("npm pack %s: %w", sourcePackage, err)
	}
	archives, err := filepath.Glob(filepath.Join(folder, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return nil, fmt.Errorf("npm pack %s left %d archives, want 1", sourcePackage, len(archives))
	}
	archive, err := os.ReadFile(archives[0])
	if err != nil {
		return nil, err
	}
	return extract(archive)
}

func extract(archive []byte) ([]byte, error) {
	plain, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	for reader := tar.NewReader(plain); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s has no file %s", sourcePackage, sourceFile)
		}
		if err != nil {
			return nil, err
		}
		if header.Name == sourceFile {
			return io.ReadAll(reader)
		}
	}
}

// pick returns the count movies with the most votes among those that are complete and plausible. The source has planted errors for
// exercises in cleaning: names in a broken encoding and release dates in the future are left out.
func pick(movies []movie, count int) []movie {
	var picked []movie
	for _, m := range movies {
		m.title = strings.Trim(string(m.Title), `"`)
		released, err := time.Parse("Jan 02 2006", m.Released)
		complete := err == nil && released.Year() <= 2011 && m.title != "" && m.title != "null" && m.Genre != "" && m.Director != "" &&
			m.Rating != "" && m.Runtime != nil && m.IMDBRating != nil && m.IMDBVotes != nil
		if !complete || !isASCII(m.title+m.Director) || strings.Contains(m.title, `\`) {
			continue
		}
		m.releaseDate = released
		picked = append(picked, m)
	}
	slices.SortStableFunc(picked, func(a, b movie) int { return cmp.Compare(*b.IMDBVotes, *a.IMDBVotes) })
	return picked[:min(count, len(picked))]
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

func writeCSV(out io.Writer, movies []movie) error {
	writer := csv.NewWriter(out)
	rows := [][]string{{"title", "year", "genre", "director", "mpaa_rating", "runtime_minutes", "imdb_rating"}}
	for _, m := range movies {
		rows = append(rows, []string{
			m.title, strconv.Itoa(m.releaseDate.Year()), m.Genre, m.Director, m.Rating, strconv.Itoa(*m.Runtime),
			strconv.FormatFloat(*m.IMDBRating, 'f', 1, 64),
		})
	}
	if err := writer.WriteAll(rows); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}
