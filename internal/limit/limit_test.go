package limit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/internal/limit"
)

type config struct {
	sockets, frame int
	pong           time.Duration
}

var table = limit.Table[config]{
	{Name: "max-sockets", What: "websockets", Then: "503", Default: 10, Count: func(c *config) *int { return &c.sockets }},
	{Name: "max-frame", What: "a frame", Then: "4413", Default: 16 << 20, Least: 1 << 10, Most: 17 << 20, Bytes: func(c *config) *int { return &c.frame }},
	{Name: "max-silence", What: "silence", Then: "cut off", Default: int64(40 * time.Second), Time: func(c *config) *time.Duration { return &c.pong }},
}

func TestFill(t *testing.T) {
	c := config{sockets: 7}
	if err := table.Fill(&c); err != nil {
		t.Fatal(err)
	}
	if want := (config{7, 16 << 20, 40 * time.Second}); c != want {
		t.Errorf("%+v, want %+v", c, want)
	}
	for name, c := range map[string]config{
		"--max-sockets -1: want at least 1":        {sockets: -1},
		"--max-frame 1023: want at least 1KiB":     {frame: 1023},
		"--max-frame 17825793: want at most 17MiB": {frame: 17<<20 + 1},
		"--max-silence -1s: want at least 1ns":     {pong: -time.Second},
	} {
		if err := table.Fill(&c); err == nil || err.Error() != name {
			t.Errorf("%v, want %s", err, name)
		}
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		row      int
		in, want string
		n        int64
	}{
		{0, "12", "", 12},
		{0, "0", "want at least 1", 0},
		{0, "1KiB", "want a number", 0},
		{0, "-3", "want a number", 0},
		{0, "9223372036854775807", "want at most", 0},
		{1, "65536", "", 65536},
		{1, "64KiB", "", 64 << 10},
		{1, "16MiB", "", 16 << 20},
		{1, "1GiB", "want at most 17MiB", 0},
		{1, "9223372036854775807GiB", "want bytes", 0},
		{1, "KiB", "want bytes", 0},
		{1, "64kb", "want bytes", 0},
		{2, "1m30s", "", int64(90 * time.Second)},
		{2, "30", "want a time", 0},
		{2, "0s", "want at least", 0},
		{2, "2000000h", "want at most", 0},
	} {
		n, err := table[test.row].Parse(test.in)
		if test.want == "" && (err != nil || n != test.n) {
			t.Errorf("%s: %d, %v; want %d", test.in, n, err, test.n)
		}
		if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "--"+table[test.row].Name+" ")) {
			t.Errorf("%s: %v, want an error with %q", test.in, err, test.want)
		}
	}
}

// What is printed can be given back.
func TestFormatIsParsed(t *testing.T) {
	for _, row := range table {
		for _, n := range []int64{1 << 10, 1<<10 + 1, 5 << 20, int64(time.Hour), int64(time.Minute), int64(90 * time.Second)} {
			if row.Most > 0 && n > row.Most {
				continue
			}
			if back, err := row.Parse(row.Format(n)); err != nil || back != n {
				t.Errorf("--%s %s: %d, %v; want %d", row.Name, row.Format(n), back, err, n)
			}
		}
	}
	if got := table[2].Format(int64(time.Hour)); got != "1h" {
		t.Errorf("%s, want 1h", got)
	}
}

func TestMarkdown(t *testing.T) {
	if got := table.Markdown(); !strings.Contains(got, "| silence | 40s | `--max-silence` | cut off |\n") || strings.Count(got, "\n") != len(table) {
		t.Error(got)
	}
}

func TestReached(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	reached, err := limit.NewReached(registry, "reached_total", table)
	if err != nil {
		t.Fatal(err)
	}
	reached.Hit("max-frame")
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || len(families[0].GetMetric()) != len(table) {
		t.Errorf("%v, %v; want a counter for each row", families, err)
	}
	(*limit.Reached)(nil).Hit("max-frame") // and nothing happens
	defer func() {
		if recover() == nil {
			t.Error("a counter that isn't there was had")
		}
	}()
	reached.Hit("max-nothing")
}
