package e2e

import "context"

type simulator struct{ namespace string }

func startSimulator(ctx context.Context, namespace string) *simulator { return &simulator{namespace} }
func (s *simulator) answerAfter(ctx context.Context, latency string)  {}
func (s *simulator) refuseKeys(ctx context.Context)                   {}
func (s *simulator) answerNothing(ctx context.Context)                {}
func (s *simulator) prompts(ctx context.Context) map[string]int       { return nil }
func (s *simulator) requests(ctx context.Context) int                 { return 0 }
