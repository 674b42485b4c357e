package model_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// answering serves a body for a path, and notes what it was sent.
func answering(t *testing.T, path, body string) (address string, sent *string) {
	t.Helper()
	sent = new(string)
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.URL.Path != path {
			writer.WriteHeader(http.StatusNotFound)
			return
		}
		data, _ := io.ReadAll(request.Body)
		*sent = string(data)
		_, _ = io.WriteString(writer, strings.ReplaceAll(body, "HOST", "http://"+request.Host))
	}))
	t.Cleanup(server.Close)
	return server.URL, sent
}

func openAIAt(address string) v1alpha1.Provider {
	return v1alpha1.Provider{Type: v1alpha1.ProviderOpenAI, Endpoint: address}
}

func TestEmbeddingsComeInTheOrderOfTheirTexts(t *testing.T) {
	binary := base64.StdEncoding.EncodeToString([]byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xbf})
	for name, test := range map[string]struct {
		spec v1alpha1.Model
		body string
		sent string
	}{
		"numbers":          {v1alpha1.Model{}, `{"data":[{"index":0,"embedding":[1,-0.5]},{"index":1,"embedding":[0.1,1e-7]}]}`, `{"model":"m","input":["a","\"b\""]}`},
		"in another order": {v1alpha1.Model{}, `{"data":[{"index":1,"embedding":[0.1,1e-7]},{"index":0,"embedding":[1,-0.5]}]}`, `{"model":"m","input":["a","\"b\""]}`},
		"without an index": {v1alpha1.Model{}, `{"data":[{"embedding":[1,-0.5]},{"embedding":[0.1,1e-7]}]}`, `{"model":"m","input":["a","\"b\""]}`},
		"base64": {v1alpha1.Model{Embedding: &v1alpha1.EmbeddingParameters{EncodingFormat: v1alpha1.EmbeddingEncodingBase64, Dimensions: new(int32(2))}, ExtraBody: raws(`{"input_type":"query"}`)},
			`{"data":[{"index":0,"embedding":"` + binary + `"},{"index":1,"embedding":[0.1,1e-7]}]}`, `{"model":"m","input":["a","\"b\""],"encoding_format":"base64","dimensions":2,"input_type":"query"}`},
	} {
		t.Run(name, func(t *testing.T) {
			address, sent := answering(t, "/embeddings", strings.TrimSuffix(test.body, "}")+`,"usage":{"prompt_tokens":5,"total_tokens":5}}`)
			vectors, usage, err := clientOf(t, openAIAt(address), test.spec).Embed(t.Context(), []string{"a", `"b"`})
			if difference := cmp.Diff([][]float64{{1, -0.5}, {0.1, 1e-7}}, vectors); err != nil || difference != "" || *sent != test.sent {
				t.Errorf("%v, sent %s\n%s", err, *sent, difference)
			}
			if usage != (runreport.Usage{Succeeded: 1, InputTokens: 5}) {
				t.Errorf("usage %+v", usage)
			}
		})
	}
}

func TestEmbeddingsThatAreNoneAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		body, reason string
		consequence  failure.Consequence
	}{
		"too few":           {`{"data":[{"embedding":[1]}]}`, v1alpha1.ReasonModelGenerationInvalid, failure.DropRow},
		"too many":          {`{"data":[{"embedding":[1]},{"embedding":[1]},{"embedding":[1]}]}`, v1alpha1.ReasonModelGenerationInvalid, failure.DropRow},
		"an empty one":      {`{"data":[{"embedding":[]},{"embedding":[]}]}`, v1alpha1.ReasonModelGenerationInvalid, failure.DropRow},
		"of two lengths":    {`{"data":[{"embedding":[1]},{"embedding":[1,2]}]}`, v1alpha1.ReasonModelGenerationInvalid, failure.DropRow},
		"no number":         {`{"data":[{"embedding":"` + base64.StdEncoding.EncodeToString([]byte{0, 0, 0xc0, 0x7f}) + `"},{"embedding":[1]}]}`, v1alpha1.ReasonModelGenerationInvalid, failure.DropRow},
		"an error":          {`{"error":{"code":"rate_limit_exceeded"}}`, v1alpha1.ReasonProviderRateLimited, failure.RetryLater},
		"a flat error":      {`{"object":"error","message":"maximum context length","code":400}`, v1alpha1.ReasonContextOverflow, failure.DropRow},
		"no JSON":           {`<html>`, v1alpha1.ReasonProviderUnavailable, failure.RetryLater},
		"half of the bytes": {`{"data":[{"embed`, v1alpha1.ReasonProviderUnavailable, failure.RetryLater},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := answering(t, "/embeddings", test.body)
			vectors, usage, err := clientOf(t, openAIAt(address), v1alpha1.Model{}).Embed(t.Context(), []string{"a", "b"})
			failed := failure.Of(err)
			if vectors != nil || failed == nil || failed.Reason != test.reason || failed.Consequence != test.consequence ||
				usage.Succeeded+usage.Failed != 1 {
				t.Errorf("got %v, %v, usage %+v", vectors, err, usage)
			}
		})
	}
	address, _ := answering(t, "/embeddings", `{"data":[{"embedding":[1,2]}]}`)
	_, _, err := clientOf(t, openAIAt(address), v1alpha1.Model{Embedding: &v1alpha1.EmbeddingParameters{Dimensions: new(int32(3))}}).Embed(t.Context(), []string{"a"})
	if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonUnsupportedRequest {
		t.Errorf("with other dimensions: %v", err)
	}
}

// The two encodings are the same vectors.
func TestEmbeddingsOfTheSimulator(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	var all [][]float64
	for _, encoding := range []v1alpha1.EmbeddingEncoding{v1alpha1.EmbeddingEncodingFloat, v1alpha1.EmbeddingEncodingBase64} {
		spec := v1alpha1.Model{Embedding: &v1alpha1.EmbeddingParameters{EncodingFormat: encoding, Dimensions: new(int32(7))}}
		vectors, _, err := clientOf(t, openAIAt(server.URL+"/v1"), spec).Embed(t.Context(), []string{"a text"})
		if err != nil || len(vectors) != 1 || len(vectors[0]) != 7 {
			t.Fatalf("%s: got %v, %v", encoding, vectors, err)
		}
		all = append(all, vectors[0])
	}
	for i := range all[0] {
		if math.Abs(all[0][i]-all[1][i]) > 1e-6 {
			t.Errorf("number %d is %v and %v", i, all[0][i], all[1][i])
		}
	}
}

// paint has a model make images, and loads them.
func paint(t *testing.T, client *model.Client) ([]model.Media, runreport.Usage, error) {
	t.Helper()
	images, usage, err := client.Images(t.Context(), "a cat")
	for i := range images {
		if images[i], err = client.Load(t.Context(), images[i]); err != nil {
			return nil, usage, err
		}
	}
	return images, usage, err
}

func TestImagesAreMadeAndDownloaded(t *testing.T) {
	picture := model.Media{Modality: v1alpha1.MediaImage, MediaType: "image/png", Data: png}
	file, err := base64.StdEncoding.DecodeString(png)
	if err != nil {
		t.Fatal(err)
	}
	var authorization string
	files := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		authorization += request.Header.Get("Authorization")
		switch request.URL.Path {
		case "/moved.png":
			http.Redirect(writer, request, "/a.png", http.StatusFound)
		case "/a.png":
			_, _ = writer.Write(file)
		case "/busy.png":
			writer.WriteHeader(http.StatusServiceUnavailable)
		case "/page.png":
			fmt.Fprint(writer, "<html>")
		default:
			writer.WriteHeader(http.StatusNotFound)
		}
	}))
	defer files.Close()
	for name, test := range map[string]struct {
		body   string
		want   int
		reason string
		retry  bool
	}{
		"data":            {`{"data":[{"b64_json":"` + png + `"},{"b64_json":"bm8gaW1hZ2U="}],"usage":{"input_tokens":3,"output_tokens":4}}`, 1, "", false},
		"addresses":       {`{"data":[{"url":"FILES/a.png"},{"url":"FILES/moved.png"}],"usage":{"input_tokens":3,"output_tokens":4}}`, 2, "", false},
		"none":            {`{"data":[]}`, 0, v1alpha1.ReasonModelGenerationInvalid, false},
		"no image at all": {`{"data":[{"b64_json":"bm8gaW1hZ2U="}]}`, 0, v1alpha1.ReasonModelGenerationInvalid, false},
		"a page":          {`{"data":[{"url":"FILES/page.png?key=` + secret + `"}]}`, 0, v1alpha1.ReasonModelGenerationInvalid, false},
		"gone":            {`{"data":[{"url":"FILES/gone.png?key=` + secret + `"}]}`, 0, v1alpha1.ReasonModelGenerationInvalid, false},
		"busy":            {`{"data":[{"url":"FILES/busy.png?key=` + secret + `"}]}`, 0, v1alpha1.ReasonProviderUnavailable, true},
		"nobody there":    {`{"data":[{"url":"http://127.0.0.1:9/a.png?key=` + secret + `"}]}`, 0, v1alpha1.ReasonProviderUnavailable, true},
		"an error":        {`{"error":{"code":"content_policy_violation","type":"invalid_request_error"}}`, 0, v1alpha1.ReasonContentRefused, false},
	} {
		t.Run(name, func(t *testing.T) {
			address, sent := answering(t, "/images/generations", strings.ReplaceAll(test.body, "FILES", files.URL))
			set := clientsOf(t, openAIAt(address), v1alpha1.Model{ExtraBody: raws(`{"size":"1024x1024"}`)})
			set.Allow([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")})
			images, usage, err := paint(t, set.Client("writer"))
			if *sent != `{"model":"m","prompt":"a cat","size":"1024x1024"}` {
				t.Errorf("sent %s", *sent)
			}
			if test.reason == "" {
				if err != nil || len(images) != test.want || images[0] != picture || usage != (runreport.Usage{Succeeded: 1, InputTokens: 3, OutputTokens: 4, Images: int64(test.want)}) {
					t.Errorf("got %v, usage %+v, %v", images, usage, err)
				}
				return
			}
			failed := failure.Of(err)
			if failed == nil || failed.Reason != test.reason || (failed.Consequence == failure.RetryLater) != test.retry ||
				usage.Succeeded+usage.Failed != 1 || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v, usage %+v", err, usage)
			}
		})
	}
	if authorization != "" {
		t.Error("the API key went to another host")
	}
}

func TestAnthropicHasNeitherEmbeddingsNorImages(t *testing.T) {
	client := clientOf(t, v1alpha1.Provider{Type: v1alpha1.ProviderAnthropic, Endpoint: "http://127.0.0.1:9"}, v1alpha1.Model{})
	_, _, embedding := client.Embed(t.Context(), []string{"a"})
	_, _, image := client.Images(t.Context(), "a")
	for _, err := range []error{embedding, image} {
		if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonConfigInvalid || failed.Consequence != failure.EndRun {
			t.Errorf("got %v", err)
		}
	}
}
