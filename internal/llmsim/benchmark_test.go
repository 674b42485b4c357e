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
