package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	ctrlmanager "sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// metricsOptions has the metrics served over TLS, to those alone whom the API server knows and who may read /metrics, unless that is turned
// off.
func metricsOptions(flags settings) metricsserver.Options {
	options := metricsserver.Options{BindAddress: flags.metricsAddress}
	if !flags.metricsSecure {
		return options
	}
	options.SecureServing, options.FilterProvider = true, filters.WithAuthenticationAndAuthorization
	// Without a folder of certificates it makes one for itself.
	options.CertDir = flags.metricsCertificates
	options.TLSOpts = []func(*tls.Config){withoutHTTP2}
	return options
}

// withoutHTTP2 has a server speak HTTP/1.1 alone: HTTP/2 lets a client without rights begin much work.
func withoutHTTP2(config *tls.Config) {
	config.MinVersion = tls.VersionTLS12
	config.NextProtos = []string{"http/1.1"}
}

// errCacheNotSynced is why a manager that has just been started is not ready.
var errCacheNotSynced = errors.New("what is in the cluster has not been read yet")

// readiness knows whether the cache is filled. A replica that waits to be the leader fills it too, so that it can take over at once.
type readiness struct {
	cache  cache.Cache
	synced atomic.Bool
}

var (
	_ ctrlmanager.Runnable               = (*readiness)(nil)
	_ ctrlmanager.LeaderElectionRunnable = (*readiness)(nil)
)

// Start waits until the cache is filled.
func (r *readiness) Start(ctx context.Context) error {
	if _, err := r.cache.GetInformer(ctx, &v1alpha1.DatasetGeneration{}); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("watching resources: %w", err)
	}
	if r.cache.WaitForCacheSync(ctx) {
		r.synced.Store(true)
	}
	return nil
}

// NeedLeaderElection says that it does not.
func (r *readiness) NeedLeaderElection() bool { return false }

func (r *readiness) check(*http.Request) error {
	if !r.synced.Load() {
		return errCacheNotSynced
	}
	return nil
}

// addProbes has /healthz say that the process answers, and /readyz that the cache is filled.
func addProbes(manager ctrlmanager.Manager) error {
	ready := &readiness{cache: manager.GetCache()}
	if err := manager.Add(ready); err != nil {
		return fmt.Errorf("adding what waits for the cache: %w", err)
	}
	if err := manager.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("adding the health check: %w", err)
	}
	if err := manager.AddReadyzCheck("cache", ready.check); err != nil {
		return fmt.Errorf("adding the readiness check: %w", err)
	}
	return nil
}
