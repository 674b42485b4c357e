// Command standins stands in, for the end-to-end tests, for services that no cluster has: a Hugging Face hub (internal/hubsim), and an
// object store that ignores the conditions of writes, as some do. Both keep all in memory.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/internal/hubsim"
)

const (
	hubAddress     = ":8080"
	unfitAddress   = ":9000"
	headerTimeout  = 10 * time.Second
	repositoryPath = "GET /_sim/repository"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := serve(ctx, map[string]http.Handler{hubAddress: hub(), unfitAddress: unfitStore()})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "standins:", err)
		os.Exit(1)
	}
}

// hub is a hub that also tells tests, without a token, what a repository has.
func hub() http.Handler {
	simulated := hubsim.New()
	mux := http.NewServeMux()
	mux.Handle("/", simulated)
	mux.HandleFunc(repositoryPath, func(writer http.ResponseWriter, request *http.Request) {
		name := request.URL.Query().Get("name")
		head := simulated.Head(name, "main")
		if head == "" {
			http.Error(writer, "there is no repository "+name, http.StatusNotFound)
			return
		}
		writer.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(writer).Encode(map[string]any{ // a client that is gone needs no answer
			"commit": head, "private": simulated.IsPrivate(name), "files": slices.Sorted(maps.Keys(simulated.Files(name, "main"))),
		})
	})
	return mux
}

// unfitStore is a store that answers 200 to a write whose condition does not hold, and overwrites the object.
func unfitStore() http.Handler {
	store := s3test.New()
	store.Unfit = s3test.Unfit{Puts: true, Completions: true}
	return store
}

// serve serves each handler at its address until the context ends, or one of them can't be served.
func serve(ctx context.Context, handlers map[string]http.Handler) error {
	ended := make(chan error, len(handlers))
	var servers []*http.Server
	for address, handler := range handlers {
		server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: headerTimeout}
		servers = append(servers, server)
		go func() { ended <- server.ListenAndServe() }()
	}
	var failed error
	left := len(servers)
	select {
	case <-ctx.Done():
	case failed = <-ended:
		left--
	}
	for _, server := range servers {
		_ = server.Close()
	}
	for range left {
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
