package journal_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/journal"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

// none expects no compacted document.
func none(*yjs.Document) { panic("a document that nobody wanted compacted") }

// keepIn keeps what is sent of a snapshot.
func keepIn(sent *[]byte) func(context.Context, []*storagev1.PutSnapshotRequest) error {
	return func(_ context.Context, messages []*storagev1.PutSnapshotRequest) error {
		for _, m := range messages[1:] {
			*sent = append(*sent, m.GetChunk()...)
		}
		return nil
	}
}

func TestPutSnapshotSendsItInChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state := bytes.Repeat([]byte("0123456789"), 100_000)
		data := room.AppendSnapshot(nil, state)
		var got []byte
		j, _ := open(t, &scripted{put: func(_ context.Context, messages []*storagev1.PutSnapshotRequest) error {
			want := &storagev1.SnapshotHeader{Room: "doc", Epoch: 3, Seq: 9, Size: uint64(len(data))}
			if !proto.Equal(messages[0].GetHeader(), want) {
				t.Errorf("header %v, want %v", messages[0].GetHeader(), want)
			}
			for _, m := range messages[1:] {
				if n := len(m.GetChunk()); n == 0 || n > 256<<10 {
					t.Errorf("a chunk of %d bytes", n)
				}
				got = append(got, m.GetChunk()...)
			}
			return nil
		}})
		o := outcomes{}
		j.PutSnapshot("doc", room.Snapshot{Epoch: 3, Seq: 9, State: state}, none, o.of("doc"))
		o.want(t, "doc", isStored)
		if !bytes.Equal(got, data) {
			t.Errorf("%d bytes arrived of %d", len(got), len(data))
		}
	})
}

// What is deleted isn't sent, and the compacted document comes back, before the
// outcome. A state that can't be compacted costs the snapshot only.
func TestPutSnapshotCompacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []byte
		j, _ := open(t, &scripted{put: keepIn(&sent)})
		o := outcomes{}
		var compacted *yjs.Document
		// Client 7 wrote ten letters and deleted them.
		state := append([]byte{1, 1, 7, 0, 4, 1, 1, 't', 10}, "0123456789"...)
		state = append(state, 1, 7, 1, 0, 10)
		j.PutSnapshot("doc", room.Snapshot{Epoch: 3, Seq: 9, State: state, Compact: room.Collect}, func(d *yjs.Document) { compacted = d }, o.of("doc"))
		o.want(t, "doc", isStored)
		if bytes.Contains(sent, []byte("0123456789")) || len(sent) == 0 {
			t.Errorf("% x was sent, want it without what is deleted", sent)
		}
		if compacted == nil || compacted.Size() != len(sent)-1 || !compacted.Contains(state) {
			t.Errorf("the compacted document isn't the one that was sent")
		}
		j.PutSnapshot("bad", room.Snapshot{Epoch: 3, Seq: 9, State: state[:9], Compact: room.Collect}, none, o.of("bad"))
		o.want(t, "bad", wantMessage("a document's own state"))
	})
}

// A document that makes the engine panic is stored as it is, so that its log doesn't
// grow for ever.
func TestPutSnapshotThatCannotBeCompacted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []byte
		j, _ := open(t, &scripted{put: keepIn(&sent)})
		o := outcomes{}
		panics := func(*yjs.Document) { panic("a document that nobody thought of") }
		j.PutSnapshot("doc", room.Snapshot{Epoch: 3, Seq: 9, State: letterA, Compact: panics}, none, o.of("doc"))
		o.want(t, "doc", isStored)
		if want := room.AppendSnapshot(nil, letterA); !bytes.Equal(sent, want) {
			t.Errorf("% x was sent, want % x", sent, want)
		}
	})
}

// A snapshot is tried once: its records are still there.
func TestPutSnapshotTellsWhyItFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		j, _ := open(t, &scripted{put: func(context.Context, []*storagev1.PutSnapshotRequest) error {
			tries++
			return connect.NewError(connect.CodeFailedPrecondition, errors.New("epoch 3 is stale"))
		}})
		o := outcomes{}
		j.PutSnapshot("doc", room.Snapshot{Epoch: 3, Seq: 9, State: []byte{0, 0}}, none, o.of("doc"))
		o.want(t, "doc", wantMessage("epoch 3 is stale"))
		time.Sleep(time.Hour)
		if tries != 1 {
			t.Errorf("%d tries, want one", tries)
		}
	})
}

// refusing answers a snapshot without reading it.
type refusing struct{ *scripted }

func (r refusing) PutSnapshot(context.Context, *connect.ClientStream[storagev1.PutSnapshotRequest]) (*connect.Response[storagev1.PutSnapshotResponse], error) {
	return nil, connect.NewError(connect.CodeResourceExhausted, errors.New("the disk is full"))
}

// The reason is told by the answer, not by the send that fails because of it.
func TestPutSnapshotRefusedInTheMidst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _ := openHandler(t, refusing{&scripted{}})
		o := outcomes{}
		j.PutSnapshot("doc", room.Snapshot{Epoch: 3, Seq: 9, State: make([]byte, 8<<20)}, none, o.of("doc"))
		o.want(t, "doc", wantMessage("the disk is full"))
	})
}

func TestPutSnapshotThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _ := open(t, &scripted{put: func(ctx context.Context, _ []*storagev1.PutSnapshotRequest) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		o := outcomes{}
		j.PutSnapshot("doc", room.Snapshot{Epoch: 3, Seq: 9, State: []byte{0, 0}}, none, o.of("doc"))
		o.open(t, "doc")
		time.Sleep(3 * time.Minute)
		o.want(t, "doc", func(err error) bool { return err != nil })
	})
}

func TestPutSnapshotEndsInClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _ := open(t, &scripted{put: func(ctx context.Context, _ []*storagev1.PutSnapshotRequest) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		o := outcomes{}
		s := room.Snapshot{Epoch: 3, Seq: 9, State: []byte{0, 0}}
		j.PutSnapshot("doc", s, none, o.of("doc"))
		synctest.Wait()
		j.Close()
		j.PutSnapshot("late", s, none, o.of("late"))
		o.want(t, "doc", func(err error) bool { return err != nil })
		o.want(t, "late", func(err error) bool { return errors.Is(err, journal.ErrClosed) })
	})
}

func TestReadySaysWhyNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _ := open(t, &scripted{})
		if err := j.Ready(); err == nil || !strings.Contains(err.Error(), "storage doesn't answer") {
			t.Errorf("%v, want what storage said", err)
		}
	})
}
