// Package storetest brings a store and the contract suite together.
package storetest

import (
	"bytes"
	"context"
	"errors"

	contract "github.com/fjord-sync/fjord/internal/contract/storage"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Limits are large enough for the contract suite, and small enough to hit.
var Limits = store.Limits{Record: 24 << 20, Snapshot: 64 << 20}

// Adapt returns s as the contract suite sees it.
func Adapt(s store.Store) contract.Store { return adapted{s} }

type adapted struct{ s store.Store }

var outcomes = map[store.Kind]contract.Outcome{
	store.Fenced: contract.Fenced, store.Deleted: contract.Deleted, store.Conflict: contract.Conflict,
	store.Invalid: contract.Invalid, store.Corrupt: contract.Corrupt, store.NoSpace: contract.NoSpace,
	store.Unknown: contract.Unknown, store.Closed: contract.Unknown,
}

// Outcome returns what the contract calls err.
func Outcome(err error) contract.Outcome {
	if err == nil {
		return contract.Stored
	}
	if o, ok := outcomes[store.KindOf(err)]; ok {
		return o
	}
	return contract.Unknown
}

func translate(err error) error {
	if store.KindOf(err) == 0 {
		return err
	}
	head := store.HeadOf(err)
	return &contract.Error{Outcome: Outcome(err), HeadEpoch: uint64(head.Epoch), HeadLast: uint64(head.Last), Text: err.Error()}
}

func position(h store.Head) contract.Position {
	return contract.Position{Epoch: uint64(h.Epoch), Last: uint64(h.Last), SnapshotSeq: uint64(h.SnapshotSeq)}
}

func (a adapted) Claim(ctx context.Context, room string) (contract.Position, error) {
	head, err := a.s.Claim(ctx, room)
	return position(head), translate(err)
}

func (a adapted) Append(ctx context.Context, items ...contract.Item) ([]contract.Result, error) {
	in := make([]store.Item, len(items))
	for i, item := range items {
		in[i] = store.Item{Room: item.Room, Epoch: store.Epoch(item.Epoch), Seq: store.Seq(item.Seq), Data: item.Data}
	}
	out := make([]contract.Result, 0, len(items))
	for _, r := range a.s.Append(ctx, in) {
		result := contract.Result{Outcome: Outcome(r.Err), HeadEpoch: uint64(r.Head.Epoch), HeadLast: uint64(r.Head.Last)}
		if r.Err != nil {
			result.Message = r.Err.Error()
		}
		out = append(out, result)
	}
	return out, nil
}

// gatherer is a store.Sink that keeps what it gets.
type gatherer struct{ room contract.Room }

func (g *gatherer) Head(h store.Head) error {
	if g.room.Epoch != 0 {
		return errors.New("a second head")
	}
	g.room.Position = position(h)
	return nil
}

func (g *gatherer) SnapshotChunk(chunk []byte) error {
	if len(g.room.Records) > 0 {
		return errors.New("a chunk after records")
	}
	g.room.Snapshot = append(g.room.Snapshot, chunk...)
	return nil
}

func (g *gatherer) Record(r store.Record) error {
	g.room.Records = append(g.room.Records, contract.Record{Seq: uint64(r.Seq), Data: bytes.Clone(r.Data)})
	return nil
}

func (a adapted) Load(ctx context.Context, room string, epoch uint64) (contract.Room, error) {
	var g gatherer
	if err := a.s.Load(ctx, room, store.Epoch(epoch), &g); err != nil {
		return contract.Room{}, translate(err)
	}
	return g.room, nil
}

func (a adapted) PutSnapshot(ctx context.Context, s contract.Snapshot) (uint64, error) {
	if s.Size == 0 {
		s.Size = uint64(len(s.Data))
	}
	snap := store.Snapshot{Room: s.Room, Epoch: store.Epoch(s.Epoch), Seq: store.Seq(s.Seq), Size: s.Size}
	trimmed, err := a.s.PutSnapshot(ctx, snap, bytes.NewReader(s.Data))
	return trimmed, translate(err)
}

func (a adapted) Delete(ctx context.Context, room string, epoch uint64) (bool, error) {
	existed, err := a.s.Delete(ctx, room, store.Epoch(epoch))
	return existed, translate(err)
}

func (a adapted) List(ctx context.Context, prefix, after string, limit int) (contract.Listing, error) {
	rooms, more, err := a.s.List(ctx, store.Page{Prefix: prefix, After: after, Limit: limit})
	l := contract.Listing{More: more}
	for _, info := range rooms {
		l.Rooms = append(l.Rooms, contract.Info{Room: info.Room, Position: position(info.Head), SnapshotSize: info.Head.SnapshotSize})
	}
	return l, translate(err)
}
