package badger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const manifestName = "MANIFEST"

// manifestHeader is what Badger's list of tables begins with: its magic, our none,
// and its version.
var manifestHeader = []byte("Bdgr\x00\x00\x00\x08")

// maxMends bounds the bits that are turned back in one file: a disk with more is
// past it.
const maxMends = 64

// mendFiles turns single bits back in what Badger reads before any table, and isn't
// without use to us.
func mendFiles(opt Options, upto uint64) error {
	name := filepath.Join(opt.Dir, manifestName)
	data, err := os.ReadFile(name)
	if err == nil {
		m := &mender{name: name, data: data}
		m.manifest()
		err = m.finish(opt)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data directory %q: %w", opt.Dir, err)
	}
	return mendLogs(opt, upto)
}

// constant mends bytes that never differ, if one bit does.
func (m *mender) constant(at int, want []byte) {
	if len(m.data) < at+len(want) {
		return
	}
	got := m.data[at : at+len(want)]
	if bit, ok := tryBits(got, 0, len(got)*8, func() bool { return bytes.Equal(got, want) }); ok {
		m.turn(at*8 + bit)
	}
}

// keyID mends the number of the key that a log is encrypted with: all bits of it, if
// the rest of the file is a log.
func (m *mender) keyID() {
	if scan := scanLog(m.data); !scan.foreign || scan.first == 0 && !scan.bare {
		return
	}
	for bit := range 8 * logKeyID {
		if m.data[bit/8]>>(bit%8)&1 != 0 {
			m.turn(bit)
		}
	}
}

// manifest mends the list of tables, up to its torn end if it has one.
func (m *mender) manifest() {
	m.constant(0, manifestHeader)
	for at := len(manifestHeader); at+8 <= len(m.data) && len(m.turned) < maxMends; {
		set := m.data[at:]
		if n, ok := changeSet(set); ok {
			at += n
			continue
		}
		bit, ok := mendChangeSet(set)
		if !ok {
			return
		}
		m.turn(at*8 + bit)
	}
}

// changeSet returns the length of the change set at the beginning of data, and
// whether it is what its checksum says; see tableList.
func changeSet(data []byte) (n int, ok bool) {
	length := uint64(binary.BigEndian.Uint32(data))
	if length > uint64(len(data)-8) {
		return 0, false
	}
	n = 8 + int(length)
	return n, addSum(0, data[8:n]) == binary.BigEndian.Uint32(data[4:])
}

func mendChangeSet(data []byte) (bit int, ok bool) {
	if length := uint64(binary.BigEndian.Uint32(data)); length <= uint64(len(data)-8) {
		if bit, ok := findBit(data[8:8+length], binary.BigEndian.Uint32(data[4:])); ok {
			return 64 + bit, true
		}
	}
	return tryBits(data, 0, 64, func() bool {
		_, ok := changeSet(data)
		return ok
	})
}

// mendLogs turns back what bits of the logs are single, as long as something is
// damaged: a torn end is left to Badger.
func mendLogs(opt Options, upto uint64) error {
	names, err := logNames(opt.Dir)
	if err != nil {
		return err
	}
	logs := make([]*mender, len(names))
	scans := make([]logScan, len(names))
	for i, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("log %s cannot be read: %w", name, err)
		}
		logs[i] = &mender{name: name, data: data}
		logs[i].keyID()
		scans[i] = scanLog(data)
	}
	tabled := newestTabled(opt)
	for range maxMends {
		at, text := judge(scans, upto, tabled)
		if text == "" || !logs[at].logEntry(scans[at].stop) {
			break
		}
		scans[at] = scanLog(logs[at].data)
	}
	for _, m := range logs {
		if err := m.finish(opt); err != nil {
			return err
		}
	}
	return nil
}

// logEntryHeader is the most bytes that an entry has before its key.
const logEntryHeader = 2 + 3*binary.MaxVarintLen64

// logEntry mends the entry at a place where reading stopped.
func (m *mender) logEntry(at int) bool {
	data := m.data[at:]
	if size, _, ok := logEntrySize(data); ok {
		want := binary.BigEndian.Uint32(data[size-4:])
		if bit, ok := findBit(data[:size-4], want); ok {
			return m.turnEntry(at, bit)
		}
		whole := func() bool { _, ok := readLogEntry(data); return ok }
		if bit, ok := tryBits(data, (size-4)*8, size*8, whole); ok {
			return m.turnEntry(at, bit)
		}
	}
	bit, ok := tryBits(data, 0, logEntryHeader*8, func() bool { _, ok := readLogEntry(data); return ok })
	return ok && m.turnEntry(at, bit)
}

// turnEntry turns a bit of the entry at a place, unless it still can't be read:
// then something else is wrong.
func (m *mender) turnEntry(at, bit int) bool {
	m.turn(at*8 + bit)
	_, ok := readLogEntry(m.data[at:])
	if !ok {
		flipBit(m.data, at*8+bit)
		m.turned = m.turned[:len(m.turned)-1]
	}
	return ok
}
