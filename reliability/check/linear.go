package check

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/reliability/tap"
)

// linearTime is how long one room's history may be thought about, on a machine that
// does ten other things.
const linearTime = 5 * time.Minute

// log is the model of one room in storage: whose turn it is, and what is kept.
type log struct {
	epoch, last uint64
	lastEpoch   uint64 // of the last record
	records     string // eight bytes a record
	claimed     uint64 // epochs that claims without an answer have taken
}

// call is an Op, and how many claims without an answer may have happened before it
// ended.
type call struct {
	tap.Op
	claims uint64
}

// model is the specification: what storage.proto says about one room, without
// snapshots, which change no answer that is looked at here.
var model = porcupine.Model{
	Init: func() any { return log{} },
	Step: func(state, input, _ any) (bool, any) {
		s, ok := state.(log)
		op, fine := input.(call)
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

// reaches lets claims without an answer happen until the room is in an epoch. They
// aren't in the history: porcupine would try each subset of those that haven't
// happened, and ten of them are too many.
func (s log) reaches(epoch uint64, op call) log {
	if epoch > s.epoch && s.claimed+epoch-s.epoch <= op.claims {
		s.claimed, s.epoch = s.claimed+epoch-s.epoch, epoch
	}
	return s
}

func (s log) claim(op call) (bool, any) {
	next := s.reaches(op.HeadEpoch-1, op)
	next.epoch++
	return op.HeadEpoch == next.epoch && op.HeadSeq == s.last, next
}

// append is a compare and set on (epoch, last). An unknown outcome has happened or
// not; where it hasn't, it stands at the end of the history, where nobody looks.
func (s log) append(op call) (bool, any) {
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
		s = s.reaches(op.Epoch+1, op)
		return op.Epoch < s.epoch, s
	case storagev1.AppendStatus_APPEND_STATUS_CONFLICT:
		return op.Epoch == s.epoch && op.Seq != s.last+1 && !s.has(op), s
	default:
		return false, s
	}
}

// has reports whether op's record is there already.
func (s log) has(op call) bool {
	at := (op.Seq - 1) * 8
	return op.Seq >= 1 && op.Seq <= s.last && op.Epoch == s.epoch &&
		binary.BigEndian.Uint64([]byte(s.records[at:at+8])) == op.Data
}

func (s log) load(op call) (bool, any) {
	s = s.reaches(op.HeadEpoch, op)
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
	var claims []time.Duration // when those without an answer began
	for _, op := range ops {
		if op.Kind == tap.Claim && op.Unknown {
			claims = append(claims, op.Call)
		}
	}
	slices.Sort(claims)
	var history []porcupine.Operation
	for _, op := range ops {
		if op.Kind == tap.Claim && op.Unknown {
			continue
		}
		returned := op.Return
		if op.Unknown {
			returned = math.MaxInt64
		}
		before, _ := slices.BinarySearch(claims, returned)
		history = append(history, porcupine.Operation{Input: call{op, uint64(before)}, Call: int64(op.Call), Return: int64(returned)})
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
