package reliability_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/check"
	"github.com/fjord-sync/fjord/reliability/fleet"
)

// npm is people at npm's y-websocket, in a Node process: js/people.mjs.
type npm struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// people opens two of them in each of a crowd's first two rooms.
func people(t *testing.T, f *fleet.Fleet, c *crowd) *npm {
	t.Helper()
	packages(t)
	n := &npm{cmd: exec.Command("node", "js/people.mjs", f.URL(0), strings.Join(c.rooms[:2], ","), "2", "100", fmt.Sprint(rand.Uint32()))}
	n.cmd.Stderr = os.Stderr
	var err error
	n.in, err = n.cmd.StdinPipe()
	must(t, err)
	out, err := n.cmd.StdoutPipe()
	must(t, err)
	n.out = bufio.NewScanner(out)
	n.out.Buffer(nil, 256<<20)
	must(t, n.cmd.Start())
	t.Cleanup(func() {
		if n.cmd.ProcessState == nil {
			_ = n.cmd.Process.Kill()
			_ = n.cmd.Wait()
		}
	})
	n.await(t, "online")
	return n
}

func (n *npm) await(t *testing.T, what string) {
	t.Helper()
	for n.out.Scan() {
		if strings.Contains(n.out.Text(), `"`+what+`"`) {
			return
		}
	}
	t.Fatalf("the npm clients ended before they were %s: %v", what, n.out.Err())
}

// finish waits until all that they said is echoed, and adds them to the crowd's
// authors once the crowd has settled too.
func (n *npm) finish(t *testing.T, c *crowd) {
	t.Helper()
	_, err := io.WriteString(n.in, "stop\n")
	must(t, err)
	late := time.AfterFunc(patience, func() { _ = n.cmd.Process.Kill() })
	n.await(t, "settled")
	late.Stop()
	c.settle()
	_, err = io.WriteString(n.in, "tell\n")
	must(t, err)
	for n.out.Scan() {
		var told struct {
			Client uint64   `json:"client"`
			Room   string   `json:"room"`
			Said   [][2]any `json:"said"`
			Seen   []byte   `json:"seen"`
		}
		must(t, json.Unmarshal(n.out.Bytes(), &told))
		a := check.Author{Name: fmt.Sprintf("npm client %d", told.Client), Seen: told.Seen}
		for _, said := range told.Said {
			update, err := base64.StdEncoding.DecodeString(said[0].(string))
			must(t, err)
			a.Said, a.Echoed = append(a.Said, update), append(a.Echoed, said[1].(bool))
		}
		c.others[told.Room] = append(c.others[told.Room], a)
	}
	must(t, n.out.Err())
	must(t, n.cmd.Wait())
}
