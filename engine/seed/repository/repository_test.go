package repository_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/hub"
	"seedloom.dev/seedloom/engine/seed/files"
	"seedloom.dev/seedloom/engine/seed/remote"
	"seedloom.dev/seedloom/engine/seed/repository"
	"seedloom.dev/seedloom/internal/hubsim"
)

// shelf is a hub with one repository.
type shelf struct {
	t     *testing.T
	hub   *hubsim.Hub
	url   string
	chose *repository.Choice
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	sim := hubsim.New()
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return &shelf{t: t, hub: sim, url: server.URL}
}

// put commits files with some content, and a card where there is one.
func (s *shelf) put(card string, names ...string) string {
	content := map[string]hubsim.File{}
	for _, name := range names {
		content[name] = hubsim.File{Data: []byte("content of " + name)}
	}
	if card != "" {
		content["README.md"] = hubsim.File{Data: []byte(card)}
	}
	return s.hub.Commit("me/reviews", "main", content)
}

func (s *shelf) open(seed v1alpha1.Seed, change func(*repository.Options)) *repository.Repository {
	s.t.Helper()
	seed.HuggingFace.Repository = "me/reviews"
	options := repository.Options{
		Source: hub.Source{Endpoint: s.url, Repository: "me/reviews", Transport: &http.Transport{}},
		Chosen: func(choice *repository.Choice) { s.chose = choice },
	}
	if change != nil {
		change(&options)
	}
	opened, err := repository.Open(&seed, options)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = opened.Close() }) // was only read
	return opened
}

func namesOf(list []files.File) string {
	names := make([]string, len(list))
	for i, file := range list {
		names[i] = file.Path
	}
	return strings.Join(names, " ")
}

func headed(head string) string { return "---\n" + head + "\n---\n# reviews\n" }

const twoConfigurations = `
license: mit
configs:
- config_name: en
  data_files:
  - {split: train, path: [en/b.csv, "en/a*.csv"]}
  - {split: test, path: en/test.csv}
- config_name: de
  data_files: "de/*.csv"
dataset_info: [{config_name: en, features: [{name: a, dtype: string}]}]
`

var twoConfigurationsFiles = []string{"en/a1.csv", "en/a2.csv", "en/b.csv", "en/test.csv", "de/x.csv", "de/notes.txt", "de/y.csv"}

// What is expected here is what datasets takes of such repositories.
func TestFilesOfAConfigurationAndASplit(t *testing.T) {
	for name, test := range map[string]struct {
		card  string
		files []string
		asked v1alpha1.HuggingFaceSeed
		as    v1alpha1.SeedFormat
		want  string
	}{
		"the card's order":            {headed(twoConfigurations), twoConfigurationsFiles, v1alpha1.HuggingFaceSeed{Config: "en"}, "", "en train: en/b.csv en/a1.csv en/a2.csv"},
		"another split":               {headed(twoConfigurations), twoConfigurationsFiles, v1alpha1.HuggingFaceSeed{Config: "en", Split: "test"}, "", "en test: en/test.csv"},
		"one pattern":                 {headed(twoConfigurations), twoConfigurationsFiles, v1alpha1.HuggingFaceSeed{Config: "de"}, "", "de train: de/x.csv de/y.csv"},
		"a head that is no list":      {headed(twoConfigurations + "- x\n"), nil, v1alpha1.HuggingFaceSeed{}, "", "!the head of its card, README.md, can't be read"},
		"marked as the default":       {headed(strings.Replace(twoConfigurations, "- config_name: de", "- config_name: de\n  default: true", 1)), twoConfigurationsFiles, v1alpha1.HuggingFaceSeed{}, "", "de train: de/x.csv de/y.csv"},
		"called default":              {headed("configs: [{config_name: x, data_files: x.csv}, {config_name: default, data_files: y.csv}]"), []string{"x.csv", "y.csv"}, v1alpha1.HuggingFaceSeed{}, "", "default train: y.csv"},
		"the only one":                {headed("configs: [{config_name: x, data_files: [{split: all, path: x.csv}]}]"), []string{"x.csv", "y.csv"}, v1alpha1.HuggingFaceSeed{}, "", "x all: x.csv"},
		"names that are no texts":     {headed("configs: [{config_name: 2024, data_files: [{split: no, path: x.csv}]}]"), []string{"x.csv"}, v1alpha1.HuggingFaceSeed{Config: "2024", Split: "no"}, "", "2024 no: x.csv"},
		"a folder of the card":        {headed("configs: [{config_name: x, data_dir: sub, data_files: '*.csv'}]"), []string{"x.csv", "sub/y.csv"}, v1alpha1.HuggingFaceSeed{}, "", "x train: sub/y.csv"},
		"names in such a folder":      {headed("configs: [{config_name: x, data_dir: sub}]"), []string{"train.csv", "sub/test.csv", "sub/train.csv"}, v1alpha1.HuggingFaceSeed{Split: "test"}, "", "x test: sub/test.csv"},
		"numbered files":              {"", []string{"data/train-00000-of-00002.parquet", "data/train-00001-of-00002-ab12.parquet", "data/test-00000-of-00001.parquet", "train.csv"}, v1alpha1.HuggingFaceSeed{}, "", "default train: data/train-00000-of-00002.parquet data/train-00001-of-00002-ab12.parquet"},
		"a split of any name":         {"", []string{"data/train-00000-of-00001.parquet", "data/my.own_split-00000-of-00001.parquet"}, v1alpha1.HuggingFaceSeed{Split: "my.own_split"}, "", "default my.own_split: data/my.own_split-00000-of-00001.parquet"},
		"folders of splits":           {"", []string{"train/b.csv", "train/a.csv", "my_dev/x.csv", "validation 2/y.csv", "testing/z.csv", "other/train.csv"}, v1alpha1.HuggingFaceSeed{Split: "validation"}, "", "default validation: validation 2/y.csv my_dev/x.csv"},
		"names of splits":             {"", []string{"train.csv", "x-train-1.csv", "training.csv", "trains.csv", "eval.csv", "sub/valid.csv"}, v1alpha1.HuggingFaceSeed{}, "", "default train: train.csv x-train-1.csv training.csv"},
		"the test of them":            {"", []string{"train.csv", "eval.csv", "my.test.csv"}, v1alpha1.HuggingFaceSeed{Split: "test"}, "", "default test: my.test.csv eval.csv"},
		"no names of splits":          {"# no head\n", []string{"b.jsonl", "a.json", "notes.md", ".hidden.json", "__x/c.json", "dataset_info.json", "LICENSE"}, v1alpha1.HuggingFaceSeed{Config: "default"}, "", "default train: a.json b.jsonl"},
		"more of one form":            {"", []string{"a.csv", "b.csv.gz", "c.parquet"}, v1alpha1.HuggingFaceSeed{}, "", "default train: a.csv b.csv.gz"},
		"as many of two":              {"", []string{"a.csv", "c.parquet"}, v1alpha1.HuggingFaceSeed{}, "", "default train: c.parquet"},
		"the form that is asked for":  {"", []string{"a.csv", "c.parquet"}, v1alpha1.HuggingFaceSeed{}, v1alpha1.SeedFormatCSV, "default train: a.csv"},
		"an ending that tells none":   {headed("configs: [{config_name: x, data_files: x.data}]"), []string{"x.data"}, v1alpha1.HuggingFaceSeed{}, v1alpha1.SeedFormatCSV, "x train: x.data"},
		"paths":                       {headed(twoConfigurations), twoConfigurationsFiles, v1alpha1.HuggingFaceSeed{Paths: []string{"en", "de/x.csv"}}, "", " : de/x.csv en/a1.csv en/a2.csv en/b.csv en/test.csv"},
		"a pattern of paths":          {"", twoConfigurationsFiles, v1alpha1.HuggingFaceSeed{Paths: []string{"**/?.csv"}}, "", " : de/x.csv de/y.csv en/b.csv"},
		"paths that match nothing":    {"", []string{"a/b.csv", "c.txt"}, v1alpha1.HuggingFaceSeed{Paths: []string{"data/*.csv"}}, "", `!no file matches "data/*.csv"; it has a/b.csv, c.txt`},
		"several, and none by itself": {headed(twoConfigurations), twoConfigurationsFiles, v1alpha1.HuggingFaceSeed{}, "", "!name one of them in config: en, de"},
		"no such configuration":       {headed(twoConfigurations), twoConfigurationsFiles, v1alpha1.HuggingFaceSeed{Config: "fr"}, "", `!it has no configuration "fr" (config); it has en, de`},
		"no configurations":           {"", []string{"a.csv"}, v1alpha1.HuggingFaceSeed{Config: "fr"}, "", "!its card names no configurations: leave config out"},
		"no such split":               {headed(twoConfigurations), twoConfigurationsFiles, v1alpha1.HuggingFaceSeed{Config: "en", Split: "dev"}, "", `!its configuration "en" has no split "dev" (split); it has train, test`},
		"splits without train":        {"", []string{"dev.csv", "test.csv"}, v1alpha1.HuggingFaceSeed{}, "", `!has several splits, and none called train: name one of them in split: validation, test`},
		"no data":                     {"", []string{"reviews.py", "a.txt"}, v1alpha1.HuggingFaceSeed{}, "", "!none of its files is Parquet, CSV, JSON Lines or JSON by its name; it has a.txt, reviews.py. Of a dataset"},
		"nothing":                     {"", nil, v1alpha1.HuggingFaceSeed{}, "", "!it has no files"},
		"files that are not there":    {headed("configs: [{config_name: x, data_files: 'x/*.csv'}]"), []string{"y.csv"}, v1alpha1.HuggingFaceSeed{}, "", "!its card names files that are not there: x/*.csv"},
		"files elsewhere":             {headed("configs: [{config_name: x, data_files: 'https://other/x.csv'}]"), []string{"y.csv"}, v1alpha1.HuggingFaceSeed{}, "", `!the files of its configuration "x" lie elsewhere (https://other/x.csv)`},
		"a way out of it":             {headed("configs: [{config_name: x, data_files: '../x.csv'}]"), []string{"y.csv"}, v1alpha1.HuggingFaceSeed{}, "", "!without '..'"},
		"a card without sense":        {headed("configs: [{config_name: x, data_files: {a: {b: c}}}]"), []string{"y.csv"}, v1alpha1.HuggingFaceSeed{}, "", "!its card does not say which are the files"},
		"a card that is no YAML":      {headed("a: [\x01"), []string{"y.csv"}, v1alpha1.HuggingFaceSeed{}, "", "!the head of its card, README.md, can't be read"},
		"a card without measure":      {headed("license: mit\n" + strings.Repeat("# many words\n", 100_000)), []string{"y.csv"}, v1alpha1.HuggingFaceSeed{}, "", "!has more than 1048576 bytes; name the files in paths"},
		"a card that multiplies": {headed("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n" +
			"e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\nconfigs: *f"), []string{"y.csv"}, v1alpha1.HuggingFaceSeed{}, "", "!can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			s.hub.PageEntries = 3
			commit := s.put(test.card, test.files...)
			list, err := s.open(v1alpha1.Seed{HuggingFace: &test.asked, Format: test.as}, nil).List(t.Context(), test.asked.Paths...)
			if want, fails := strings.CutPrefix(test.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, %v", namesOf(list), err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := s.chose.Config + " " + s.chose.Split + ": " + namesOf(list); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			if s.chose.Commit != commit || s.chose.Address != s.url+"/datasets/me/reviews" || namesOf(s.chose.Files) != namesOf(list) {
				t.Errorf("what was chosen is %+v", s.chose)
			}
		})
	}
}

// A file with nothing but a head comes before the card.
func TestTheHeadOfItsOwnComesBeforeTheCard(t *testing.T) {
	s := newShelf(t)
	s.hub.Commit("me/reviews", "main", map[string]hubsim.File{
		"README.md":         {Data: []byte(headed("configs: [{config_name: x, data_files: x.csv}]"))},
		".huggingface.yaml": {Data: []byte("configs: [{config_name: y, data_files: y.csv}]")}, "x.csv": {}, "y.csv": {},
	})
	list, err := s.open(v1alpha1.Seed{HuggingFace: &v1alpha1.HuggingFaceSeed{}}, nil).List(t.Context())
	if err != nil || namesOf(list) != "y.csv" {
		t.Errorf("got %s, %v", namesOf(list), err)
	}
}

// What a run has begun with is read until it ends, whatever becomes of the branch.
func TestTheCommitThatWasPinnedIsRead(t *testing.T) {
	s := newShelf(t)
	pinned := ""
	pin := func(options *repository.Options) {
		options.Pin = func(lookUp func() (string, error)) (commit string, err error) {
			if pinned == "" {
				pinned, err = lookUp()
			}
			return pinned, err
		}
	}
	first := s.put("", "train.csv")
	for range 2 {
		opened := s.open(v1alpha1.Seed{HuggingFace: &v1alpha1.HuggingFaceSeed{}}, pin)
		list, err := opened.List(t.Context())
		if err != nil || namesOf(list) != "train.csv" || s.chose.Commit != first {
			t.Fatalf("got %s of %s, %v", namesOf(list), s.chose.Commit, err)
		}
		var content strings.Builder
		if err := opened.Fetch(t.Context(), list[0], &content); err != nil || content.String() != "content of train.csv" {
			t.Errorf("it has %q, %v", content.String(), err)
		}
		s.put("", "other.csv")
	}
	if asked := s.hub.Requests("GET /api/datasets/me/reviews/revision/"); len(asked) != 1 {
		t.Errorf("the revision was looked up %d times", len(asked))
	}
	pinned = strings.Repeat("0", 40)
	_, err := s.open(v1alpha1.Seed{HuggingFace: &v1alpha1.HuggingFaceSeed{}}, pin).List(t.Context())
	if !errors.Is(err, remote.ErrChanged) || !strings.Contains(err.Error(), "the commit 0000000000") {
		t.Errorf("of a commit that is gone: %v", err)
	}
}

func TestTroubleWithAHubIsThatOfAPlace(t *testing.T) {
	s := newShelf(t)
	s.put("", "train.csv")
	opened := s.open(v1alpha1.Seed{HuggingFace: &v1alpha1.HuggingFaceSeed{Revision: "v2"}}, nil)
	_, err := opened.List(t.Context())
	var elsewhere *remote.Error
	if !errors.As(err, &elsewhere) || elsewhere.MayPass || !strings.Contains(err.Error(), "looking at the revision v2 of me/reviews: ") {
		t.Errorf("of a revision that is not there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := opened.List(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context: %v", err)
	}
	if err := opened.Fetch(t.Context(), files.File{Path: "never listed"}, &strings.Builder{}); err == nil {
		t.Error("a file that was not listed was fetched")
	}
}
