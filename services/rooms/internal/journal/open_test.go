package journal_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// Client 7 types "a", then "b".
var (
	letterA = []byte{1, 1, 7, 0, 4, 1, 1, 't', 1, 'a', 0}
	letterB = []byte{1, 1, 7, 1, 0x84, 7, 0, 1, 'b', 0}
)

func head(h *storagev1.LoadHead) *storagev1.LoadResponse {
	return &storagev1.LoadResponse{Part: &storagev1.LoadResponse_Head{Head: h}}
}

func chunk(bytes ...byte) *storagev1.LoadResponse {
	return &storagev1.LoadResponse{Part: &storagev1.LoadResponse_SnapshotChunk{SnapshotChunk: bytes}}
}

func records(first uint64, updates ...[]byte) *storagev1.LoadResponse {
	var list []*storagev1.Record
	for i, u := range updates {
		list = append(list, &storagev1.Record{Seq: first + uint64(i), Data: room.AppendRecord(nil, [][]byte{u})})
	}
	return &storagev1.LoadResponse{Part: &storagev1.LoadResponse_Records{Records: &storagev1.LoadRecords{Records: list}}}
}

// streams is a load that streams some messages.
func streams(messages ...*storagev1.LoadResponse) func(context.Context, *storagev1.LoadRequest, func(*storagev1.LoadResponse) error) error {
	return func(_ context.Context, _ *storagev1.LoadRequest, send func(*storagev1.LoadResponse) error) error {
		for _, m := range messages {
			if err := send(m); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestOpenBuildsTheDocument(t *testing.T) {
	snapshot := room.AppendSnapshot(nil, letterA)
	for name, test := range map[string]struct {
		messages []*storagev1.LoadResponse
		vector   string
		seq      uint64
		records  int
	}{
		"never written": {[]*storagev1.LoadResponse{head(&storagev1.LoadHead{Epoch: 5})}, "\x00", 0, 0},
		"records": {[]*storagev1.LoadResponse{
			head(&storagev1.LoadHead{Epoch: 5, LastSeq: 2}), records(1, letterA), records(2, letterB),
		}, "\x01\x07\x02", 2, 2},
		"snapshot in parts": {[]*storagev1.LoadResponse{
			head(&storagev1.LoadHead{Epoch: 5, LastSeq: 9, SnapshotSeq: 9, BaseSeq: 9, SnapshotSize: uint64(len(snapshot))}),
			chunk(snapshot[:3]...), chunk(snapshot[3:]...),
		}, "\x01\x07\x01", 9, 0},
		"snapshot and records": {[]*storagev1.LoadResponse{
			head(&storagev1.LoadHead{Epoch: 5, LastSeq: 10, SnapshotSeq: 9, BaseSeq: 9, SnapshotSize: uint64(len(snapshot))}),
			chunk(snapshot...), records(10, letterB),
		}, "\x01\x07\x02", 10, 1},
		"deleted and begun anew": {[]*storagev1.LoadResponse{
			head(&storagev1.LoadHead{Epoch: 5, LastSeq: 5, BaseSeq: 4}), records(5, letterA),
		}, "\x01\x07\x01", 5, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked *storagev1.LoadRequest
				s := &scripted{
					claim: func(_ context.Context, r *storagev1.ClaimRequest) (*storagev1.ClaimResponse, error) {
						if r.GetRoom() != "doc" || r.GetOwner() != "test" {
							t.Errorf("claimed with %v", r)
						}
						return &storagev1.ClaimResponse{Epoch: 5}, nil
					},
					load: func(ctx context.Context, r *storagev1.LoadRequest, send func(*storagev1.LoadResponse) error) error {
						asked = r
						return streams(test.messages...)(ctx, r, send)
					},
				}
				j, _ := open(t, s)
				load, err := j.Open(t.Context(), "doc")
				if err != nil {
					t.Fatal(err)
				}
				if asked.GetEpoch() != 5 {
					t.Errorf("loaded with epoch %d, want the claimed one", asked.GetEpoch())
				}
				if load.Epoch != 5 || load.Seq != test.seq || load.Records != test.records || string(load.Document.StateVector()) != test.vector {
					t.Errorf("epoch %d, seq %d, %d records, vector %x", load.Epoch, load.Seq, load.Records, load.Document.StateVector())
				}
			})
		})
	}
}

// Law 6: what isn't the whole document is no document. It is refused at once,
// since it won't be better in a second.
func TestOpenRefusesWhatIsNotWhole(t *testing.T) {
	snapshot := room.AppendSnapshot(nil, letterA)
	full := &storagev1.LoadHead{LastSeq: 9, SnapshotSeq: 9, BaseSeq: 9, SnapshotSize: uint64(len(snapshot))}
	for name, test := range map[string]struct {
		messages []*storagev1.LoadResponse
		want     string
	}{
		"nothing":             {nil, "no head"},
		"no head":             {[]*storagev1.LoadResponse{records(1, letterA)}, "no head"},
		"chunk before head":   {[]*storagev1.LoadResponse{chunk(1)}, "out of place"},
		"two heads":           {[]*storagev1.LoadResponse{head(&storagev1.LoadHead{}), head(&storagev1.LoadHead{})}, "second head"},
		"empty part":          {[]*storagev1.LoadResponse{{}}, "unknown kind"},
		"first is missing":    {[]*storagev1.LoadResponse{head(&storagev1.LoadHead{LastSeq: 2}), records(2, letterB)}, "record 2 where 1 belongs"},
		"hole":                {[]*storagev1.LoadResponse{head(&storagev1.LoadHead{LastSeq: 3}), records(1, letterA), records(3, letterB)}, "record 3 where 2 belongs"},
		"twice":               {[]*storagev1.LoadResponse{head(&storagev1.LoadHead{LastSeq: 2}), records(1, letterA), records(1, letterA)}, "record 1 where 2 belongs"},
		"last is missing":     {[]*storagev1.LoadResponse{head(&storagev1.LoadHead{LastSeq: 2}), records(1, letterA)}, "ends before record 2"},
		"more than the head":  {[]*storagev1.LoadResponse{head(&storagev1.LoadHead{LastSeq: 1}), records(1, letterA, letterB)}, "its head is at 1"},
		"all are missing":     {[]*storagev1.LoadResponse{head(&storagev1.LoadHead{LastSeq: 2})}, "ends before record 1"},
		"not an update":       {[]*storagev1.LoadResponse{head(&storagev1.LoadHead{LastSeq: 1}), records(1, []byte{1, 1, 7})}, "update 1 of record 1 can't be applied, nor put into quarantine"},
		"short snapshot":      {[]*storagev1.LoadResponse{head(full), chunk(snapshot[1:]...)}, "bytes"},
		"long snapshot":       {[]*storagev1.LoadResponse{head(full), chunk(snapshot...), chunk(0)}, "longer than its"},
		"snapshot is missing": {[]*storagev1.LoadResponse{head(full)}, "has 0 of 12 bytes"},
		"snapshot of nothing": {[]*storagev1.LoadResponse{head(&storagev1.LoadHead{LastSeq: 9, SnapshotSeq: 9, BaseSeq: 9})}, "no snapshot"},
		"snapshot for nothing": {[]*storagev1.LoadResponse{
			head(&storagev1.LoadHead{LastSeq: 0, SnapshotSize: uint64(len(snapshot))}), chunk(snapshot...),
		}, "stands for no records"},
		"snapshot elsewhere": {[]*storagev1.LoadResponse{
			head(&storagev1.LoadHead{LastSeq: 9, SnapshotSeq: 9, BaseSeq: 8, SnapshotSize: uint64(len(snapshot))}), chunk(snapshot...), records(9, letterB),
		}, "they begin after 8"},
		"chunk among records": {[]*storagev1.LoadResponse{head(&storagev1.LoadHead{LastSeq: 1}), records(1, letterA), chunk(1)}, "out of place"},
		"snapshot of a newer build": {[]*storagev1.LoadResponse{
			head(&storagev1.LoadHead{LastSeq: 9, SnapshotSeq: 9, BaseSeq: 9, SnapshotSize: 3}), chunk(2, 0, 0),
		}, "version 2"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				loads := 0
				j, _ := open(t, &scripted{load: func(ctx context.Context, r *storagev1.LoadRequest, send func(*storagev1.LoadResponse) error) error {
					loads++
					return streams(test.messages...)(ctx, r, send)
				}})
				load, err := j.Open(t.Context(), "doc")
				if err == nil || load != nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want %q", err, test.want)
				}
				if loads != 1 {
					t.Errorf("loaded %d times, want once", loads)
				}
			})
		})
	}
}

func TestOpenTriesAgainOrNot(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		again bool
	}{
		"unavailable": {connect.NewError(connect.CodeUnavailable, errors.New("restarting")), true},
		"deadline":    {connect.NewError(connect.CodeDeadlineExceeded, errors.New("slow")), true},
		"fenced":      {connect.NewError(connect.CodeFailedPrecondition, errors.New("claimed by another")), true},
		"data loss":   {connect.NewError(connect.CodeDataLoss, errors.New("checksum")), false},
		"no space":    {connect.NewError(connect.CodeResourceExhausted, errors.New("full")), false},
		"invalid":     {connect.NewError(connect.CodeInvalidArgument, errors.New("name")), false},
		"a bug":       {connect.NewError(connect.CodeInternal, errors.New("bug")), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				claims := 0
				j, _ := open(t, &scripted{
					claim: func(context.Context, *storagev1.ClaimRequest) (*storagev1.ClaimResponse, error) {
						claims++
						return &storagev1.ClaimResponse{Epoch: uint64(claims)}, nil
					},
					load: func(ctx context.Context, r *storagev1.LoadRequest, send func(*storagev1.LoadResponse) error) error {
						if claims < 3 {
							return test.err
						}
						return streams(head(&storagev1.LoadHead{}))(ctx, r, send)
					},
				})
				load, err := j.Open(t.Context(), "doc")
				switch {
				case test.again && (err != nil || load.Epoch != 3):
					t.Errorf("%v after %d claims, want the room with its third epoch", err, claims)
				case !test.again && (connect.CodeOf(err) != connect.CodeOf(test.err) || claims != 1):
					t.Errorf("%v after %d claims, want %v at once", err, claims, test.err)
				}
			})
		})
	}
}

// Joiners are told after ten seconds, whether storage refuses or is silent.
func TestOpenLosesPatience(t *testing.T) {
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	claim := func(context.Context, *storagev1.ClaimRequest) (*storagev1.ClaimResponse, error) {
		return &storagev1.ClaimResponse{Epoch: 1}, nil
	}
	for name, s := range map[string]*scripted{
		"away": {claim: func(context.Context, *storagev1.ClaimRequest) (*storagev1.ClaimResponse, error) {
			return nil, connect.NewError(connect.CodeUnavailable, errors.New("away"))
		}},
		"silent": {claim: func(ctx context.Context, _ *storagev1.ClaimRequest) (*storagev1.ClaimResponse, error) {
			return nil, hang(ctx)
		}},
		"silent while loading": {claim: claim, load: func(ctx context.Context, _ *storagev1.LoadRequest, _ func(*storagev1.LoadResponse) error) error {
			return hang(ctx)
		}},
		"silent in the midst": {claim: claim, load: func(ctx context.Context, _ *storagev1.LoadRequest, send func(*storagev1.LoadResponse) error) error {
			return errors.Join(send(head(&storagev1.LoadHead{LastSeq: 1})), hang(ctx))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, _ := open(t, s)
				began := time.Now()
				if _, err := j.Open(t.Context(), "doc"); err == nil {
					t.Error("opened")
				}
				if took := time.Since(began); took < 5*time.Second || took > 15*time.Second {
					t.Errorf("took %v, want about ten seconds", took)
				}
			})
		})
	}
}

// A large document that takes its time is waited for as long as it comes.
func TestOpenWaitsForASlowLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _ := open(t, &scripted{load: func(_ context.Context, _ *storagev1.LoadRequest, send func(*storagev1.LoadResponse) error) error {
			err := send(head(&storagev1.LoadHead{LastSeq: 20}))
			for seq := range uint64(20) {
				time.Sleep(5 * time.Second)
				err = errors.Join(err, send(records(seq+1, letterA)))
			}
			return err
		}})
		if load, err := j.Open(t.Context(), "doc"); err != nil || load.Seq != 20 {
			t.Errorf("%v, want the room", err)
		}
	})
}

// A process that goes doesn't wait for rooms to open.
func TestOpenEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _ := open(t, &scripted{claim: func(ctx context.Context, _ *storagev1.ClaimRequest) (*storagev1.ClaimResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := j.Open(ctx, "doc"); err == nil || time.Since(began) > 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// What the first update to a loaded document would have to work out, in the room's
// loop, is worked out beside it. What applying it allocates tells.
func TestOpenPrepares(t *testing.T) {
	const n = 50_000
	arrays := append([]byte{1, 0xd0, 0x86, 3, 9, 0}, bytes.Repeat([]byte{7, 1, 1, 'a', 0}, n)...)
	snapshot := room.AppendSnapshot(nil, append(arrays, 0))
	s := &scripted{
		load: streams(head(&storagev1.LoadHead{Epoch: 5, LastSeq: 9, SnapshotSeq: 9, BaseSeq: 9, SnapshotSize: uint64(len(snapshot))}),
			chunk(snapshot...)),
	}
	j, _ := open(t, s)
	load, err := j.Open(t.Context(), "doc")
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := load.Document.ApplyUpdate([]byte{1, 1, 7, 0, 7, 1, 1, 'a', 0, 0}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > n {
		t.Errorf("%d bytes for the first update", got)
	}
}
