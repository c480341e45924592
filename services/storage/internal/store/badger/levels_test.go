package badger

import (
	"bytes"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// TestDiskLevelsOff writes a room as an owner does who compacts it: what the
// directory occupies must depend on the document, and not on all that was written.
func TestDiskLevelsOff(t *testing.T) {
	t.Parallel() // it waits for the disk
	const (
		document = 1 << 20
		record   = 64 << 10
		perSnap  = 2 * document / record // records: the log may be twice the document
	)
	s := openStore(t, testOptions(t.TempDir()))
	epoch := mustClaim(t, s, "busy")
	state := make([]byte, document)
	seq := store.Seq(0)
	write := func(times int) {
		for range times * document / record {
			seq++
			mustAppend(t, s, "busy", epoch, seq, crashData(0, uint64(seq), record))
			if seq%perSnap != 0 {
				continue
			}
			state[0] = byte(seq)
			snap := store.Snapshot{Room: "busy", Epoch: epoch, Seq: seq, Size: document}
			if _, err := s.PutSnapshot(t.Context(), snap, bytes.NewReader(state)); err != nil {
				t.Fatal(err)
			}
		}
		waitSwept(t, s)
	}
	write(50)
	const most = 96 << 20 // memtables and their logs, five tables of the first level, and what is below
	for deadline := time.Now().Add(slowDisk); s.DiskBytes() > most; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 50 times the document the directory occupies %d MiB", s.DiskBytes()>>20)
		}
	}
	before := s.DiskBytes()
	write(50)
	for deadline := time.Now().Add(slowDisk); s.DiskBytes() > most; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 100 times the document the directory occupies %d MiB, after 50 times it was %d", s.DiskBytes()>>20, before>>20)
		}
	}
	t.Logf("a document of 1 MiB: %d MiB after it was written 50 times, %d after 100", before>>20, s.DiskBytes()>>20)
}
