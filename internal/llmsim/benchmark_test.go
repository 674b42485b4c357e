package llmsim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
)

// BenchmarkChat is the handler alone: parsing, counting, and building the answer, without sockets.
func BenchmarkChat(b *testing.B) {
	server := llmsim.New(llmsim.Config{}, llmsim.Limits{})
	b.ReportAllocs()
	number := 0
	for b.Loop() {
		number++
		body := fmt.Sprintf(`{"model":"demo/writer","messages":[{"role":"user","content":"Write a review, number %d."}],"max_tokens":64}`, number)
		recorder := httptest.NewRecorder()
		server.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body)))
		if recorder.Code != http.StatusOK {
			b.Fatal(recorder.Body)
		}
	}
}

// BenchmarkLongText is a document whose one member has the least length that its schema wants.
func BenchmarkLongText(b *testing.B) {
	server := llmsim.New(llmsim.Config{}, llmsim.Limits{})
	for _, length := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			schema := fmt.Sprintf(`{"type":"object","properties":{"text":{"type":"string","minLength":%d}},"required":["text"]}`, length)
			body := `{"model":"demo/writer","messages":[{"role":"user","content":"Write."}],
				"response_format":{"type":"json_schema","json_schema":{"name":"d","schema":` + schema + `}}}`
			b.SetBytes(int64(length))
			for b.Loop() {
				recorder := httptest.NewRecorder()
				server.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body)))
				if recorder.Code != http.StatusOK || recorder.Body.Len() < length {
					b.Fatal(recorder.Code, recorder.Body.Len())
				}
			}
		})
	}
}
