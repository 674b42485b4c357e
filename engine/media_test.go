package engine_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/runreport"
)

// studio is a model server that embeds, paints and looks at pictures.
type studio struct {
	*httptest.Server
	mutex sync.Mutex
	// seen counts the pictures that were sent along with prompts.
	seen map[string]int
	// refused is a picture that nobody wants to describe.
	refused string
	// spoiled are prompts that get half a picture, once.
	spoiled map[string]bool
}

// painting is a picture of a prompt: another one for another length.
func painting(prompt string) []byte {
	canvas := image.NewGray(image.Rect(0, 0, 2, 2))
	canvas.SetGray(1, 1, color.Gray{Y: uint8(len(prompt))})
	var buffer bytes.Buffer
	_ = png.Encode(&buffer, canvas) // into memory
	return buffer.Bytes()
}

func newStudio(t *testing.T) *studio {
	t.Helper()
	made := &studio{seen: map[string]int{}, spoiled: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/embeddings", func(writer http.ResponseWriter, request *http.Request) {
		var body struct{ Input []string }
		_ = json.NewDecoder(request.Body).Decode(&body)
		var data []any
		for i, text := range body.Input {
			data = append(data, map[string]any{"index": i, "embedding": []float64{float64(len(text)), 0.5}})
		}
		_ = json.NewEncoder(writer).Encode(map[string]any{"data": data, "usage": map[string]any{"prompt_tokens": 4}})
	})
	mux.HandleFunc("POST /v1/images/generations", func(writer http.ResponseWriter, request *http.Request) {
		var body struct{ Prompt string }
		_ = json.NewDecoder(request.Body).Decode(&body)
		picture := painting(body.Prompt)
		made.mutex.Lock()
		if made.spoiled[body.Prompt] {
			delete(made.spoiled, body.Prompt)
			picture = picture[:len(picture)-20]
		}
		made.mutex.Unlock()
		_ = json.NewEncoder(writer).Encode(map[string]any{"data": []any{map[string]any{"b64_json": base64.StdEncoding.EncodeToString(picture)}}})
	})
	mux.HandleFunc("POST /v1/chat/completions", func(writer http.ResponseWriter, request *http.Request) {
		var body struct {
			Messages []struct{ Content json.RawMessage }
		}
		_ = json.NewDecoder(request.Body).Decode(&body)
		var parts []struct {
			Type     string
			ImageURL struct{ URL string } `json:"image_url"`
		}
		text, refusal := "nothing to see", ""
		if json.Unmarshal(body.Messages[0].Content, &parts) == nil {
			for _, part := range parts {
				if part.Type == "image_url" {
					made.mutex.Lock()
					made.seen[part.ImageURL.URL]++
					made.mutex.Unlock()
					text = "I see a picture"
					if part.ImageURL.URL == made.refused {
						refusal = "no"
					}
				}
			}
		}
		_ = json.NewEncoder(writer).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": text, "refusal": refusal}, "finish_reason": "stop"}}})
	})
	made.Server = httptest.NewServer(mux)
	t.Cleanup(made.Close)
	return made
}

const studioSpec = `
numRecords: 12
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models:
- {alias: embedder, provider: local, model: e}
- {alias: painter, provider: local, model: dall-e-3, price: {perImage: 0.04}}
- {alias: viewer, provider: local, model: v}
columns:
- {name: words, sampler: {type: Category, category: {values: [a, bb, ccc]}}}
- {name: vectors, embedding: {model: embedder, targetColumn: words}}
- {name: cover, image: {model: painter, prompt: "paint {{ words }}"}}
- {name: caption, llmText: {model: viewer, prompt: Describe it., context: [{column: cover, modality: Image}]}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 5, maxRowAttempts: 1}
`

func TestVectorsPicturesAndWhatAModelSeesInThem(t *testing.T) {
	server := newStudio(t)
	w := newWorld(t, studioSpec, server.URL+"/v1")
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 12, 0)
	names, rows := w.rows()
	if strings.Join(names, " ") != "words vectors cover caption" {
		t.Fatalf("the columns are %v", names)
	}
	pictures := 0
	for row, cells := range rows {
		words := cells[0].(string)
		want := fmt.Sprint([]any{[]any{[]any{float64(len(words)), 0.5}}, int64(1), int64(2)})
		if fmt.Sprint(cells[1]) != want {
			t.Errorf("row %d has the vectors %v, want %s", row, cells[1], want)
		}
		path := fmt.Sprintf("images/cover/%d-0.png", row)
		if fmt.Sprint(cells[2]) != "["+path+"]" || cells[3] != "I see a picture" {
			t.Errorf("row %d has the pictures %v and the caption %q", row, cells[2], cells[3])
		}
		data, err := os.ReadFile(filepath.Join(w.folder(), filepath.FromSlash(path)))
		if err != nil || !bytes.Equal(data, painting("paint "+words)) {
			t.Errorf("row %d: the picture on the disk is another one: %v", row, err)
		}
		pictures += server.seen["data:image/png;base64,"+base64.StdEncoding.EncodeToString(data)]
	}
	if pictures == 0 || len(server.seen) > 3 {
		t.Errorf("the viewer has seen %d different pictures", len(server.seen))
	}
	usage := w.metadata()["usage"].(map[string]any)
	if usage["images"] != 12.0 || usage["cost"] != "0.48" || usage["input_tokens"] != 48.0 {
		t.Errorf("the usage is %v", usage)
	}
}

func TestHalfAPictureDropsItsRowAndLeavesNoFile(t *testing.T) {
	server := newStudio(t)
	server.spoiled["paint bb"] = true
	w := newWorld(t, studioSpec, server.URL+"/v1")
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomePartial, "RowsDropped", runreport.ExitOK, 11, 1)
	if dropped := ending.Result.Dropped[0]; dropped.Column != "cover" || !strings.Contains(dropped.Message, "image 1 of column") {
		t.Errorf("dropped: %+v", dropped)
	}
	files, err := os.ReadDir(filepath.Join(w.folder(), "images", "cover"))
	if err != nil || len(files) != 11 {
		t.Errorf("%d pictures are on the disk, %v", len(files), err)
	}
	// Another attempt makes the row that is missing.
	w.attempt++
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 12, 0)
}

func TestThePicturesOfDroppedRowsAreGone(t *testing.T) {
	server := newStudio(t)
	server.refused = "data:image/png;base64," + base64.StdEncoding.EncodeToString(painting("paint bb"))
	w := newWorld(t, studioSpec, server.URL+"/v1")
	result := w.generate(t.Context(), 0).Result
	if result.Records.Dropped == 0 || result.Records.Actual == 0 {
		t.Fatalf("records: %+v", result.Records)
	}
	files, err := os.ReadDir(filepath.Join(w.folder(), "images", "cover"))
	if err != nil || int64(len(files)) != result.Records.Actual {
		t.Errorf("%d pictures are on the disk for %d rows, %v", len(files), result.Records.Actual, err)
	}
}

// Files of a volume of the run's own, which is neither that of the seed nor of the output, are shown to a model: where a Pod has the
// volume, and where a command line says that it is.
func TestFilesOfAnotherVolumeAreShown(t *testing.T) {
	const spec = `
numRecords: 6
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: viewer, provider: local, model: v}]
columns:
- {name: file, sampler: {type: Category, category: {values: [one.png, two.png], balance: Exact}}}
- name: caption
  llmText: {model: viewer, prompt: Describe it., context: [{column: file, modality: Image, dataType: File, volume: pictures}]}
output: {persistentVolumeClaim: {claimName: c}}
pod: {volumes: [{name: pictures, mountPath: MOUNT, persistentVolumeClaim: {claimName: pictures}}]}
run: {maxRowAttempts: 1}
`
	mounted, err := os.MkdirTemp("/var/tmp", "mounted-") // a Pod mounts nothing below /tmp
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(mounted) })
	elsewhere := t.TempDir()
	pictures := map[string][]byte{mounted: painting("mounted"), elsewhere: painting("somewhere else")}
	for folder, picture := range pictures {
		if err := os.WriteFile(filepath.Join(folder, "one.png"), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for folder, directory := range map[string]func(string) string{mounted: nil, elsewhere: func(string) string { return elsewhere }} {
		server := newStudio(t)
		w := newWorld(t, strings.Replace(spec, "MOUNT", mounted, 1), server.URL+"/v1")
		config := w.config(0)
		config.VolumeDirectory = directory
		ending := engine.Generate(t.Context(), config)
		checkEnding(t, ending, runreport.OutcomePartial, "RowsDropped", runreport.ExitOK, 3, 3)
		seen := server.seen["data:image/png;base64,"+base64.StdEncoding.EncodeToString(pictures[folder])]
		if want := "the volume pictures has no file that can be read"; seen != 3 || !strings.Contains(ending.Result.Dropped[0].Message, want) {
			t.Errorf("the picture was seen %d times, and dropped was %+v", seen, ending.Result.Dropped)
		}
	}
}
