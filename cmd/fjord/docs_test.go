package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// asInTheDocs runs what a page of the docs shows, in a directory of its own.
type asInTheDocs struct {
	t   *testing.T
	dir string
	// functions are the page's shell functions, before each command.
	functions string
	fjord     *running
	hook      *exec.Cmd
	// wait is how long a door may take, in seconds.
	wait string
	// elsewhere replaces addresses that the page uses by free ones.
	elsewhere *strings.Replacer
}

// block is a fenced part of a page.
type block struct{ language, text string }

var fences = regexp.MustCompile("(?s)```([a-z]*)\n(.*?)```")

func readBlocks(t *testing.T, page string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	for _, m := range fences.FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, block{m[1], m[2]})
	}
	return blocks
}

// notRun are the lines that can't be run here, and why.
var notRun = map[string]string{
	"fjord --listen 0.0.0.0:1234":              "TestStartThatCannotWork does it with a free port",
	"htpasswd -cB -C 10 people ann":            "not every machine has htpasswd: the test writes what it writes",
	"fjord --auth jwt:https://id.example.com/": "nobody is there",
	"python3 -m http.server":                   "the test serves the file itself, on a free port",
}

// What docs/auth.md shows is what happens: each command, each answer.
func TestAuthPageIsTrue(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "openssl", "node"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("the page's examples need %s: %v", tool, err)
		}
	}
	dir := t.TempDir()
	jwks := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer jwks.Close()
	hook := freeAddress(t)
	d := &asInTheDocs{t: t, dir: dir, elsewhere: strings.NewReplacer(
		"http://127.0.0.1:8000", jwks.URL, "127.0.0.1:8001", hook, "listen(8001,", "listen("+hook[strings.LastIndexByte(hook, ':')+1:]+",",
	)}
	// s3cret, as htpasswd -B writes it.
	d.write("people", "ann:$2y$10$5lifhAvoekFX4j8uzCvRXeQ13G6e5luW0RT6Ep46ERG1ei4hGdo56\n")
	d.run("openssl rand -hex 32 > secret; chmod 600 secret")
	defer func() {
		if d.hook != nil {
			_ = d.hook.Process.Kill()
			_ = d.hook.Wait()
		}
	}()
	answered := 0
	for _, b := range readBlocks(t, "auth.md") {
		first, rest, _ := strings.Cut(b.text, "\n")
		switch {
		case b.language == "sh":
			d.functions += b.text
		case b.language == "js" && strings.HasPrefix(first, "// ") && strings.Contains(first, ".mjs:"):
			name, _, _ := strings.Cut(strings.TrimPrefix(first, "// "), ":")
			d.write(name, d.elsewhere.Replace(rest))
		case b.language == "" && strings.HasPrefix(b.text, "$ "):
			answered += d.session(b.text)
		}
	}
	if answered < 15 {
		t.Errorf("the page showed %d answers: too few to be all of it", answered)
	}
}

// session runs a block of commands, and returns how many answers were as shown.
func (d *asInTheDocs) session(text string) (answered int) {
	d.t.Helper()
	for _, part := range strings.Split("\n"+text, "\n$ ")[1:] {
		command, want, _ := strings.Cut(strings.TrimRight(part, "\n"), "\n")
		if skipped(command) {
			continue
		}
		if args, ok := strings.CutPrefix(command, "fjord"); ok {
			d.start(strings.Fields(d.elsewhere.Replace(args)))
			continue
		}
		if command == "node door.mjs &" {
			d.startHook()
			continue
		}
		if rest, ok := strings.CutPrefix(command, "kill %1; "); ok {
			_ = d.hook.Process.Kill()
			_ = d.hook.Wait()
			d.hook = nil
			command = rest
		}
		if want == "" {
			d.run(command)
			continue
		}
		// An open door takes all of the time that curl has: the page's second is more
		// than it needs, and on a busy machine it may be less.
		got := ""
		for _, wait := range []string{"0.2", "1", "5", "20"} {
			d.wait = wait
			if got = strings.TrimSpace(d.run(command)); got == want {
				answered++
				break
			}
		}
		if got != want {
			d.t.Errorf("$ %s\n%s\nbut the page says\n%s", command, got, want)
		}
	}
	return answered
}

func skipped(command string) bool {
	for line, why := range notRun {
		if why != "" && strings.HasPrefix(command, line) {
			return true
		}
	}
	return false
}

// run runs a command with the page's functions.
func (d *asInTheDocs) run(command string) string {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	script := d.functions + "\n" + command
	if d.fjord != nil {
		script = strings.NewReplacer("http://127.0.0.1:1234", d.fjord.urls["editor"], "http://127.0.0.1:7070", d.fjord.urls["rpc"], "--max-time 1", "--max-time "+d.wait).Replace(script)
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = d.dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && ctx.Err() != nil {
		d.t.Fatalf("$ %s: %v %s", command, err, stderr.Bytes())
	}
	return string(out)
}

// start starts fjord with a page's flags, on free ports, in the page's directory.
func (d *asInTheDocs) start(args []string) {
	d.t.Helper()
	if d.fjord != nil {
		_ = d.fjord.cmd.Process.Kill()
		_ = d.fjord.cmd.Wait()
	}
	for i, arg := range args {
		for _, kind := range []string{"jwt:", "basic:"} {
			if name, ok := strings.CutPrefix(arg, kind); ok && !strings.Contains(name, "://") {
				args[i] = kind + filepath.Join(d.dir, name)
			}
		}
	}
	d.fjord = start(d.t, []string{"FJORD_LOG_LEVEL=error"}, anywhere(d.t.TempDir(), args...)...)
	deadline := time.Now().Add(patience)
	for {
		if code, _ := d.fjord.get(d.t, d.fjord.urls["ops"]+"/readyz"); code == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatal("fjord isn't ready")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// startHook starts the page's webhook and waits until it answers.
func (d *asInTheDocs) startHook() {
	d.t.Helper()
	d.hook = exec.CommandContext(d.t.Context(), "node", "door.mjs")
	d.hook.Dir = d.dir
	d.hook.Stderr = os.Stderr
	if err := d.hook.Start(); err != nil {
		d.t.Fatal(err)
	}
	url := d.elsewhere.Replace("http://127.0.0.1:8001/fjord")
	for deadline := time.Now().Add(patience); ; {
		response, err := http.Post(url, "application/json", strings.NewReader(`{"room":"x"}`))
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatal(fmt.Errorf("the page's webhook: %w", err))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (d *asInTheDocs) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
