package content_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// difftest has the npm package yjs, and makes random sessions.
const difftest = "../internal/difftest"

// oracle is a Node process that runs testdata/oracle.mjs. One goroutine at a time
// may ask.
type oracle struct {
	in  io.WriteCloser
	out *bufio.Reader
}

var install = sync.OnceValue(func() error {
	// difftest's own tests, in a process beside this one, install there too.
	lock, err := os.Open(difftest + "/package-lock.json")
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(difftest + "/node_modules/yjs"); err == nil {
		return nil
	}
	npm := exec.Command("npm", "ci")
	npm.Dir = difftest
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
})

// startOracle starts a process that ends with the test.
func startOracle(t testing.TB) *oracle {
	t.Helper()
	if err := install(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "testdata/oracle.mjs")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("oracle: %v", err)
		}
	})
	return &oracle{in, bufio.NewReaderSize(out, 1<<20)}
}

// ask sends a request and decodes the answer.
func (o *oracle) ask(t testing.TB, request, answer any) {
	t.Helper()
	line, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		t.Fatalf("oracle is gone: %v", err)
	}
	line, err = o.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("oracle is gone: %v", err)
	}
	if err := json.Unmarshal(line, answer); err != nil {
		t.Fatal(err)
	}
}

// fromEnv returns the number in an environment variable, or n.
func fromEnv(t testing.TB, name string, n int) int {
	s, ok := os.LookupEnv(name)
	if !ok {
		return n
	}
	v, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}
