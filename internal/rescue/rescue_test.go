package rescue_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/internal/rescue"
)

func stumble(r *rescue.Rescuer, ended *bool) {
	defer func() { r.Caught("here", recover(), func() { *ended = true }) }()
	panic("we are wrong")
}

func walk(r *rescue.Rescuer, ended *bool) {
	defer func() { r.Caught("here", recover(), func() { *ended = true }) }()
}

func TestCaught(t *testing.T) {
	var log strings.Builder
	registry := prometheus.NewPedanticRegistry()
	r, err := rescue.New(slog.New(slog.NewJSONHandler(&log, nil)), registry, "panics_total", "here", "there")
	if err != nil {
		t.Fatal(err)
	}
	var ended bool
	if walk(r, &ended); ended || log.Len() > 0 {
		t.Errorf("who walks is ended, or logged: %s", log.String())
	}
	if stumble(r, &ended); !ended {
		t.Error("nobody ended what panicked")
	}
	for _, want := range []string{"we are wrong", "rescue_test.stumble", `"where":"here"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %s: %s", want, log.String())
		}
	}
	families, err := registry.Gather()
	if err != nil || families[0].GetMetric()[0].GetCounter().GetValue() != 1 {
		t.Errorf("%v, %v; want one counted", families, err)
	}
	ended = false
	if stumble(nil, &ended); !ended {
		t.Error("a nil Rescuer doesn't catch")
	}
}
