package badger

import "log/slog"

// A build tag breaks one promise of this store each, so that the tests which are
// to notice it can show that they do. No released binary has one:
//
//	fjord_nosync    commits return before their sync: a power cut loses them
//	fjord_ackearly  callers are answered before their transaction is committed
//	fjord_nodedup   a record that is sent again is stored again, at the next seq
//
// Each is a constant, so that nothing of it is left in a build without the tag.

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
