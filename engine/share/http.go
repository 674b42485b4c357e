package share

import (
	"encoding/json"
	"io"
	"net/http"

	"seedloom.dev/seedloom/internal/runreport"
)

// Handler takes what the operator tells, and answers with what holds. It listens only to callers that know the Pod's unique identifier,
// which is known to those who may read the Pod: whoever can reach the Pod must not thereby be able to slow it down.
func (s *Shares) Handler(pod runreport.PodIdentity) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		data, err := io.ReadAll(http.MaxBytesReader(writer, request.Body, runreport.MaxSharesBytes))
		if err != nil {
			http.Error(writer, "the request can't be read", http.StatusBadRequest)
			return
		}
		document, err := runreport.ParseShares(data)
		if err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		if pod.UID == "" || document.Pod != pod {
			http.Error(writer, "this is meant for another Pod", http.StatusForbidden)
			return
		}
		sequence := s.apply(document)
		writer.Header().Set("Content-Type", "application/json")
		// The reader has gone away when this fails.
		_ = json.NewEncoder(writer).Encode(runreport.SharesReport{Version: runreport.Version, Pod: pod, Sequence: sequence,
			Endpoints: s.report()})
	})
}
