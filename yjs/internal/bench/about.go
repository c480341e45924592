package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// about says what was measured on which machine, and how busy that was before.
func about(args []string, n int, genuine bool, load string) string {
	history := "a made long history"
	if genuine {
		history = "the real long history"
	}
	return fmt.Sprintf("`go run ./yjs/internal/bench%s` of %s: %s, %s/%s, %d CPUs, load %s before and %s after, %s, Node %s; %s; medians of at most %d samples, CPU time of the whole process.\n",
		strings.Join(append([]string{""}, args...), " "), time.Now().UTC().Format(time.DateOnly), processor(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), load, busy(), runtime.Version(), strings.TrimPrefix(version(), "v"), history, n)
}

// processor names the machine's, where Linux tells.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// busy is the load average of the last minute, where Linux tells.
func busy() string {
	avg, _ := os.ReadFile("/proc/loadavg")
	if one, _, ok := strings.Cut(string(avg), " "); ok {
		return one
	}
	return "unknown"
}

func version() string {
	return strings.TrimSpace(string(must(exec.CommandContext(context.Background(), "node", "--version").Output())))
}
