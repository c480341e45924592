package badger

import (
	"log/slog"
	"slices"
	"time"
)

// A build tag breaks one promise of this store each, so that the tests which are
// to notice it can show that they do. No released binary has one:
//
//	fjord_nosync    commits return before their sync: a power cut loses them
//	fjord_ackearly  callers are answered before their transaction is committed
//	fjord_nodedup   a record that is sent again is stored again, at the next seq
//
// Each is a constant, so that nothing of it is left in a build without the tag.

// tooEarly is how long before its commit a caller is answered, by a build that does so:
// as on a slow disk. One in memory would have stored the transaction before anybody
// could be killed, and a slow machine before a client has heard of it.
const tooEarly = 100 * time.Millisecond

// answersEarly says whether this batch is one of those. Claims aren't: who has claimed
// a room loads it at once, and would find that it hasn't.
func (b *batch) answersEarly() bool {
	return ackEarly && !slices.ContainsFunc(b.staged, func(s staged) bool {
		_, claims := s.op.(*claimOp)
		return claims
	})
}

// warnOfFaults says so, once, when the store is broken on purpose.
func warnOfFaults(log *slog.Logger) {
	for _, fault := range []struct {
		tag   string
		built bool
	}{{"fjord_nosync", noSync}, {"fjord_ackearly", ackEarly}, {"fjord_nodedup", noDedup}} {
		if fault.built {
			log.Error("this build breaks a promise on purpose, for tests: never keep anything with it", "tag", fault.tag)
		}
	}
}
