package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
)

// A room whose bytes on disk are damaged is refused. An operator makes it anew of
// what can be read, or forgets it; either way it can be edited again, and is what
// another process loads.
func TestReleaseOfADamagedRoom(t *testing.T) {
	for action, want := range map[roomsv1.ReleaseAction][]byte{
		roomsv1.ReleaseAction_RELEASE_ACTION_RESTORE: {3, 9, 1, 2, 1, 1, 1}, // what the second record said is lost
		roomsv1.ReleaseAction_RELEASE_ACTION_DROP:    {1, 9, 1},
	} {
		t.Run(action.String(), func(t *testing.T) {
			healthy := t.TempDir()
			p := openPairIn(t, healthy, 1)
			for _, update := range [][]byte{typed(1, 0), typed(1, 1), typed(2, 0)} {
				p.apply(t, 0, update)
			}
			damaged := t.TempDir()
			copyDir(t, healthy, damaged)
			damageRecord(t, damaged, typed(1, 1))
			p = openPairIn(t, damaged, 2)

			edit := &roomsv1.ApplyUpdateRequest{Room: "doc", Update: typed(9, 0)}
			if _, err := p.documents[0].ApplyUpdate(t.Context(), connect.NewRequest(edit)); err == nil {
				t.Fatal("the damaged room takes an update")
			}
			items := p.quarantined(t)
			if len(items) != 1 || items[0].GetKind() != storagev1.QuarantineKind_QUARANTINE_KIND_ROOM || items[0].GetRoom() != "doc" {
				t.Fatalf("in quarantine: %v", items)
			}
			request := &roomsv1.ReleaseRequest{Room: "doc", Id: items[0].GetId(), Action: action}
			response, err := p.operators[0].Release(t.Context(), connect.NewRequest(request))
			if err != nil {
				t.Fatal(err)
			}
			if restored := action == roomsv1.ReleaseAction_RELEASE_ACTION_RESTORE; restored && response.Msg.GetRecords() != 2 {
				t.Errorf("%d records could be read, want 2 of 3", response.Msg.GetRecords())
			}
			p.applySoon(t, edit)
			for process := range 2 {
				if got := p.vector(t, process); !bytes.Equal(got, want) {
					t.Errorf("process %d has %v, want %v", process, got, want)
				}
			}
			if items := p.quarantined(t); len(items) != 0 {
				t.Errorf("still in quarantine: %v", items)
			}
		})
	}
}

// copyDir copies the files of a store that runs, as a crash would leave them.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(from, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, entry.Name()), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// damageRecord changes the record of room doc that holds one update, in Badger's
// log, and makes Badger's own checksum right again:
//
//	entry = meta(2) key length, value length, expiry (varints) key value crc(4)
//	key   = 'r' 3 "doc" seq(8) version(8)
//	value = 0 epoch(8) crc(4) record
func damageRecord(t *testing.T, dir string, update []byte) {
	t.Helper()
	record := append([]byte{1, 1, byte(len(update))}, update...)
	logs, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range logs {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(data, record)
		if at < 0 {
			continue
		}
		const header, key, sums = 2 + 3, 1 + 1 + 3 + 8 + 8, 1 + 8 + 4
		begin, end := at-sums-key-header, at+len(record)
		table := crc32.MakeTable(crc32.Castagnoli)
		if got := binary.BigEndian.Uint32(data[end:]); got != crc32.Checksum(data[begin:end], table) {
			t.Fatal("an entry of Badger's log isn't where this test looks for it")
		}
		data[at+1] ^= 0x55
		binary.BigEndian.PutUint32(data[end:], crc32.Checksum(data[begin:end], table))
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no log of %v has the record", logs)
}
