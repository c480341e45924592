package fleet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startTime is how long a process may take to print where it listens, or to end when
// it is killed: long, for a machine that does ten other things.
const startTime = 3 * time.Minute

// Process is one binary that is started again and again with the same arguments.
// Its methods may be called from any goroutine, but one at a time.
type Process struct {
	Name string

	binary string
	args   []string
	log    *os.File
	wanted []string // addresses that it prints

	mu        sync.Mutex // guards the rest
	run       *run
	onAddress func(kind, address string)
	surprises []error // ends that nobody asked for
	starts    int
}

// run is one life of a process.
type run struct {
	cmd    *exec.Cmd
	ended  chan struct{} // closed when it has been waited for
	wished bool          // somebody asked for its end; guarded by Process.mu
}

var errRunning = errors.New("is running already")

// Start starts the process and waits until it has printed its addresses.
func (p *Process) Start() error {
	ready, err := p.launch()
	if err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	select {
	case err := <-ready:
		if err != nil {
			return fmt.Errorf("%s: %w; its log is %s", p.Name, err, p.log.Name())
		}
		return nil
	case <-time.After(startTime):
		return errors.Join(fmt.Errorf("%s: didn't say %v within %v; its log is %s", p.Name, p.wanted, startTime, p.log.Name()), p.Kill())
	}
}

// ErrRefused means that a process ended before it listened, with a status of 1 and
// one line that says why: it didn't crash.
var ErrRefused = errors.New("refused to start")

// StartOrRefuse is Start for a process that may have a good reason not to.
func (p *Process) StartOrRefuse() error {
	err := p.Start()
	if err == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil || p.aliveLocked() || p.run.cmd.ProcessState.ExitCode() != 1 {
		return err
	}
	p.surprises = p.surprises[:len(p.surprises)-1]
	return errors.Join(ErrRefused, err)
}

func (p *Process) launch() (<-chan error, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.aliveLocked() {
		return nil, errRunning
	}
	// Where it listened before, something else may listen by now.
	for _, kind := range p.wanted {
		p.onAddress(kind, "")
	}
	p.starts++
	fmt.Fprintf(p.log, "=== start %d, %s\n", p.starts, time.Now().Format(time.StampMilli))
	cmd := exec.Command(p.binary, p.args...)
	cmd.Stderr = p.log
	// A test that dies takes its processes along.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &run{cmd: cmd, ended: make(chan struct{})}
	p.run = r
	ready := make(chan error, 1)
	go p.watch(r, stdout, ready)
	return ready, nil
}

// watch reads a life's output and waits for its end.
func (p *Process) watch(r *run, stdout io.Reader, ready chan<- error) {
	missing := make(map[string]bool)
	for _, kind := range p.wanted {
		missing[kind] = true
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		kind, url, found := strings.Cut(lines.Text(), " ")
		if !found || !missing[kind] {
			continue
		}
		delete(missing, kind)
		p.onAddress(kind, url[strings.LastIndex(url, "/")+1:])
		if len(missing) == 0 {
			ready <- nil
		}
	}
	err := r.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.log, "=== end, %s: %v\n", time.Now().Format(time.StampMilli), r.cmd.ProcessState)
	if !r.wished {
		p.surprises = append(p.surprises, fmt.Errorf("%s ended by itself: %w; its log is %s", p.Name, errors.Join(err, errors.New(r.cmd.ProcessState.String())), p.log.Name()))
	}
	close(r.ended)
	if len(missing) > 0 {
		ready <- fmt.Errorf("ended before it listened: %v", r.cmd.ProcessState)
	}
}

func (p *Process) aliveLocked() bool {
	if p.run == nil {
		return false
	}
	select {
	case <-p.run.ended:
		return false
	default:
		return true
	}
}

// Alive reports whether the process runs (or is stopped by a signal).
func (p *Process) Alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.aliveLocked()
}

// PID is the number of the process's present or last life.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		return 0
	}
	return p.run.cmd.Process.Pid
}

// Signal sends a signal that needn't end the process.
func (p *Process) Signal(signal os.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.aliveLocked() {
		return fmt.Errorf("%s isn't running", p.Name)
	}
	return p.run.cmd.Process.Signal(signal)
}

// Freeze stops the process where it is; Thaw lets it go on.
func (p *Process) Freeze() error { return p.Signal(syscall.SIGSTOP) }

// Thaw undoes Freeze.
func (p *Process) Thaw() error { return p.Signal(syscall.SIGCONT) }

// Kill ends the process at once, and waits for its end. It is no error if it has
// ended already.
func (p *Process) Kill() error { return p.end(syscall.SIGKILL, startTime) }

// Drain asks the process to leave in order and waits for its end.
func (p *Process) Drain(within time.Duration) error { return p.end(syscall.SIGTERM, within) }

func (p *Process) end(signal os.Signal, within time.Duration) error {
	p.mu.Lock()
	if !p.aliveLocked() {
		p.mu.Unlock()
		return nil
	}
	r := p.run
	r.wished = true
	err := r.cmd.Process.Signal(signal)
	p.mu.Unlock()
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	select {
	case <-r.ended:
	case <-time.After(within):
		return fmt.Errorf("%s: hasn't ended %v after %v", p.Name, within, signal)
	}
	if code := r.cmd.ProcessState.ExitCode(); signal == syscall.SIGTERM && code != 0 {
		return fmt.Errorf("%s: left with %v, want status 0; its log is %s", p.Name, r.cmd.ProcessState, p.log.Name())
	}
	return nil
}

// Frozen waits until no thread of a process that was told to stop runs any more,
// but for those that the kernel is doing something for: they stop when it is done.
func (p *Process) Frozen(ctx context.Context) error {
	for {
		states, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.PID()))
		if err != nil {
			return err
		}
		running := 0
		for _, path := range states {
			stat, err := os.ReadFile(path)
			if err != nil {
				continue // a thread that has ended
			}
			// pid (name) state …: the name may hold anything.
			if _, rest, ok := strings.Cut(string(stat), ") "); ok && strings.ContainsRune("RS", rune(rest[0])) {
				running++
			}
		}
		if running == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %d threads still run after SIGSTOP: %w", p.Name, running, ctx.Err())
		case <-time.After(100 * time.Microsecond):
		}
	}
}

// Ended returns a channel that is closed when the present life is over.
func (p *Process) Ended() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run.ended
}

// Surprises returns the ends that nobody asked for.
func (p *Process) Surprises() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]error(nil), p.surprises...)
}

// Excuse forgets them: the test has expected them.
func (p *Process) Excuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.surprises = nil
}

// Log names the file that holds what the process wrote to standard error.
func (p *Process) Log() string { return p.log.Name() }
