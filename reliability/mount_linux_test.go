package reliability_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMountBehindACopy cuts the power while another mount namespace has a copy of the
// mount, as one of a container or a browser that has just begun: the kernel gives the
// file system back without power until that ends, and a power cut waits for it.
func TestMountBehindACopy(t *testing.T) {
	t.Parallel()
	d := mounted(t, 64<<20)
	other := exec.Command("unshare", "--mount", "sh", "-c", "echo; sleep 0.5")
	began, err := other.StdoutPipe()
	must(t, err)
	must(t, other.Start())
	_, err = began.Read(make([]byte, 1))
	must(t, err)
	must(t, errors.Join(d.Cut(), d.Unmount(), d.Mount()))
	must(t, os.WriteFile(filepath.Join(d.Dir, "file"), []byte("it has power"), 0o600))
	must(t, other.Wait())
}
