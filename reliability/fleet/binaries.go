package fleet

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// The binaries' names: one process for everything, and the three services.
const (
	AllInOne = "fjord"
	Edge     = "edge"
	Rooms    = "rooms"
	Storage  = "storage"
)

var packages = []string{"./cmd/fjord", "./services/edge/cmd/edge", "./services/rooms/cmd/rooms", "./services/storage/cmd/storage"}

var built struct {
	mu   sync.Mutex // guards the rest
	dirs map[string]string
}

// Binaries builds the repository's binaries with build tags ("" for none), once
// for each set of tags, and returns the directory that holds them.
// FJORD_RELIABILITY_RACE=1 builds them with the race detector.
func Binaries(tags string) (string, error) {
	built.mu.Lock()
	defer built.mu.Unlock()
	if dir, ok := built.dirs[tags]; ok {
		return dir, nil
	}
	root, err := repository()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "fjord-reliability-bin-")
	if err != nil {
		return "", err
	}
	args := []string{"build", "-tags", tags, "-o", dir + "/"}
	if os.Getenv("FJORD_RELIABILITY_RACE") == "1" {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, packages...)...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", build, err, out)
	}
	if built.dirs == nil {
		built.dirs = make(map[string]string)
	}
	built.dirs[tags] = dir
	return dir, nil
}

// RemoveBinaries deletes what Binaries built.
func RemoveBinaries() {
	built.mu.Lock()
	defer built.mu.Unlock()
	for tags, dir := range built.dirs {
		_ = os.RemoveAll(dir)
		delete(built.dirs, tags)
	}
}

// repository finds the checkout above the working directory.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.work above the working directory: run the tests inside the checkout")
		}
		dir = parent
	}
}
