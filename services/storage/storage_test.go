package storage_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	contract "github.com/fjord-sync/fjord/internal/contract/storage"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/storage"
)

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	used := t.TempDir()
	start(t, testConfig(used))
	for name, c := range map[string]struct {
		config storage.Config
		want   string
	}{
		"a file":                      {storage.Config{Dir: file}, "give a directory that this user"},
		"in use":                      {storage.Config{Dir: used}, "is in use by process"},
		"messages below records":      {storage.Config{MaxRecordBytes: 1 << 20, MaxMessageBytes: 1 << 20}, "don't fit into messages"},
		"a record of no size":         {storage.Config{MaxRecordBytes: -1}, "don't fit into messages"},
		"a record above the messages": {storage.Config{MaxRecordBytes: 20 << 20}, "don't fit into messages"},
	} {
		_, err := storage.Open(t.Context(), c.config)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", name, err, c.want)
		}
	}
}

// TestDefaults opens the zero Config, as a test of another service would.
func TestDefaults(t *testing.T) {
	s := start(t, storage.Config{})
	if err := s.service.Ready(); err != nil {
		t.Errorf("Ready: %v", err)
	}
	pos, err := s.Claim(t.Context(), "a")
	if err != nil || pos.Epoch != 1 {
		t.Errorf("Claim: %+v, %v", pos, err)
	}
	large := contract.Item{Room: "a", Epoch: 1, Seq: 1, Data: make([]byte, 17<<20)}
	if got, err := s.Append(t.Context(), large); err != nil || got[0].Outcome != contract.Stored {
		t.Errorf("a record of 17 MiB: %+v, %v", got, err)
	}
	large.Seq, large.Data = 2, make([]byte, 17<<20+1)
	if got, err := s.Append(t.Context(), large); err != nil || got[0].Outcome != contract.Invalid {
		t.Errorf("a record above 17 MiB: %+v, %v", got, err)
	}
	large.Data = make([]byte, 18<<20)
	if _, err := s.Append(t.Context(), large); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("a message above 18 MiB: %v", err)
	}
	_, err = s.PutSnapshot(t.Context(), contract.Snapshot{Room: "a", Epoch: 1, Seq: 1, Data: []byte("x"), Size: 512<<20 + 1})
	if e, ok := err.(*contract.Error); !ok || e.Outcome != contract.Invalid {
		t.Errorf("a snapshot above 512 MiB: %v", err)
	}
}

// TestNoGzip: a compressed message is inflated before its size is known.
func TestNoGzip(t *testing.T) {
	s := start(t, storage.Config{})
	client := serve.NewClient(nil)
	defer client.CloseIdleConnections()
	zipping := storagev1connect.NewStorageServiceClient(client, s.url, connect.WithSendGzip())
	_, err := zipping.Claim(t.Context(), connect.NewRequest(&storagev1.ClaimRequest{Room: strings.Repeat("a", 200)}))
	if connect.CodeOf(err) != connect.CodeUnimplemented {
		t.Errorf("a compressed request: %v, want unimplemented", err)
	}
}

// TestMetrics: what the service does is counted, by numbers that name no room, and
// only until Close.
func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	config := testConfig(t.TempDir())
	config.Metrics = registry
	s := start(t, config)
	const room = "a secret room name"
	if _, err := s.Claim(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), contract.Item{Room: room, Epoch: 1, Seq: 1, Data: []byte("0123456789")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), contract.Item{Room: room, Epoch: 1, Seq: 9, Data: []byte("0123456789")}); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += "," + label.GetValue()
			}
			if strings.Contains(name, room) {
				t.Errorf("%s names a room", name)
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for name, want := range map[string]float64{
		"fjord_storage_calls_total,claim,ok":   1,
		"fjord_storage_calls_total,append,ok":  2,
		"fjord_storage_appends_total,ok":       1,
		"fjord_storage_appends_total,conflict": 1,
		"fjord_storage_append_bytes_total":     10,
		"fjord_storage_commit_seconds":         2, // the claim's and the record's
		"fjord_storage_commit_records":         2,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	for _, name := range []string{"fjord_storage_disk_bytes", "fjord_storage_free_bytes"} {
		if got[name] < 1000 {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	if _, err := storage.Open(t.Context(), storage.Config{Metrics: registry}); err == nil || !strings.Contains(err.Error(), "metrics cannot be registered") {
		t.Errorf("a second service in the same registry: %v", err)
	}
	s.Reopen(t) // registers again
}

// TestLogs: a room's name from outside cannot break a log line, and Badger's own
// chatter is for debug.
func TestLogs(t *testing.T) {
	var out bytes.Buffer
	config := testConfig(t.TempDir())
	config.Logger = slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
	s := start(t, config)
	if _, err := s.Claim(t.Context(), "a\n{\"level\":\"ERROR\"}"); err != nil {
		t.Fatal(err)
	}
	s.Reopen(t)
	if out.Len() > 0 {
		t.Errorf("a start and a claim have something to say: %s", out.String())
	}
}

func TestCloseTwice(t *testing.T) {
	service, err := storage.Open(t.Context(), testConfig(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	}
}
