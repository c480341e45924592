package difftest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// Oracle is a Node process that answers requests: one JSON value per line. One
// goroutine at a time may ask.
type Oracle struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// directory is where this package and the npm packages are.
func directory() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

var install = sync.OnceValue(func() error {
	// Tests of other packages, in processes beside this one, install here too.
	lock, err := os.Open(filepath.Join(directory(), "package-lock.json"))
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := exclusive(lock); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if installed() {
		return nil
	}
	npm := exec.CommandContext(context.Background(), "npm", "ci")
	npm.Dir = directory()
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
})

// installed reports whether every package is there: one may have been added since.
func installed() bool {
	for _, name := range []string{"lib0", "y-protocols", "yjs"} {
		if _, err := os.Stat(filepath.Join(directory(), "node_modules", name)); err != nil {
			return false
		}
	}
	return true
}

// Start starts a script, which ends with the test.
func Start(tb testing.TB, script string) *Oracle {
	tb.Helper()
	if err := install(); err != nil {
		tb.Fatal(err)
	}
	o := &Oracle{cmd: exec.CommandContext(context.Background(), "node", "--max-semi-space-size=32", script)}
	o.cmd.Stderr = os.Stderr
	in, err := o.cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	o.in, o.out = in, bufio.NewReaderSize(out, 1<<20)
	if err := o.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = o.in.Close()
		if err := o.cmd.Wait(); err != nil {
			tb.Errorf("oracle: %v", err)
		}
	})
	return o
}

// Ask sends a request and decodes the answer. Without an answer the test ends.
func (o *Oracle) Ask(tb testing.TB, request, answer any) {
	tb.Helper()
	line, err := json.Marshal(request)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		tb.Fatalf("oracle is gone: %v", err)
	}
	line, err = o.out.ReadBytes('\n')
	if err != nil {
		tb.Fatalf("oracle is gone: %v", err)
	}
	if err := json.Unmarshal(line, answer); err != nil {
		tb.Fatal(err)
	}
}

// FromEnv returns the number in an environment variable, or n.
func FromEnv(tb testing.TB, name string, n int) int {
	tb.Helper()
	s, ok := os.LookupEnv(name)
	if !ok {
		return n
	}
	var v int
	if _, err := fmt.Sscanf(s, "%d", &v); err != nil {
		tb.Fatalf("%s=%s: want a number", name, s)
	}
	return v
}
