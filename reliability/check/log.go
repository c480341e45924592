package check

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/reliability/tap"
)

// Stored is a room's log as storage has it.
type Stored struct {
	Head    *storagev1.LoadHead
	Records []tap.Entry
}

// Log loads a room from storage and checks that its seqs have no gaps: the
// snapshot stands for 1 to its seq, the records follow one by one to the head.
func Log(ctx context.Context, storage storagev1connect.StorageServiceClient, room string) (Stored, error) {
	var s Stored
	stream, err := storage.Load(ctx, connect.NewRequest(&storagev1.LoadRequest{Room: room}))
	if err != nil {
		return s, err
	}
	defer stream.Close()
	snapshot := uint64(0)
	for stream.Receive() {
		m := stream.Msg()
		if head := m.GetHead(); head != nil {
			s.Head = head
		}
		snapshot += uint64(len(m.GetSnapshotChunk()))
		for _, r := range m.GetRecords().GetRecords() {
			s.Records = append(s.Records, tap.Entry{Seq: r.GetSeq(), Data: tap.Sum(r.GetData())})
		}
	}
	if err := stream.Err(); err != nil {
		return s, fmt.Errorf("log of %s: %w", room, err)
	}
	if s.Head == nil {
		return s, fmt.Errorf("log of %s: no head", room)
	}
	if snapshot != s.Head.GetSnapshotSize() {
		return s, fmt.Errorf("LOG: %s: the snapshot has %d bytes, the head says %d", room, snapshot, s.Head.GetSnapshotSize())
	}
	next := s.Head.GetBaseSeq() + 1
	for _, r := range s.Records {
		if r.Seq != next {
			return s, fmt.Errorf("LOG: %s: record %d where %d should be", room, r.Seq, next)
		}
		next++
	}
	if next != s.Head.GetLastSeq()+1 {
		return s, fmt.Errorf("LOG: %s: records end at %d, the head says %d", room, next-1, s.Head.GetLastSeq())
	}
	return s, nil
}

// Calls checks the calls between rooms and storage: epochs rise with every claim
// and are given to one caller once, only the owner of an epoch writes in it, and
// each room's history is linearizable. stored has the logs at the end, by room.
func Calls(ops []tap.Op, stored map[string]Stored) error {
	byRoom := make(map[string][]tap.Op)
	for _, op := range ops {
		byRoom[op.Room] = append(byRoom[op.Room], op)
	}
	var errs []error
	for room, ops := range byRoom {
		if err := errors.Join(owners(ops), records(ops, stored[room]), linearizable(ops)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", room, err))
		}
	}
	return errors.Join(errs...)
}

// owners checks that an epoch is given once, that a later claim has a higher one,
// and that whoever writes in an epoch has claimed it (or his claim's answer was
// lost, and then nobody else has it).
func owners(ops []tap.Op) error {
	type claim struct{ port, owner string }
	owner := make(map[uint64]claim)
	var errs []error
	for _, op := range ops {
		if op.Kind != tap.Claim || op.Unknown {
			continue
		}
		if before, ok := owner[op.HeadEpoch]; ok {
			errs = append(errs, fmt.Errorf("OWNERS: epoch %d was given to %v and to %s at %s", op.HeadEpoch, before, op.Owner, op.Port))
		}
		owner[op.HeadEpoch] = claim{op.Port, op.Owner}
		for _, earlier := range ops {
			if earlier.Kind == tap.Claim && !earlier.Unknown && earlier.Return < op.Call && earlier.HeadEpoch >= op.HeadEpoch {
				errs = append(errs, fmt.Errorf("OWNERS: epoch %d was given after epoch %d", op.HeadEpoch, earlier.HeadEpoch))
			}
		}
	}
	for _, op := range ops {
		if op.Kind != tap.Append || op.Unknown || op.Status != storagev1.AppendStatus_APPEND_STATUS_STORED {
			continue
		}
		if o, ok := owner[op.Epoch]; !ok || o.port != op.Port {
			errs = append(errs, fmt.Errorf("OWNERS: %s stored record %d in epoch %d, which is %v's", op.Port, op.Seq, op.Epoch, o))
		}
	}
	return errors.Join(errs...)
}

// records checks that what was answered as stored is what the log has there now.
func records(ops []tap.Op, s Stored) error {
	if s.Head == nil {
		return nil
	}
	have := make(map[uint64]uint64, len(s.Records))
	for _, r := range s.Records {
		have[r.Seq] = r.Data
	}
	said := make(map[uint64]bool, len(s.Records))
	var errs []error
	for _, op := range ops {
		if op.Kind != tap.Append {
			continue
		}
		if data, ok := have[op.Seq]; ok && data == op.Data {
			said[op.Seq] = true
		}
		if op.Unknown || op.Status != storagev1.AppendStatus_APPEND_STATUS_STORED || op.Seq <= s.Head.GetBaseSeq() {
			continue
		}
		if have[op.Seq] != op.Data {
			errs = append(errs, fmt.Errorf("LOG: record %d was stored in epoch %d, and isn't what the log has there", op.Seq, op.Epoch))
		}
	}
	for seq := range have {
		if !said[seq] {
			errs = append(errs, fmt.Errorf("LOG: record %d is nothing that anybody sent for that seq", seq))
		}
	}
	return errors.Join(errs...)
}
