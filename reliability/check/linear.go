package check

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/reliability/tap"
)

// linearTime is how long one room's history may be thought about.
const linearTime = 20 * time.Second

// log is the model of one room in storage: whose turn it is, and what is kept.
type log struct {
	epoch, last uint64
	lastEpoch   uint64 // of the last record
	records     string // eight bytes a record
}

// model is the specification: what storage.proto says about one room, without
// snapshots, which change no answer that is looked at here.
var model = porcupine.Model{
	Init: func() any { return log{} },
	Step: func(state, input, _ any) (bool, any) {
		s, ok := state.(log)
		op, fine := input.(tap.Op)
		if !ok || !fine {
			return false, state
		}
		switch op.Kind {
		case tap.Claim:
			return s.claim(op)
		case tap.Append:
			return s.append(op)
		case tap.Load:
			return s.load(op)
		default:
			return false, state
		}
	},
	Equal:             func(a, b any) bool { return a == b },
	DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
}

func (s log) claim(op tap.Op) (bool, any) {
	next := s
	next.epoch++
	if op.Unknown {
		return true, next
	}
	return op.HeadEpoch == next.epoch && op.HeadSeq == s.last, next
}

// append is a compare and set on (epoch, last). An unknown outcome has happened or
// not; where it hasn't, it stands at the end of the history, where nobody looks.
func (s log) append(op tap.Op) (bool, any) {
	next := s
	next.last, next.lastEpoch = op.Seq, op.Epoch
	next.records += string(binary.BigEndian.AppendUint64(nil, op.Data))
	fits := op.Epoch == s.epoch && op.Seq == s.last+1
	if op.Unknown || op.Status == storagev1.AppendStatus_APPEND_STATUS_NO_SPACE {
		if fits && op.Unknown {
			return true, next
		}
		return true, s
	}
	switch op.Status {
	case storagev1.AppendStatus_APPEND_STATUS_STORED:
		if fits {
			return true, next
		}
		return s.has(op), s
	case storagev1.AppendStatus_APPEND_STATUS_FENCED:
		return op.Epoch < s.epoch, s
	case storagev1.AppendStatus_APPEND_STATUS_CONFLICT:
		return op.Epoch == s.epoch && op.Seq != s.last+1 && !s.has(op), s
	default:
		return false, s
	}
}

// has reports whether op's record is there already.
func (s log) has(op tap.Op) bool {
	at := (op.Seq - 1) * 8
	return op.Seq >= 1 && op.Seq <= s.last && op.Epoch == s.epoch &&
		binary.BigEndian.Uint64([]byte(s.records[at:at+8])) == op.Data
}

func (s log) load(op tap.Op) (bool, any) {
	if op.HeadSeq != s.last || op.HeadEpoch != s.epoch || uint64(len(op.Records)) != s.last-op.Base {
		return false, s
	}
	for _, r := range op.Records {
		at := (r.Seq - 1) * 8
		if at+8 > uint64(len(s.records)) || binary.BigEndian.Uint64([]byte(s.records[at:at+8])) != r.Data {
			return false, s
		}
	}
	return true, s
}

// linearizable asks porcupine whether the calls about one room can be put into an
// order that fits their times and the model. An unknown outcome is an interval
// without an end.
func linearizable(ops []tap.Op) error {
	history := make([]porcupine.Operation, len(ops))
	for i, op := range ops {
		returned := int64(op.Return)
		if op.Unknown {
			returned = math.MaxInt64
		}
		history[i] = porcupine.Operation{Input: op, Call: int64(op.Call), Return: returned}
	}
	switch porcupine.CheckOperationsTimeout(model, history, linearTime) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return fmt.Errorf("LINEAR: %d calls weren't decided within %v", len(ops), linearTime)
	default:
		return errors.New("LINEAR: the history of claims, appends and loads is not linearizable")
	}
}
