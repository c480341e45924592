package reliability_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/reliability/fleet"
)

// releaseMiB is above all that one message between the services may have, 18 MiB.
var releaseMiB = flag.Int("release-mib", 20, "size in MiB of the damaged room that TestT4Release restores")

// TestT4Release has a damaged room restored that is larger than any message, and kills
// storage and rooms by turns while they do it, sooner and later, until nobody is
// killed: then the room is all that can be read of it, for the next process too, and
// out of quarantine.
func TestT4Release(t *testing.T) {
	t.Parallel()
	const piece = 10 << 20
	const room = "large"
	f := open(t, fleet.Config{})
	ctx := within(t, 5*patience)
	apply := func(update []byte) error {
		_, err := f.Documents(0).ApplyUpdate(ctx, connect.NewRequest(&roomsv1.ApplyUpdateRequest{Room: room, Update: update}))
		return err
	}
	lost := []byte{1, 1, 1, 0, 4, 1, 1, 't', 4, 'l', 'o', 's', 't', 0}
	pieces := byte(*releaseMiB << 20 / piece)
	for n := range pieces {
		must(t, apply(attached(n+2, piece)))
	}
	must(t, apply(lost))
	must(t, f.Kill())
	must(t, damageRecord(f.Data, append([]byte{1, 1, byte(len(lost))}, lost...)))
	must(t, f.Start())
	if err := apply(attached(100, 1)); err == nil {
		t.Fatal("the damaged room takes an update")
	}
	id := quarantined(t, f)
	if id == "" {
		t.Fatal("the damaged room isn't in quarantine")
	}
	victims := []*fleet.Process{f.Storage, f.Rooms[0]}
	kills := 0
	var took time.Duration
	for after := 50 * time.Millisecond; ; after *= 4 {
		began := time.Now()
		released := make(chan error, 1)
		go func() {
			_, err := f.Operators(0).Release(ctx, connect.NewRequest(&roomsv1.ReleaseRequest{Room: room, Id: id, Action: roomsv1.ReleaseAction_RELEASE_ACTION_RESTORE}))
			released <- err
		}()
		select {
		case <-time.After(after):
			must(t, victims[kills%2].Kill())
			<-released // it may have come to its end first
			kills++
			must(t, f.Start())
			continue
		case err := <-released:
			// The one before may have come to its end, and not to its answer: before
			// this one began, or while it read the room.
			switch connect.CodeOf(err) {
			case connect.CodeNotFound:
			case connect.CodeFailedPrecondition:
				continue
			case connect.CodeUnavailable: // by a connection of the dead process's
				continue
			default:
				must(t, err)
			}
		}
		took = time.Since(began)
		break
	}
	if id := quarantined(t, f); id != "" {
		t.Errorf("still in quarantine: %s", id)
	}
	must(t, f.Kill())
	must(t, f.Start())
	got, err := f.Documents(0).GetDocument(ctx, connect.NewRequest(&roomsv1.GetDocumentRequest{Room: room}))
	must(t, err)
	for n := range pieces {
		if !bytes.Contains(got.Msg.GetUpdate(), bytes.Repeat([]byte{n + 2}, piece)) {
			t.Errorf("what client %d attached isn't there", n+2)
		}
	}
	if bytes.Contains(got.Msg.GetUpdate(), []byte("lost")) {
		t.Error("the damaged record can be read: the test shows nothing")
	}
	must(t, apply(attached(100, 1)))
	t.Logf("%d MiB restored after %d kills, at last in %v", len(got.Msg.GetUpdate())>>20, kills, took.Round(time.Millisecond))
}

// attached is an update by which a client puts a file of that size into an array.
func attached(client byte, size int) []byte {
	update := binary.AppendUvarint([]byte{1, 1, client, 0, 3, 1, 1, 'f'}, uint64(size))
	return append(append(update, bytes.Repeat([]byte{client}, size)...), 0)
}

// quarantined returns the id of what is in quarantine, "" for nothing.
func quarantined(t *testing.T, f *fleet.Fleet) string {
	t.Helper()
	list, err := f.Store().ListQuarantine(t.Context(), connect.NewRequest(&storagev1.ListQuarantineRequest{}))
	must(t, err)
	for _, item := range list.Msg.GetItems() {
		return item.GetId()
	}
	return ""
}

// damageRecord changes a record in Badger's log, and makes Badger's own checksum right
// again: no single bit can be turned back, and none but the room's own sum is wrong.
//
//	entry = meta(2) key length, value length, expiry (varints) key value crc(4)
//	key   = 'r' 5 "large" seq(8) version(8)
//	value = 0 epoch(8) crc(4) record
func damageRecord(dir string, record []byte) error {
	const header, key, sums = 2 + 3, 1 + 1 + 5 + 8 + 8, 1 + 8 + 4
	logs, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return err
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	for _, name := range logs {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		at := bytes.Index(data, record)
		if at < 0 {
			continue
		}
		begin, end := at-sums-key-header, at+len(record)
		if binary.BigEndian.Uint32(data[end:]) != crc32.Checksum(data[begin:end], table) {
			return errors.New("an entry of Badger's log isn't where this test looks for it")
		}
		data[end-2] ^= 0x55
		binary.BigEndian.PutUint32(data[end:], crc32.Checksum(data[begin:end], table))
		return os.WriteFile(name, data, 0o600)
	}
	return errors.New("no log of Badger's has the record")
}
