package memory

import (
	"bytes"
	"testing"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

// TestRepairs: what is asked of a store whose rooms can be damaged is done here too.
func TestRepairs(t *testing.T) {
	s := New(storetest.Limits)
	defer s.Close()
	head, err := s.Claim(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Append(t.Context(), []store.Item{{Room: "a", Epoch: 1, Seq: 1, Data: []byte("r")}}); r[0].Err != nil {
		t.Fatal(r[0].Err)
	}
	rebuild := func(seen store.Head) (store.Seq, error) {
		return s.Rebuild(t.Context(), store.Rebuilt{Room: "a", Seen: seen, Size: 5}, bytes.NewReader([]byte("whole")))
	}
	if _, err := rebuild(head); store.KindOf(err) != store.Conflict {
		t.Errorf("rebuilt from what was before a write: %v, want conflict", err)
	}
	if err := s.Scrap(t.Context(), "a", head); store.KindOf(err) != store.Conflict {
		t.Errorf("scrapped as it was before a write: %v, want conflict", err)
	}
	head.Last = 1
	if seq, err := rebuild(head); err != nil || seq != 2 {
		t.Fatalf("rebuilt at %d, %v", seq, err)
	}
	room, err := storetest.Adapt(s).Load(t.Context(), "a", 0)
	if err != nil || string(room.Snapshot) != "whole" || len(room.Records) != 0 || room.Epoch != 2 {
		t.Errorf("loaded %+v, %v", room, err)
	}
	if err := s.Scrap(t.Context(), "a", store.Head{Last: 2, Base: 2, SnapshotSeq: 2, SnapshotSize: 5}); err != nil {
		t.Fatal(err)
	}
	if rooms, _, err := s.List(t.Context(), store.Page{Limit: 1}); err != nil || len(rooms) != 0 {
		t.Errorf("listed after it was scrapped: %v, %v", rooms, err)
	}
}
