package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// data is the directory that all three read:
//
//	b4.updates      the long history, an update a key
//	b4.updates2     the same in version 2
//	b4.v1, b4.v2    what it comes to, as yjs encodes it
//	big.v1, big.v2  a document of 1.1 million structs by 100 clients
//	big.structs     how many they are
//	big.text        what it reads
//	big.vector      of a peer that is ten clocks behind in each of them
//	big.letter      an update of one more letter
//	small.updates   a hundred updates by two authors
//	pair.v1         two clients who typed at one place: takes Yjs seconds
//	crowd.v1        a hundred who wrote everywhere: takes it a minute
//
// Lists of updates are a length in four bytes, little-endian, before each.
type data struct{ dir string }

func (d *data) bytes(name string) []byte {
	return must(os.ReadFile(filepath.Join(d.dir, name)))
}

func (d *data) list(name string) (all [][]byte) {
	for src := d.bytes(name); len(src) > 0; {
		n := binary.LittleEndian.Uint32(src)
		all = append(all, src[4:4+n])
		src = src[4+n:]
	}
	return all
}

func (d *data) write(name string, src []byte) {
	check(os.WriteFile(filepath.Join(d.dir, name), src, 0o600))
}

func (d *data) writeList(name string, all [][]byte) {
	var dst []byte
	for _, each := range all {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(each)))
		dst = append(dst, each...)
	}
	d.write(name, dst)
}

// b4Client is the author of the long history.
const b4Client = 4_294_967_291

// make writes all but what yjs has to encode.
func (d *data) make() (genuine bool) {
	edits, genuine, err := yjstest.History()
	check(err)
	updates := yjstest.Updates(b4Client, "text", edits)
	d.writeList("b4.updates", updates)
	for i, u := range updates {
		updates[i] = must(yjs.ConvertUpdateV1ToV2(u))
	}
	d.writeList("b4.updates2", updates)
	state, text, structs := yjstest.Book(100, 14_700)
	d.write("big.v1", state)
	d.write("big.v2", must(yjs.ConvertUpdateV1ToV2(state)))
	d.write("big.text", []byte(text))
	d.write("big.structs", []byte(strconv.Itoa(structs)))
	d.write("big.vector", must(yjstest.Behind(must(yjs.StateVectorFromUpdate(state)), 10)))
	d.write("big.letter", []byte{1, 1, 0x95, 0x9a, 0xef, 0x3a, 0, 4, 1, 1, 't', 1, 'x', 0})
	d.writeList("small.updates", small())
	d.write("pair.v1", pair(8_000))
	d.write("crowd.v1", yjstest.Crowd(100, 11_000))
	return genuine
}

// small is two authors who write in turns, one after what the other has.
func small() [][]byte {
	var all [][]byte
	for i, client := range []uint64{3_000_000_019, 2_000_000_011} {
		all = append(all, yjstest.Updates(client, []string{"title", "text"}[i], yjstest.Paper(50))...)
	}
	return all
}
