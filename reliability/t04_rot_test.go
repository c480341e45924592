package reliability_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/reliability/fleet"
)

// TestT4BitRot flips one bit of what storage keeps, or writes 64 other bytes over
// it, and starts storage on that: it turns the bit back, or refuses to start and
// says how to go on, or refuses rooms, for one bit at most one. It never gives a
// wrong answer.
func TestT4BitRot(t *testing.T) {
	t.Parallel()
	random := chance(t)
	f := open(t, fleet.Config{})
	c := gather(t, f, "rot", 16, 8)
	c.typeOn(10 * time.Millisecond)
	ctx := within(t, time.Duration(times(5, 60))*patience)
	_, err := c.echoed(ctx, 2_000)
	must(t, err)
	c.settle()
	c.leave()
	must(t, f.Kill())
	must(t, f.Storage.Start()) // makes tables of the logs
	want, refused, err := logsOf(ctx, f, c.rooms)
	must(t, errors.Join(err, refused))
	must(t, f.Storage.Kill())
	files, err := filepath.Glob(filepath.Join(f.Data, "*"))
	must(t, err)
	sound := t.TempDir()
	var sizes []int
	var rotten []string
	for _, path := range files {
		content, err := os.ReadFile(path)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(sound, filepath.Base(path)), content, 0o600))
		switch filepath.Ext(path) {
		case ".mem", ".sst", "":
			if used := len(bytes.TrimRight(content, "\x00")); used > 0 && filepath.Base(path) != "LOCK" {
				rotten, sizes = append(rotten, path), append(sizes, used)
			}
		}
	}
	refusedStart, refusedRoom, unharmed := 0, 0, 0
	turns := times(40, 2_000)
	// As many again, where by chance all damage was of no consequence: one of five to one
	// of two is noticed.
	for turn := 0; turn < turns || refusedStart+refusedRoom == 0 && turn < 5*turns; turn++ {
		n := random.IntN(len(rotten))
		bit := random.IntN(8 * sizes[n])
		must(t, restore(f.Data, sound))
		content, err := os.ReadFile(rotten[n])
		must(t, err)
		if turn%2 == 0 {
			content[bit/8] ^= 1 << (bit % 8)
		} else {
			for i := bit / 8; i < min(bit/8+64, sizes[n]); i++ {
				content[i] = byte(random.Uint32())
			}
		}
		must(t, os.WriteFile(rotten[n], content, 0o600))
		where := filepath.Base(rotten[n])
		if err := f.Storage.StartOrRefuse(); err != nil {
			if !errors.Is(err, fleet.ErrRefused) {
				t.Fatalf("bit %d of %s: %v", bit, where, err)
			}
			refusedStart++
			continue
		}
		got, refused, err := logsOf(ctx, f, c.rooms)
		if err != nil {
			t.Fatalf("bit %d of %s: %v", bit, where, err)
		}
		must(t, f.Storage.Kill())
		harmed := 0
		for room, log := range want {
			if got[room] == nil {
				harmed++
			} else if !bytes.Equal(got[room], log) {
				t.Errorf("bit %d of %s: %s reads differently, and nobody was told", bit, where, room)
			}
		}
		switch {
		case harmed > 1 && turn%2 == 0:
			t.Errorf("bit %d of %s: %d rooms are refused, want at most one: %v", bit, where, harmed, refused)
		case harmed > 0:
			refusedRoom++
		default:
			unharmed++
		}
	}
	if refusedStart+refusedRoom == 0 {
		t.Error("no damage was noticed: the test shows nothing")
	}
	t.Logf("%d damages: %d starts refused, %d with rooms refused, %d turned back or of no consequence; 0 wrong answers",
		refusedStart+refusedRoom+unharmed, refusedStart, refusedRoom, unharmed)
}

// restore makes a data directory what it was.
func restore(dir, sound string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.CopyFS(dir, os.DirFS(sound))
}

// logsOf loads rooms as they are: their records' bytes one after the other. Those that
// are refused as damaged are in refused, and not in logs.
func logsOf(ctx context.Context, f *fleet.Fleet, rooms []string) (logs map[string][]byte, refused, err error) {
	logs = make(map[string][]byte)
	for _, room := range rooms {
		stream, err := f.Store().Load(ctx, connect.NewRequest(&storagev1.LoadRequest{Room: room}))
		if err != nil {
			return nil, nil, err
		}
		log := []byte{}
		for stream.Receive() {
			log = append(log, stream.Msg().GetSnapshotChunk()...)
			for _, r := range stream.Msg().GetRecords().GetRecords() {
				log = append(log, r.GetData()...)
			}
		}
		err = stream.Err()
		stream.Close()
		if err != nil {
			if connect.CodeOf(err) != connect.CodeDataLoss && !strings.Contains(err.Error(), "damaged") {
				return nil, nil, err
			}
			refused = errors.Join(refused, err)
			continue
		}
		logs[room] = log
	}
	return logs, refused, nil
}
