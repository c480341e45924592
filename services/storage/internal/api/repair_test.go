package api

import (
	"errors"
	"io"
	"testing"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// corrupt is what a damaged room answers.
var corrupt = store.Errorf(store.Corrupt, store.Head{}, "damaged")

// loaded reads room a to its end, however that ends.
func loaded(t *testing.T, client storagev1connect.StorageServiceClient) {
	t.Helper()
	load, err := client.Load(t.Context(), connect.NewRequest(&storagev1.LoadRequest{Room: "a"}))
	if err != nil {
		t.Fatal(err)
	}
	for load.Receive() {
	}
	load.Close()
}

// quarantined returns a client of a service over f, whose room a is in quarantine,
// and the item's id.
func quarantined(t *testing.T, f *fake) (storagev1connect.StorageServiceClient, string) {
	t.Helper()
	f.err = corrupt
	client, _ := serve(t, f)
	loaded(t, client)
	items := listed(t, client)
	if len(items) != 1 {
		t.Fatalf("in quarantine: %v, want the room", items)
	}
	return client, items[0].GetId()
}

func listed(t *testing.T, client storagev1connect.StorageServiceClient) []*storagev1.QuarantineItem {
	t.Helper()
	list, err := client.ListQuarantine(t.Context(), connect.NewRequest(&storagev1.ListQuarantineRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	return list.Msg.GetItems()
}

// repairs are what a room in quarantine may be when it is to be repaired: a crash
// between the two steps of a repair leaves the item, and the room lives on.
var repairs = []struct {
	name string
	now  error
	// repaired is how often the store is asked to.
	repaired int
	code     connect.Code
}{
	{"damaged", corrupt, 1, 0},
	{"whole", nil, 0, 0},
	{"deleted", store.Errorf(store.Deleted, store.Head{}, "deleted"), 0, 0},
	{"unknown", store.Errorf(store.Closed, store.Head{}, "closed"), 0, connect.CodeUnavailable},
}

// TestDiscard empties a room in quarantine only as long as it is damaged.
func TestDiscard(t *testing.T) {
	for _, test := range repairs {
		t.Run(test.name, func(t *testing.T) {
			f := &fake{}
			client, id := quarantined(t, f)
			f.err = test.now
			_, err := client.Discard(t.Context(), connect.NewRequest(&storagev1.DiscardRequest{Room: "a", Id: id}))
			if f.scrapped != test.repaired || (err == nil) != (test.code == 0) || (err != nil && connect.CodeOf(err) != test.code) {
				t.Errorf("scrapped %d times, %v; want %d, %v", f.scrapped, err, test.repaired, test.code)
			}
			if left := len(listed(t, client)); (left == 0) != (test.code == 0) {
				t.Errorf("%d items are left", left)
			}
		})
	}
}

// send makes a Rebuild of messages, as far as anybody reads them.
func send(t *testing.T, client storagev1connect.StorageServiceClient, messages ...*storagev1.RebuildRequest) (*connect.Response[storagev1.RebuildResponse], error) {
	t.Helper()
	stream := client.Rebuild(t.Context())
	for _, m := range messages {
		if err := stream.Send(m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return stream.CloseAndReceive()
}

func rebuildHeader(room, id string, size int) *storagev1.RebuildRequest {
	return &storagev1.RebuildRequest{Part: &storagev1.RebuildRequest_Header{Header: &storagev1.RebuildHeader{
		Room: room, Id: id, Size: uint64(size), Head: &storagev1.LoadHead{Epoch: 2, LastSeq: 6, BaseSeq: 4, SnapshotSeq: 4, SnapshotSize: 9},
	}}}
}

func rebuildPart(size int) *storagev1.RebuildRequest {
	return &storagev1.RebuildRequest{Part: &storagev1.RebuildRequest_Chunk{Chunk: make([]byte, size)}}
}

// TestRebuild replaces a room in quarantine only as long as it is damaged. One that
// isn't any more is told of before all is sent: nobody reads that.
func TestRebuild(t *testing.T) {
	const chunk, chunks = 1 << 20, 40 // far more than fits between the two
	for _, test := range repairs {
		t.Run(test.name, func(t *testing.T) {
			f := &fake{}
			client, id := quarantined(t, f)
			f.err = test.now
			messages := []*storagev1.RebuildRequest{rebuildHeader("a", id, chunk*chunks)}
			for range chunks {
				messages = append(messages, rebuildPart(chunk))
			}
			response, err := send(t, client, messages...)
			if len(f.rebuilt) != test.repaired || (err == nil) != (test.code == 0) || (err != nil && connect.CodeOf(err) != test.code) {
				t.Fatalf("rebuilt %d times, %v; want %d, %v", len(f.rebuilt), err, test.repaired, test.code)
			}
			if left := len(listed(t, client)); (left == 0) != (test.code == 0) {
				t.Errorf("%d items are left", left)
			}
			if test.repaired == 0 {
				return
			}
			want := store.Rebuilt{Room: "a", Size: chunk * chunks, Seen: store.Head{Epoch: 2, Last: 6, Base: 4, SnapshotSeq: 4, SnapshotSize: 9}}
			if f.rebuilt[0] != want || f.rebuiltBytes != chunk*chunks || response.Msg.GetSeq() != 7 {
				t.Errorf("rebuilt %+v of %d bytes at %d, want %+v", f.rebuilt[0], f.rebuiltBytes, response.Msg.GetSeq(), want)
			}
		})
	}
}

// TestRebuildOfWhat: a Rebuild is of a room that is in quarantine, and in order.
func TestRebuildOfWhat(t *testing.T) {
	f := &fake{}
	client, id := quarantined(t, f)
	update, err := client.Quarantine(t.Context(), connect.NewRequest(&storagev1.QuarantineRequest{Room: "a", Data: []byte("u")}))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		messages []*storagev1.RebuildRequest
		want     connect.Code
	}{
		"no message":    {nil, connect.CodeInvalidArgument},
		"no header":     {[]*storagev1.RebuildRequest{rebuildPart(1)}, connect.CodeInvalidArgument},
		"two headers":   {[]*storagev1.RebuildRequest{rebuildHeader("a", id, 1), rebuildHeader("a", id, 1)}, connect.CodeInvalidArgument},
		"an update":     {[]*storagev1.RebuildRequest{rebuildHeader("a", update.Msg.GetId(), 1)}, connect.CodeInvalidArgument},
		"nothing there": {[]*storagev1.RebuildRequest{rebuildHeader("b", id, 1)}, connect.CodeNotFound},
	} {
		if _, err := send(t, client, c.messages...); connect.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if items := listed(t, client); len(items) != 2 {
		t.Errorf("left in quarantine: %v", items)
	}
}

// TestDamageOfBefore: whoever still reads a damaged room when it has been repaired
// doesn't put it into quarantine again; whoever claims it, or writes to it, repairs
// nothing.
func TestDamageOfBefore(t *testing.T) {
	seen := store.Head{Epoch: 3, Last: 9, Base: 4, SnapshotSeq: 4, SnapshotSize: 5}
	claimed := seen.Claim()
	written := claimed
	written.Last++
	scrapped, _, err := seen.Delete(0)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		seen, now store.Head
		left      int
	}{
		"as it was":                 {seen, seen, 1},
		"claimed":                   {seen, claimed, 1},
		"claimed and written":       {seen, written, 1},
		"rebuilt":                   {seen, seen.Rebuild(5), 0},
		"scrapped":                  {seen, scrapped, 0},
		"scrapped, and claimed":     {seen, scrapped.Claim(), 0},
		"without a head, and whole": {store.Head{}, seen.Rebuild(5), 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{err: store.Errorf(store.Corrupt, c.seen, "damaged"), now: c.now.Owner(c.seen.Epoch)}
			if f.now == nil {
				f.now = errors.New("nobody took it")
			}
			client, _ := serve(t, f)
			loaded(t, client)
			if left := len(listed(t, client)); left != c.left {
				t.Errorf("%d items in quarantine, want %d", left, c.left)
			}
		})
	}
}
