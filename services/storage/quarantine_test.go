package storage_test

import (
	"bytes"
	"testing"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
)

// TestQuarantine keeps an update, over a restart, until it is discarded.
func TestQuarantine(t *testing.T) {
	s := start(t, testConfig(t.TempDir()))
	ctx := t.Context()
	data := bytes.Repeat([]byte("unusable "), 100_000)
	request := &storagev1.QuarantineRequest{Room: "doc", Seq: 7, Data: data, Reason: "malformed", Who: "rooms-1"}
	kept, err := s.client.Quarantine(ctx, connect.NewRequest(request))
	if err != nil {
		t.Fatal(err)
	}
	s.Reopen(t)
	list, err := s.client.ListQuarantine(ctx, connect.NewRequest(&storagev1.ListQuarantineRequest{}))
	if err != nil || len(list.Msg.GetItems()) != 1 {
		t.Fatalf("listed %v, %v", list, err)
	}
	item := list.Msg.GetItems()[0]
	if item.GetId() != kept.Msg.GetId() || item.GetKind() != storagev1.QuarantineKind_QUARANTINE_KIND_UPDATE ||
		item.GetSeq() != 7 || item.GetSize() != uint64(len(data)) || item.GetReason() != "malformed" || item.GetWho() != "rooms-1" || item.GetFoundUnixMs() == 0 {
		t.Errorf("listed %v", item)
	}
	stream, err := s.client.Export(ctx, connect.NewRequest(&storagev1.ExportRequest{Room: "doc", Id: item.GetId()}))
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for stream.Receive() {
		got = append(got, stream.Msg().GetUpdateChunk()...)
	}
	if err := stream.Err(); err != nil || !bytes.Equal(got, data) {
		t.Errorf("exported %d bytes, %v", len(got), err)
	}
	stream.Close()
	discard := &storagev1.DiscardRequest{Room: "doc", Id: item.GetId()}
	if _, err := s.client.Discard(ctx, connect.NewRequest(discard)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Discard(ctx, connect.NewRequest(discard)); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("discarded twice: %v", err)
	}
}

// TestCheck: an owner hears of its fence and of a deletion without a write, and of
// a full disk.
func TestCheck(t *testing.T) {
	config := testConfig(t.TempDir())
	config.MinFreeBytes = 1 << 62
	s := start(t, config)
	for _, room := range []string{"mine", "taken", "deleted"} {
		_, err := s.client.Claim(t.Context(), connect.NewRequest(&storagev1.ClaimRequest{Room: room}))
		if connect.CodeOf(err) != connect.CodeResourceExhausted {
			t.Fatalf("a claim on a full disk: %v", err)
		}
	}
	checkReady(t, s, false)
	s.stop()
	s.config.MinFreeBytes = 1
	s.open(t)
	checkReady(t, s, true)
	for _, room := range []string{"mine", "taken", "deleted"} {
		if _, err := s.Claim(t.Context(), room); err != nil {
			t.Fatal(err)
		}
		item := &storagev1.AppendItem{Room: room, Epoch: 1, Seq: 1, Data: []byte("x")}
		if _, err := s.client.Append(t.Context(), connect.NewRequest(&storagev1.AppendRequest{Items: []*storagev1.AppendItem{item}})); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Claim(t.Context(), "taken"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Delete(t.Context(), "deleted", 0); err != nil {
		t.Fatal(err)
	}
	var holdings []*storagev1.Holding
	for _, room := range []string{"mine", "taken", "deleted"} {
		holdings = append(holdings, &storagev1.Holding{Room: room, Epoch: 1})
	}
	response, err := s.client.Check(t.Context(), connect.NewRequest(&storagev1.CheckRequest{Holdings: holdings}))
	if err != nil {
		t.Fatal(err)
	}
	lapses := response.Msg.GetLapses()
	if response.Msg.GetNoSpace() || len(lapses) != 2 ||
		lapses[0].GetRoom() != "taken" || lapses[0].GetReason() != storagev1.ErrorReason_ERROR_REASON_FENCED || lapses[0].GetHeadEpoch() != 2 ||
		lapses[1].GetRoom() != "deleted" || lapses[1].GetReason() != storagev1.ErrorReason_ERROR_REASON_DELETED {
		t.Errorf("lapses %v", lapses)
	}
	_, err = s.client.Check(t.Context(), connect.NewRequest(&storagev1.CheckRequest{Holdings: make([]*storagev1.Holding, 10_001)}))
	if connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("10001 holdings: %v", err)
	}
}

// checkReady compares what Ready and Check say of the disk.
func checkReady(t *testing.T, s *server, want bool) {
	t.Helper()
	response, err := s.client.Check(t.Context(), connect.NewRequest(&storagev1.CheckRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	if ready := s.service.Ready() == nil; ready != want || response.Msg.GetNoSpace() == want {
		t.Errorf("ready %v (%v), no space %v; want ready %v", ready, s.service.Ready(), response.Msg.GetNoSpace(), want)
	}
}
