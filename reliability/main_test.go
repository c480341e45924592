package reliability_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/check"
	"github.com/fjord-sync/fjord/reliability/fleet"
)

var (
	seedFlag = flag.Uint64("seed", 0, "repeats the choices of a run that printed it; 0 takes a new one")
	soak     = flag.Bool("soak", false, "run as often as docs/reliability.md says for make soak")
	keep     = flag.String("keep", "", "`DIR` that logs and data go to, and stay in")
)

// patience is how long a test waits for what must come, on a machine that does ten
// other things and syncs its disk within seconds.
const patience = 3 * time.Minute

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	fleet.RemoveBinaries()
	os.Exit(code)
}

// times is a count for CI, or for a soak.
func times(ci, long int) int {
	if *soak {
		return long
	}
	return ci
}

// chance returns the choices of a test. Its seed is printed: -seed repeats them.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("choices: -seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open starts a fleet that ends with the test. What ended by itself fails the
// test, which keeps the logs then.
func open(t *testing.T, cfg fleet.Config) *fleet.Fleet {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = workspace(t)
	}
	f, err := fleet.Open(cfg)
	must(t, err)
	t.Cleanup(func() {
		f.Close()
		if err := f.Surprises(); err != nil {
			t.Error(err)
		}
	})
	must(t, f.Start())
	return f
}

// workspace is a directory that is kept when the test fails, or with -keep.
func workspace(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(*keep, "fjord-"+filepath.Base(t.Name())+"-")
	must(t, err)
	t.Cleanup(func() {
		if *keep != "" || t.Failed() {
			t.Logf("logs and data are kept in %s", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// yjs starts npm's yjs, after npm ci where node_modules is missing.
func yjs(t *testing.T) *check.Yjs {
	t.Helper()
	packages(t)
	y, err := check.StartYjs("js/reader.mjs")
	must(t, err)
	t.Cleanup(func() {
		if err := y.Close(); err != nil {
			t.Error("yjs:", err)
		}
	})
	return y
}

func packages(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("js/node_modules/yjs"); err == nil {
		return
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	install.Dir = "js"
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", install, err, out)
	}
}
