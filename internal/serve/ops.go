package serve

import (
	"fmt"
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check reports why a part of the process can't do its work now, or nil.
type Check struct {
	Name  string
	Ready func() error
}

// NewRegistry returns a metrics registry that already describes the process.
func NewRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return registry
}

// Ops returns the handler that operators and orchestrators ask:
//
//	/healthz  200 while the process answers at all
//	/readyz   200 when every check passes, else 503 and which one didn't
//	/metrics  the registry in Prometheus' text format
//
// guard stands before /metrics alone; nil lets everybody through.
func Ops(registry *prometheus.Registry, guard func(http.Handler) http.Handler, checks ...Check) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		for _, check := range checks {
			if err := check.Ready(); err != nil {
				http.Error(w, fmt.Sprintf("%s: %v", check.Name, err), http.StatusServiceUnavailable)
				return
			}
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	if guard != nil {
		metrics = guard(metrics)
	}
	mux.Handle("GET /metrics", metrics)
	return mux
}
