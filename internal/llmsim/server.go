package llmsim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Limits bound the memory of a Server. Zero values mean the defaults.
type Limits struct {
	// Tenants is how many tenants there may be beside the one without a prefix. The default is 64.
	Tenants int
	// Records is how many requests each tenant's log holds. The default is 10000.
	Records int
	// Prompts is how many different prompts each tenant remembers. The default is 50000.
	Prompts int
}

const (
	defaultTenants = 64
	defaultRecords = 10_000
	defaultPrompts = 50_000
	// maxTenantName is the longest name of a tenant, in bytes.
	maxTenantName = 100
)

// Server is the simulated model server. All of its methods may be called from many goroutines.
type Server struct {
	limits Limits
	config Config
	root   *tenant

	mutex   sync.RWMutex
	tenants map[string]*tenant
}

// New returns a server whose tenants all start with the configuration, which must be valid.
func New(config Config, limits Limits) *Server {
	for value, otherwise := range map[*int]int{&limits.Tenants: defaultTenants, &limits.Records: defaultRecords,
		&limits.Prompts: defaultPrompts} {
		if *value <= 0 {
			*value = otherwise
		}
	}
	return &Server{limits: limits, config: config, root: newTenant(config, limits), tenants: map[string]*tenant{}}
}

var errTooManyTenants = errors.New("there are as many tenants as allowed; DELETE /t/<tenant> frees one")

// tenant returns the tenant, made on first use.
func (s *Server) tenant(name string) (*tenant, error) {
	s.mutex.RLock()
	found := s.tenants[name]
	s.mutex.RUnlock()
	if found != nil {
		return found, nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if found := s.tenants[name]; found != nil {
		return found, nil
	}
	if len(s.tenants) >= s.limits.Tenants {
		return nil, errTooManyTenants
	}
	tenant := newTenant(s.config, s.limits)
	s.tenants[strings.Clone(name)] = tenant
	return tenant, nil
}

// ServeHTTP routes by hand: the mux's patterns would cost more than the rest of the way.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, target, base := r.URL.Path, s.root, ""
	if rest, ok := strings.CutPrefix(path, "/t/"); ok {
		name, below, _ := strings.Cut(rest, "/")
		if name == "" || len(name) > maxTenantName {
			sendError(w, http.StatusNotFound, "the name of a tenant has 1 to 100 bytes")
			return
		}
		path, base = "/"+below, "/t/"+name
		if path == "/" && r.Method == http.MethodDelete {
			s.mutex.Lock()
			delete(s.tenants, name)
			s.mutex.Unlock()
			w.WriteHeader(http.StatusNoContent)
			return
		}
		var err error
		if target, err = s.tenant(name); err != nil {
			sendError(w, http.StatusInsufficientStorage, err.Error())
			return
		}
	}
	if drawn, ok := strings.CutPrefix(path, picturesPath); ok && r.Method == http.MethodGet {
		sendPicture(w, drawn)
		return
	}
	switch r.Method + " " + path {
	case "POST /v1/images/generations":
		target.answer(w, r, imagesParser("http://"+r.Host+base))
	case "POST /v1/chat/completions":
		target.answer(w, r, parseChat)
	case "POST /v1/messages":
		target.answer(w, r, parseMessages)
	case "POST /v1/embeddings":
		target.answer(w, r, parseEmbeddings)
	case "GET /v1/models":
		target.listModels(w, r)
	case "GET /healthz":
		_ = writeBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
	case "GET /_sim/counters":
		sendJSON(w, target.snapshot())
	case "GET /_sim/requests":
		sendJSON(w, target.requests(r.URL.Query().Get("model")))
	case "GET /_sim/prompts":
		least, _ := strconv.Atoi(r.URL.Query().Get("least"))
		sendJSON(w, map[string]any{"prompts": target.listPrompts(least)})
	case "GET /_sim/config":
		sendJSON(w, target.currentConfig())
	case "PUT /_sim/config":
		target.replaceConfig(w, r)
	case "POST /_sim/reset":
		target.reset()
		w.WriteHeader(http.StatusNoContent)
	default:
		sendError(w, http.StatusNotFound, "there is no "+r.Method+" "+path+" here")
	}
}

// bodies are the buffers of request bodies; what is parsed from them is copied.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

func (t *tenant) answer(w http.ResponseWriter, r *http.Request, parse func([]byte) (*request, error)) {
	buffer := bodies.Get().(*[]byte)
	data, err := readAll((*buffer)[:0], http.MaxBytesReader(w, r.Body, maxRequestBytes))
	parsed := &request{}
	if err == nil {
		parsed, err = parse(data)
	}
	if cap(data) <= 64<<10 {
		*buffer = data
	}
	bodies.Put(buffer)
	c, reason := t.begin(parsed, r.Header, err)
	if reason != "" {
		c.refuse(w, reason, err)
		return
	}
	c.run(r.Context(), w)
}

func readAll(buffer []byte, reader io.Reader) ([]byte, error) {
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, make([]byte, max(2048, len(buffer)))...)[:len(buffer)]
		}
		count, err := reader.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+count]
		if err == io.EOF {
			return buffer, nil
		}
		if err != nil {
			return buffer, err
		}
	}
}

// listModels names the configured models and those whose names have a meaning.
func (t *tenant) listModels(w http.ResponseWriter, r *http.Request) {
	config := t.currentConfig()
	if !authorized(r.Header, config.APIKeys) {
		sendError(w, http.StatusUnauthorized, "the API key is missing or not one of those configured")
		return
	}
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int    `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	names := append([]string(nil), namedBehaviours...)
	for name := range config.Models {
		names = append(names, name)
	}
	sort.Strings(names)
	models := make([]model, len(names))
	for index, name := range names {
		models[index] = model{ID: name, Object: "model", Created: created, OwnedBy: "llmsim"}
	}
	sendJSON(w, map[string]any{"object": "list", "data": models})
}

func (t *tenant) replaceConfig(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		sendError(w, http.StatusBadRequest, err.Error())
		return
	}
	config, err := ParseConfig(data)
	if err != nil {
		sendError(w, http.StatusBadRequest, err.Error())
		return
	}
	t.configure(config)
	w.WriteHeader(http.StatusNoContent)
}

func sendJSON(w http.ResponseWriter, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		sendError(w, http.StatusInternalServerError, err.Error())
		return
	}
	_ = writeBody(w, http.StatusOK, "application/json", append(body, '\n'))
}

func sendError(w http.ResponseWriter, status int, message string) {
	_ = writeBody(w, status, "application/json", errorBody(message, "invalid_request_error", "simulator"))
}
