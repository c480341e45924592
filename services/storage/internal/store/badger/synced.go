package badger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
)

// A log that is gone, or that ends where one of its transactions does, looks as if
// there had never been more. So the file SYNCED says how far the store has come, by
// Badger's timestamps:
//
//	"fjord-synced" version(1) since(8) upto(8) crc(4)
//
// upto was synced: a directory without it has lost something. It is written after
// each of the committer's transactions, once that is answered, and not synced itself: a
// kill leaves it at most one transaction behind, a power cut more, which is as true.
//
// Above since, every transaction sets a head, or else the format entry (see
// markTransaction). Neither is ever deleted, and compactions keep the newest version
// of a key: so the newest transaction of all tables is the last one that was flushed,
// and the logs go on with the next. Older builds left transactions that only deleted,
// and compactions drop those: so nothing is said of transactions up to since, nor of
// those above upto, and Open begins anew where it can't know whose they are (see
// checkFormat).
//
// It is a second witness only. Without it, or with a damaged one, nothing is lost,
// and it is begun anew.
const (
	syncedName    = "SYNCED"
	syncedMagic   = "fjord-synced"
	syncedVersion = 1
	syncedLen     = len(syncedMagic) + 1 + 8 + 8 + 4
)

// synced is what the file says; zero without one.
type synced struct{ since, upto uint64 }

// marks reports whether one of the transactions from and up to to is known to have
// left a mark. Those up to since may have been an older build's; so may those above
// upto, if one was used again.
func (s synced) marks(from, to uint64) bool { return max(from, s.since+1) <= min(to, s.upto) }

func appendSynced(dst []byte, s synced) []byte {
	start := len(dst)
	dst = append(append(dst, syncedMagic...), syncedVersion)
	dst = binary.BigEndian.AppendUint64(dst, s.since)
	dst = binary.BigEndian.AppendUint64(dst, s.upto)
	return binary.BigEndian.AppendUint32(dst, addSum(0, dst[start:]))
}

// parseSynced is the inverse of appendSynced.
func parseSynced(data []byte) (synced, error) {
	if len(data) != syncedLen || !bytes.HasPrefix(data, []byte(syncedMagic)) {
		return synced{}, errDamaged
	}
	body, sum := data[:syncedLen-4], data[syncedLen-4:]
	if addSum(0, body) != binary.BigEndian.Uint32(sum) {
		return synced{}, errDamaged
	}
	if version := body[len(syncedMagic)]; version != syncedVersion {
		return synced{}, fmt.Errorf("version %d, and this build reads %d", version, syncedVersion)
	}
	numbers := body[len(syncedMagic)+1:]
	s := synced{since: binary.BigEndian.Uint64(numbers), upto: binary.BigEndian.Uint64(numbers[8:])}
	if s.since > s.upto {
		return synced{}, errDamaged
	}
	return s, nil
}

// readSynced reads a directory's file. One that can't be used is none, with a line in
// the log.
func readSynced(opt Options) (synced, error) {
	data, err := os.ReadFile(filepath.Join(opt.Dir, syncedName))
	if errors.Is(err, fs.ErrNotExist) || err == nil && allZero(data) { // a power cut can leave it so
		return synced{}, nil
	}
	if err != nil {
		return synced{}, fmt.Errorf("data directory %q: %w", opt.Dir, err)
	}
	s, err := parseSynced(data)
	if err != nil {
		opt.Log.Error("the file SYNCED of the data directory is damaged: it can't be said whether the newest logs are whole; look after the disk and the memory of this machine", "err", err)
		return synced{}, nil
	}
	return s, nil
}

// syncedFile writes the file. The committer owns it, but for Open and Close. Where it
// can't be written, on a full disk, it says less, which is as true: f is nil if it
// can't even be made.
type syncedFile struct {
	f          *os.File
	now        synced
	log        *slog.Logger
	complained bool
}

// openSynced begins the file anew, with what is true of the directory now.
func openSynced(opt Options, now synced) *syncedFile {
	w := &syncedFile{log: opt.Log}
	if noSync {
		now = synced{} // which is true whatever a power cut takes
	}
	f, err := os.OpenFile(filepath.Join(opt.Dir, syncedName), os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		w.f = f
		err = f.Truncate(int64(syncedLen))
	}
	if err != nil {
		w.complain(err)
	}
	w.write(now)
	return w
}

// reached notes that all transactions up to ts were synced.
func (w *syncedFile) reached(ts uint64) {
	if !noSync && ts > w.now.upto {
		w.write(synced{w.now.since, ts})
	}
}

func (w *syncedFile) write(now synced) {
	w.now = now
	if w.f == nil {
		return
	}
	var buf [syncedLen]byte
	if _, err := w.f.WriteAt(appendSynced(buf[:0], now), 0); err != nil {
		w.complain(err)
	}
}

// complain says so once: it is tried again with every transaction.
func (w *syncedFile) complain(err error) {
	if w.complained {
		return
	}
	w.complained = true
	w.log.Warn("the file SYNCED cannot be written: if a log is lost now, the next start may not notice", "err", err)
}

func (w *syncedFile) close() error {
	if w.f == nil {
		return nil
	}
	return w.f.Close()
}

// markTransaction lets a transaction that sets no head set the format entry, as it
// is: so something of it stays for ever, or until the next that does so.
func markTransaction(txn *badger.Txn) error {
	return txn.Set(formatKey(), appendFormat(nil))
}
