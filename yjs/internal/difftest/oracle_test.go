package difftest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
)

// oracle is a Node process that runs oracle.mjs. One goroutine at a time may ask.
type oracle struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

var install = sync.OnceValue(func() error {
	// The tests of content, in a process beside this one, install here too.
	lock, err := os.Open("package-lock.json")
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat("node_modules/yjs"); err == nil {
		return nil
	}
	if out, err := exec.Command("npm", "ci").CombinedOutput(); err != nil {
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
	o := &oracle{cmd: exec.Command("node", "oracle.mjs")}
	o.cmd.Stderr = os.Stderr
	in, err := o.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	o.in, o.out = in, bufio.NewReaderSize(out, 1<<20)
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		o.in.Close()
		if err := o.cmd.Wait(); err != nil {
			t.Errorf("oracle: %v", err)
		}
	})
	return o
}

// ask sends a request and decodes the answer.
func (o *oracle) ask(request, answer any) error {
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("oracle is gone: %w", err)
	}
	line, err = o.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("oracle is gone: %w", err)
	}
	return json.Unmarshal(line, answer)
}
