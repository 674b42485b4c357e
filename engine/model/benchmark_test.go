package model_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/model"
)

// answerer answers every request on every connection with the same bytes, and allocates nothing for it: what is measured is the client.
func answerer(tb testing.TB, response []byte) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				reader := bufio.NewReaderSize(connection, 64<<10)
				for {
					length := 0
					for {
						line, err := reader.ReadSlice('\n')
						if err != nil {
							return
						}
						if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
							length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
						}
						if len(line) == 2 {
							break
						}
					}
					if _, err := reader.Discard(length); err != nil {
						return
					}
					if _, err := connection.Write(response); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// BenchmarkChat is one request of a kilobyte and its answer of a kilobyte over a connection that is kept.
func BenchmarkChat(b *testing.B) {
	body := `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,` +
		`"message":{"role":"assistant","content":"` +
		strings.Repeat("a word or two ", 70) + `","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":250,` +
		`"completion_tokens":245,"total_tokens":495}}`
	address := answerer(b, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body),
		body))
	provider := v1alpha1.Provider{Name: "remote", Type: v1alpha1.ProviderOpenAI, Endpoint: address}
	set := model.NewSet(&v1alpha1.DatasetGenerationSpec{Providers: []v1alpha1.Provider{provider},
		Models: []v1alpha1.Model{{Alias: "writer", Model: "m", Provider: "remote"}}}, func(int) string { return secret })
	defer set.Close()
	client := set.Client("writer")
	request := model.Request{Messages: []model.Message{{Role: model.RoleSystem, Content: "Be brief."}, {Role: model.RoleUser, Content: strings.Repeat("a question\n", 90)}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := client.Chat(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}
