package cost_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/yjs/internal/cost"
)

const much = 1 << 20

var kept []byte

func TestAllocated(t *testing.T) {
	for name, measure := range map[string]func(func()) uint64{"once": cost.Allocated, "the least": cost.Least} {
		if got := measure(func() { kept = make([]byte, much) }); got < much || got > 2*much {
			t.Errorf("%s: %d bytes, want %d", name, got, much)
		}
	}
	calls := 0
	got := cost.Least(func() {
		if calls++; calls != 2 {
			kept = make([]byte, much)
		}
	})
	if got >= much || calls != 3 {
		t.Errorf("%d bytes in %d tries, want those of the second of three", got, calls)
	}
}

func TestHeap(t *testing.T) {
	kept = nil
	before := cost.Heap()
	kept = make([]byte, much)
	// The runtime gives back a few bytes of its own meanwhile, now and then.
	if held := cost.Heap() - before; held < much-much/8 || held > 2*much {
		t.Errorf("%d bytes held, want %d", held, much)
	}
	runtime.KeepAlive(kept)
	kept = nil
	if held := cost.Heap() - before; held > much/2 {
		t.Errorf("%d bytes held of what is garbage", held)
	}
}

func TestCPU(t *testing.T) {
	begin := cost.CPU()
	for deadline := time.Now().Add(30 * time.Second); cost.CPU()-begin < 20*time.Millisecond; {
		if time.Now().After(deadline) {
			t.Fatal("no time passes")
		}
	}
	if cost.CPU() < begin {
		t.Error("time goes back")
	}
}
