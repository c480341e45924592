package check

import (
	"testing"
	"time"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/reliability/tap"
)

// history is calls about one room, one after the other.
type history []tap.Op

func (h *history) say(op tap.Op) {
	op.Call = time.Duration(2 * len(*h))
	op.Return = op.Call + 1
	*h = append(*h, op)
}

func (h *history) claim(epoch, last uint64) {
	h.say(tap.Op{Kind: tap.Claim, HeadEpoch: epoch, HeadSeq: last})
}

func (h *history) claimInVain(n int) {
	for range n {
		h.say(tap.Op{Kind: tap.Claim, Unknown: true})
	}
}

func (h *history) append(epoch, seq uint64, status storagev1.AppendStatus) {
	h.say(tap.Op{Kind: tap.Append, Epoch: epoch, Seq: seq, Data: seq, Status: status})
}

func (h *history) load(epoch, last uint64) {
	op := tap.Op{Kind: tap.Load, HeadEpoch: epoch, HeadSeq: last}
	for seq := range last {
		op.Records = append(op.Records, tap.Entry{Seq: seq + 1, Data: seq + 1})
	}
	h.say(op)
}

const (
	stored = storagev1.AppendStatus_APPEND_STATUS_STORED
	fenced = storagev1.AppendStatus_APPEND_STATUS_FENCED
)

func TestLinearizable(t *testing.T) {
	for _, test := range []struct {
		name string
		fits bool
		say  func(h *history)
	}{
		{"one owner", true, func(h *history) { h.append(1, 1, stored); h.load(1, 1); h.claim(2, 1) }},
		{"an epoch that nobody has claimed", false, func(h *history) { h.claim(3, 0) }},
		{"an epoch twice", false, func(h *history) { h.claim(1, 0) }},
		{"an epoch of a claim without an answer", true, func(h *history) { h.claimInVain(1); h.claim(3, 0) }},
		{"claims without an answer that didn't happen", true, func(h *history) { h.claimInVain(3); h.claim(2, 0) }},
		{"more epochs than claims", false, func(h *history) { h.claimInVain(1); h.claim(4, 0) }},
		{"one claim for two epochs", false, func(h *history) { h.claimInVain(1); h.claim(3, 0); h.claim(5, 0) }},
		{"an epoch before its claim", false, func(h *history) { h.claim(3, 0); h.claimInVain(1) }},
		{"fenced by nobody", false, func(h *history) { h.append(1, 1, fenced) }},
		{"fenced by a claim without an answer", true, func(h *history) { h.claimInVain(1); h.append(1, 1, fenced) }},
		{"stored behind such a claim", false, func(h *history) { h.claimInVain(1); h.append(1, 1, fenced); h.append(1, 1, stored) }},
		{"loaded behind such a claim", true, func(h *history) { h.append(1, 1, stored); h.claimInVain(1); h.load(2, 1) }},
		{"loaded in an epoch that nobody has claimed", false, func(h *history) { h.load(2, 0) }},
		{"a record is gone", false, func(h *history) { h.append(1, 1, stored); h.claim(2, 0) }},
		{"a record is loaded that nobody stored", false, func(h *history) { h.load(1, 1) }},
	} {
		var h history
		h.claim(1, 0)
		test.say(&h)
		if err := linearizable(h); (err == nil) != test.fits {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestManyClaimsInVain: whoever opens a room while storage is away for long claims it
// many times. That mustn't be more than can be decided.
func TestManyClaimsInVain(t *testing.T) {
	var h history
	seq := uint64(0)
	for epoch := range uint64(3) {
		h.claimInVain(40)
		h.claim(epoch+1, seq)
		for range 200 {
			seq++
			h.append(epoch+1, seq, stored)
		}
	}
	if err := linearizable(h); err != nil {
		t.Error(err)
	}
	h.claim(200, seq)
	if linearizable(h) == nil {
		t.Error("an epoch is given that not even all claims make")
	}
}
