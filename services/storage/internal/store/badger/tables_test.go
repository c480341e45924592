package badger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// realTable returns a table that Badger wrote, of several blocks, and the name of
// its file in a closed directory.
func realTable(t *testing.T) (name string, data []byte) {
	t.Helper()
	opt := testOptions(t.TempDir())
	s := openStore(t, opt)
	for room := range 20 {
		mustClaim(t, s, fmt.Sprint("room ", room))
		for seq := store.Seq(1); seq <= 10; seq++ {
			mustAppend(t, s, fmt.Sprint("room ", room), 1, seq, crashData(room, uint64(seq), 100))
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(opt.Dir, "*.sst"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no table: %v", err)
	}
	data, err = os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	if index, start, _, ok := tableIndex(data); !ok {
		t.Fatal("a table as Badger wrote it is called damaged")
	} else if blocks, ok := readIndex(index, start); !ok || len(blocks) < 5 {
		t.Fatalf("its index has the blocks %v, %v", blocks, ok)
	}
	return names[0], data
}

// TestMendTable turns over every bit of a table, one at a time.
func TestMendTable(t *testing.T) {
	_, data := realTable(t)
	if at := (&mender{data: data}).table(); at >= 0 {
		t.Fatalf("a whole table is damaged at byte %d", at)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for bit := range len(data) * 8 {
		atEnd := bit >= len(data)*8-sealBits
		if !atEnd && random.IntN(300) > 0 {
			continue
		}
		m := &mender{data: bytes.Clone(data)}
		flipBit(m.data, bit)
		if at := m.table(); at >= 0 || !bytes.Equal(m.data, data) || len(m.turned) != 1 || m.turned[0] != bit {
			t.Fatalf("bit %d of %d: turned %v, damaged at %d", bit, len(data)*8, m.turned, at)
		}
	}
}

// TestTwoBits: two flipped bits of one block are damage, and never taken for one.
func TestTwoBits(t *testing.T) {
	_, data := realTable(t)
	random := rand.New(rand.NewPCG(3, 4))
	_, end, _, _ := tableIndex(data)
	index, _, _, _ := tableIndex(data)
	blocks, _ := readIndex(index, end)
	for range 50 {
		b := blocks[random.IntN(len(blocks))]
		m := &mender{data: bytes.Clone(data)}
		one := b.from*8 + random.IntN((b.to-b.from)*8)
		other := one
		for other == one {
			other = b.from*8 + random.IntN((b.to-b.from)*8)
		}
		flipBit(m.data, one)
		flipBit(m.data, other)
		if at := m.table(); at != b.from {
			t.Fatalf("bits %d and %d: damaged at %d, want %d; turned %v", one, other, at, b.from, m.turned)
		}
	}
}

// TestDamagedTable: a directory with a table that can't be mended is refused with
// its name, before Badger can panic over it; bits of several blocks are turned back.
func TestDamagedTable(t *testing.T) {
	name, data := realTable(t)
	spoil := func(bits ...int) {
		spoiled := bytes.Clone(data)
		for _, bit := range bits {
			flipBit(spoiled, bit)
		}
		if err := os.WriteFile(name, spoiled, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opt := testOptions(filepath.Dir(name))
	for what, bits := range map[string][]int{
		"a block":   {8 * 5000, 8*5000 + 9, 8*5001 + 3},
		"the index": {8 * (len(data) - 100), 8*(len(data)-100) + 1, 8*(len(data)-90) + 1},
		"the end":   {8*len(data) - 1, 8*len(data) - 2},
	} {
		spoil(bits...)
		_, err := Open(t.Context(), opt)
		if err == nil || !strings.Contains(err.Error(), filepath.Base(name)+" is damaged at byte") || !strings.Contains(err.Error(), "restore a backup") {
			t.Errorf("%s: %v", what, err)
		}
	}
	spoil(8*100, 8*5000, 8*(len(data)-200))
	s := openStore(t, opt)
	mended, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(mended, data) {
		t.Errorf("a bit of two blocks and one of the index: the file isn't as it was, %v", err)
	}
	if err := s.Load(t.Context(), "room 7", 0, discard{}); err != nil {
		t.Error(err)
	}
}

// TestCheckTables: the log says how much was read, and who doesn't want to wait for
// it needn't.
func TestCheckTables(t *testing.T) {
	name, data := realTable(t)
	var log bytes.Buffer
	opt := testOptions(filepath.Dir(name))
	opt.Log = slog.New(slog.NewTextHandler(&log, nil))
	list, err := readTableList(opt)
	if err != nil {
		t.Fatal(err)
	}
	_, bad, err := checkTables(t.Context(), opt, list, 0)
	if len(bad) > 0 {
		t.Error(bad)
	}
	if want := fmt.Sprintf("read all tables\" tables=%d", len(list.live)); err != nil || len(list.live) == 0 || !strings.Contains(log.String(), want) {
		t.Errorf("%v, want %s in:\n%s", err, want, &log)
	}
	flipBit(data, 8*5000) // nobody should look so far
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, _, err := checkTables(ended, opt, list, tellAfter); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context canceled", err)
	}
	if now, err := os.ReadFile(name); err != nil || !bytes.Equal(now, data) {
		t.Errorf("it was read and mended all the same, %v", err)
	}
}

// TestCheckTablesStops: behind a table that can't be mended none is read.
func TestCheckTablesStops(t *testing.T) {
	_, data := realTable(t)
	opt := testOptions(t.TempDir())
	opt.Log = slog.New(slog.DiscardHandler)
	write := func(n int, bits ...int) string {
		t.Helper()
		name := filepath.Join(opt.Dir, fmt.Sprintf("%06d.sst", n))
		spoiled := bytes.Clone(data)
		for _, bit := range bits {
			flipBit(spoiled, bit)
		}
		if err := os.WriteFile(name, spoiled, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	var names []string
	for n := range tableReaders { // one for each who reads
		names = append(names, write(n, 8*5000, 8*5000+9, 8*5001+3))
	}
	last := write(tableReaders, 8*5000)
	before, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	_, bad, err := readTables(t.Context(), opt, append(names, last))
	if err != nil || len(bad) == 0 || !strings.Contains(bad[0].text, filepath.Base(names[0])+" is damaged at byte") {
		t.Errorf("%v, %v, want the first table to be called damaged", bad, err)
	}
	if after, err := os.ReadFile(last); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the last one was read and mended all the same, %v", err)
	}
	if tables, bad, err := readTables(t.Context(), opt, []string{last}); err != nil || len(bad) > 0 || tables[0].size != len(data) {
		t.Errorf("alone it is %+v, %v, %v; want %d bytes, mended", tables, bad, err, len(data))
	}
}

func TestFindBit(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		data := make([]byte, 1+random.IntN(5000))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		want := addSum(0, data)
		if bit, ok := findBit(data, want); ok {
			t.Fatalf("bit %d of whole data is wrong", bit)
		}
		bit := random.IntN(len(data) * 8)
		flipBit(data, bit)
		if got, ok := findBit(data, want); !ok || got != bit {
			t.Fatalf("found bit %d, %v; want %d of %d", got, ok, bit, len(data)*8)
		}
	}
}

// TestFindBitOfMore shows what bits.go says of greater damage: two bits are never
// taken for one, and where a bit is found by chance, a record's own checksum, over
// fewer bytes, is right as well.
func TestFindBitOfMore(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	whole := make([]byte, maxChunk)
	for i := range whole {
		whole[i] = byte(random.Uint32())
	}
	want := addSum(0, whole)
	for range 20 {
		data := bytes.Clone(whole)
		bits := random.Perm(len(data) * 8)[:2]
		flipBit(data, bits[0])
		flipBit(data, bits[1])
		if bit, ok := findBit(data, want); ok {
			t.Fatalf("bits %v are wrong, found %d", bits, bit)
		}
	}
	// The polynomial itself, which no checksum sees, but for one bit.
	pattern := binary.LittleEndian.AppendUint64(nil, 1|castagnoliReversed<<1)
	data := bytes.Clone(whole)
	for i, b := range pattern {
		data[1000+i] ^= b
	}
	flipBit(data, 8000)
	bit, ok := findBit(data, want)
	if !ok || bit != 8000 {
		t.Fatalf("found bit %d, %v; want the one that makes it right", bit, ok)
	}
	flipBit(data, bit)
	if own := addSum(0, data[500:]); bytes.Equal(data, whole) || own != addSum(0, whole[500:]) {
		t.Error("a checksum over fewer bytes sees it: bits.go, docs/operating.md and we are wrong")
	}
}

func BenchmarkFindBit(b *testing.B) {
	data := make([]byte, 4096)
	want := addSum(0, data)
	flipBit(data, 1)
	b.ReportAllocs()
	for b.Loop() {
		if bit, ok := findBit(data, want); !ok || bit != 1 {
			b.Fatal(bit)
		}
	}
}
