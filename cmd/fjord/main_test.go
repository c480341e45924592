package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what takes a second, on a machine that does ten
// other things.
const patience = 2 * time.Minute

// asProgram makes the test binary be the program: the tests start it as users do.
const asProgram = "FJORD_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// anywhere are flags for a start that disturbs nobody.
func anywhere(data string, more ...string) []string {
	return append([]string{
		"--listen", "127.0.0.1:0", "--rpc", "127.0.0.1:0", "--ops", "127.0.0.1:0", "--data", data,
	}, more...)
}

// A start that can't work ends at once, with one line that says what would be
// right.
func TestStartThatCannotWork(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":    {[]string{"--lisen", "x"}, "unknown flag --lisen; known are --listen"},
		"unknown command": {[]string{"server"}, `unknown command "server"; want one of serve, healthcheck, make-secret, import, export`},
		"taken port":      {anywhere(data, "--listen", taken.Addr().String()), "--listen " + taken.Addr().String() + ": the port is taken"},
		"taken rpc port":  {anywhere(data, "--rpc", taken.Addr().String()), "--rpc "},
		"bad address":     {anywhere(data, "--ops", "nowhere"), "want HOST:PORT"},
		"data is a file":  {anywhere(file), file},
		"data in a file":  {anywhere(filepath.Join(file, "data")), file},
		"bad level":       {anywhere(data, "--log-level", "loud"), "want debug, info, warn or error"},
		"bad rooms":       {anywhere(data, "--rooms", "eternal"), "want durable, volatile or relay"},
		"bad room names":  {anywhere(data, "--room-names", "any"), "want default or elva"},
		"bad auth":        {anywhere(data, "--auth", "password"), "want open, basic:FILE, jwt:FILE, jwt:URL or webhook:URL"},
		"no htpasswd":     {anywhere(data, "--auth", "basic:"+file), "names nobody"},
		"issuer of none":  {anywhere(data, "--jwt-issuer", "me"), "means something to jwt only"},
		"open to all":     {anywhere(data, "--listen", ":0"), "say --insecure"},
		"rpc to all":      {anywhere(data, "--rpc", ":0"), "give all services --rpc-secret FILE"},
		"half a pair":     {anywhere(data, "--tls-cert", file), "want both or none"},
		"no certificate":  {anywhere(data, "--tls-cert", file, "--tls-key", file), "--tls-cert " + file},
		"no secret":       {anywhere(data, "--rpc-secret", file), "holds no secret"},
		"bad proxy":       {anywhere(data, "--trusted-proxy", "nginx"), "want an address or a network"},
		"bad drain":       {anywhere(data, "--drain", "never"), "--drain never: want a time"},
		"bad recheck":     {anywhere(data, "--auth-recheck", "soon"), "--auth-recheck soon: want a time"},
		"recheck too low": {anywhere(data, "--auth-recheck", "5ms"), "--auth-recheck 5ms: want 1s or more"},
		"bad limit":       {anywhere(data, "--max-frame", "huge"), "--max-frame huge: want bytes"},
		"limit too high":  {anywhere(data, "--max-frame", "64MiB"), "want at most 17MiB"},
		"no value":        {[]string{"--listen"}, "flag needs an argument"},
		"empty data":      {anywhere("", "--log-level", "warn"), "--data is empty; leave it out (and FJORD_DATA), which means ./fjord-data"},
		"empty auth":      {anywhere(data, "--auth", ""), "--auth is empty; leave it out (and FJORD_AUTH), which means open"},
		"empty transfer":  {[]string{"import", "elva", data, "--data", ""}, "--data is empty"},
		"bad switch":      {anywhere(data, "--keep-deleted=maybe"), "--keep-deleted=maybe: want true or false"},
		"bad origin":      {anywhere(data, "--allow-origin", "https://*.example.com"), `"https://*.example.com": want scheme://host or scheme://host:port`},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := program(ctx, test.args...)
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			if _, failed := err.(*exec.ExitError); !failed || ctx.Err() != nil {
				t.Fatalf("%v, want an exit code that isn't 0, at once", err)
			}
			lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
			last := lines[len(lines)-1]
			if len(lines) != 1 || !strings.HasPrefix(last, "fjord: ") || !strings.Contains(last, test.want) {
				t.Errorf("standard error:\n%swant one line with %q", stderr.String(), test.want)
			}
			if stdout.Len() > 0 {
				t.Errorf("standard output: %s, want nothing", stdout.String())
			}
		})
	}
}

// What is wrong with the configuration is told before a port is taken or the disk is
// touched, all of it in one line.
func TestConfigurationComesFirst(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := program(ctx,
		"--listen", "0.0.0.0:0", "--rpc", "[::]:0", "--ops", taken.Addr().String(), "--data", data,
		"--rooms", "eternal", "--room-names", "any", "--tls-cert", "alone", "--trusted-proxy", "nginx,apache",
		"--allow-origin", "nowhere", "--max-frame", "huge", "--max-rooms", "0", "--jwt-issuer", "me")
	cmd.Env = append(cmd.Env, "OTEL_EXPORTER_OTLP_ENDPOINT=collector")
	stderr, err := cmd.CombinedOutput()
	if err == nil || strings.Count(strings.TrimSpace(string(stderr)), "\n") > 0 {
		t.Fatalf("%v, %s; want one line and a failure", err, stderr)
	}
	for _, want := range []string{
		"--listen 0.0.0.0:0: other machines reach it", "--rpc [::]:0: other machines reach it", "--rooms: unknown kind of room", "--room-names any",
		"--tls-cert and --tls-key", "--trusted-proxy nginx", "--trusted-proxy apache", `allowed origin "nowhere"`, "--max-frame huge",
		"--max-rooms 0", "means something to jwt only", "OTEL_EXPORTER_OTLP_ENDPOINT",
	} {
		if strings.Count(string(stderr), want) != 1 {
			t.Errorf("%q isn't told, or twice:\n%s", want, stderr)
		}
	}
	if strings.Contains(string(stderr), "taken") {
		t.Errorf("ports come before what is wrong:\n%s", stderr)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("the data directory was made")
	}
	for name, flags := range map[string][]string{
		"a webhook's URL": {"--auth", "webhook:app"}, "a file": {"--auth", "jwt:" + data}, "a certificate": {"--tls-cert", data, "--tls-key", data},
	} {
		cmd := program(ctx, anywhere(data, append(flags, "--listen", taken.Addr().String())...)...)
		if stderr, err := cmd.CombinedOutput(); err == nil || strings.Contains(string(stderr), "taken") {
			t.Errorf("%s: %v, %s; want what is wrong with it, and nothing of the port", name, err, stderr)
		}
	}
}

// running is a started program, the URLs that it printed, and its log, which may be
// read when it has ended.
type running struct {
	cmd  *exec.Cmd
	urls map[string]string
	log  strings.Builder
}

func start(t *testing.T, env []string, args ...string) *running {
	t.Helper()
	cmd := program(context.Background(), args...)
	cmd.Env = append(cmd.Env, env...)
	r := &running{cmd: cmd, urls: make(map[string]string)}
	cmd.Stderr = io.MultiWriter(os.Stderr, &r.log)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for len(r.urls) < 4 && lines.Scan() {
		what, url, _ := strings.Cut(lines.Text(), " ")
		r.urls[what] = url
	}
	for _, what := range []string{"editor", "websocket", "rpc", "ops"} {
		if r.urls[what] == "" {
			t.Fatalf("it printed %v, want the URL of %s too", r.urls, what)
		}
	}
	return r
}

func (r *running) get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// becomesReady waits until all parts of the process are ready.
func (r *running) becomesReady(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		code, body := r.get(t, r.urls["ops"]+"/readyz")
		if code == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("/readyz: %d %s, want 200", code, body)
		}
	}
}

func TestServesAndLeaves(t *testing.T) {
	r := start(t, nil, anywhere(t.TempDir())...)
	for url, want := range map[string]string{
		r.urls["editor"] + "/":     "<html",
		r.urls["ops"] + "/healthz": "ok",
		r.urls["ops"] + "/metrics": "fjord_rooms_open",
	} {
		if code, body := r.get(t, url); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.100q, want 200 and %q", url, code, body, want)
		}
	}
	r.becomesReady(t)
	response, err := http.Post(r.urls["rpc"]+"/fjord.storage.v1.StorageService/List", "application/json", strings.NewReader("{}"))
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("List over JSON: %v %v, want 200", response, err)
	} else {
		_ = response.Body.Close()
	}
	check := program(t.Context(), "healthcheck", "--ops", strings.TrimPrefix(r.urls["ops"], "http://"))
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %v: %s", err, out)
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v, want exit code 0", err)
	}
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, `"level":"WARN"`) {
			t.Errorf("an orderly life, and it logged %s", line)
		}
	}
	if out, err := healthcheck(r.urls["ops"]); err == nil {
		t.Errorf("healthcheck of nobody: %s, want a failure", out)
	}
}

func healthcheck(ops string) ([]byte, error) {
	return program(context.Background(), "healthcheck", "--ops", strings.TrimPrefix(ops, "http://")).CombinedOutput()
}

func TestEnvironmentTwins(t *testing.T) {
	data := filepath.Join(t.TempDir(), "made", "for", "it")
	r := start(t, []string{
		"HOST=127.0.0.1", "PORT=0",
		"FJORD_RPC=127.0.0.1:0", "FJORD_OPS=127.0.0.1:0", "FJORD_DATA=" + data, "FJORD_LOG_LEVEL=error",
	})
	if !strings.HasPrefix(r.urls["websocket"], "ws://127.0.0.1:") || strings.HasSuffix(r.urls["websocket"], ":0") {
		t.Errorf("websocket at %s, want the host and a free port", r.urls["websocket"])
	}
	if entries, err := os.ReadDir(data); err != nil || len(entries) == 0 {
		t.Errorf("data directory %s: %v %v, want storage's files", data, entries, err)
	}
}
