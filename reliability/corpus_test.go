package reliability_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/fjord-sync/fjord/reliability/typist"
	"github.com/fjord-sync/fjord/yjs/lib0"
	"github.com/fjord-sync/fjord/yjs/protocol"
)

// attack is what a hostile client sends on one socket, after its step 1.
type attack struct {
	name   string
	frames [][]byte
	// accepted says that what it sends is valid: it must be cheap, not refused.
	accepted bool
}

func update(body []byte) []byte {
	return protocol.AppendSync([]byte{0}, protocol.SyncUpdate, body)
}

func presence(body []byte) []byte { return lib0.AppendVarBytes([]byte{1}, body) }

func uints(dst []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		dst = lib0.AppendVarUint(dst, n)
	}
	return dst
}

// corpus is the list of reliability.md's section on hostile input.
func corpus(random *rand.Rand) []attack {
	good := typist.Insert(900, 0, "good text of a good client")
	attacks := []attack{
		{name: "clock theft: 2^40 units of another client", frames: [][]byte{update(uints(nil, 1, 1, 777, 0, 0, 1<<40, 0))}},
		{name: "clock theft: 2^31 units of another client", frames: [][]byte{update(uints(nil, 1, 1, 777, 0, 0, 1<<31, 0))}},
		{name: "a number above 2^53-1", frames: [][]byte{update(append([]byte{1, 1}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0))}},
		{name: "2^31 clients claimed", frames: [][]byte{update(uints(nil, 1<<31, 1, 5, 0))}},
		{name: "2^31 structs claimed", frames: [][]byte{update(uints(nil, 1, 1<<31, 5, 0))}},
		{name: "a string of 2^40 bytes claimed", frames: [][]byte{update(append([]byte{1, 1, 5, 0, 4, 1, 1, 't'}, uints(nil, 1<<40)...))}},
		{name: "2^31 deletes claimed", frames: [][]byte{update(uints(nil, 0, 1, 5, 1<<31))}},
		{name: "a frame longer than it says", frames: [][]byte{append(update(good), 1, 2, 3)}},
		{name: "a state vector of 2^31 clients", frames: [][]byte{protocol.AppendSync([]byte{0}, protocol.SyncStep1, uints(nil, 1<<31))}},
		{name: "presence of 2^31 clients", frames: [][]byte{presence(uints(nil, 1<<31))}},
		{name: "presence that isn't JSON", frames: [][]byte{presence(append(uints(nil, 1, 5, 1), 3, '{', '{', '{'))}},
		{name: "presence nested 10^6 deep", frames: [][]byte{presence(append(uints(nil, 1, 5, 1), lib0.AppendVarString(nil, string(bytes.Repeat([]byte("["), 1_000_000)))...))}},
		{name: "a value nested 10^6 deep", frames: [][]byte{update(deepAny(1_000_000))}},
		{name: "types nested 20 000 deep", frames: [][]byte{update(deepTypes(20_000))}, accepted: true},
		{name: "a pair of 59 KiB at one place", frames: [][]byte{update(samePlace(11, 10_000)), update(samePlace(12, 10_000))}, accepted: true},
		{name: "deletes of an unknown client, 256 KiB", frames: [][]byte{update(unknownDeletes(64 << 10))}, accepted: true},
		{name: "a text frame of another protocol", frames: [][]byte{[]byte("GET / HTTP/1.1\r\n\r\n")}},
	}
	pending := attack{name: "2 000 updates that wait for what never comes", accepted: true}
	for n := range 2_000 {
		pending.frames = append(pending.frames, update(waiting(uint64(5000+n%50), uint64(10+n))))
	}
	spoof := attack{name: "presence of 1 000 others, 20 times", accepted: true}
	for n := range 20 {
		body := uints(nil, 1_000)
		for c := range uint64(1_000) {
			body = lib0.AppendVarString(uints(body, c+1, uint64(n)+1), `{"user":"me"}`)
		}
		spoof.frames = append(spoof.frames, presence(body))
	}
	attacks = append(attacks, pending, spoof)
	for i := range good {
		attacks = append(attacks, attack{name: fmt.Sprintf("cut at %d", i), frames: [][]byte{update(good[:i])}, accepted: i == 0})
	}
	for range 64 {
		flipped := bytes.Clone(good)
		bit := random.IntN(8 * len(flipped))
		flipped[bit/8] ^= 1 << (bit % 8)
		attacks = append(attacks, attack{name: fmt.Sprintf("bit %d flipped", bit), frames: [][]byte{update(flipped)}, accepted: true})
	}
	return attacks
}

// deepAny is an update with one value of so many arrays inside arrays.
func deepAny(depth int) []byte {
	u := []byte{1, 1, 5, 0, 0x08, 1, 1, 't', 1}
	for range depth {
		u = append(u, lib0.AnyArray, 1)
	}
	return append(u, lib0.AnyNull, 0)
}

// deepTypes is an update with so many arrays, each inside the one before.
func deepTypes(depth int) []byte {
	u := uints(nil, 1, uint64(depth), 5, 0)
	u = append(u, 0x07, 1, 1, 't', 0)
	for n := range uint64(depth - 1) {
		u = uints(append(u, 0x07, 0), 5, n)
		u = append(u, 0)
	}
	return append(u, 0)
}

// samePlace is an update with so many letters, each at the very beginning.
func samePlace(client uint64, letters int) []byte {
	u := uints(nil, 1, uint64(letters), client, 0)
	for range letters {
		u = append(u, 0x04, 1, 1, 't', 1, 'x')
		// Each is an item of its own: its neighbours can't join it without an origin.
	}
	return append(u, 0)
}

// waiting is an update whose client's earlier clocks never come.
func waiting(client, clock uint64) []byte {
	u := uints(nil, 1, 1, client, clock*1000)
	u = uints(append(u, 0x84), client, clock*1000-1)
	u = lib0.AppendVarString(u, string(bytes.Repeat([]byte("p"), 500)))
	return append(u, 0)
}

// diligence is no attack, and measures the machine: good updates, as many and as long
// as those that wait for what never comes.
func diligence() attack {
	const length = 500
	good := attack{name: "2 000 good updates", accepted: true}
	text := strings.Repeat("p", length)
	for n := range uint64(2_000) {
		good.frames = append(good.frames, update(typist.Insert(900, n*length, text)))
	}
	return good
}

// unknownDeletes is an update that deletes so many single letters of nobody.
func unknownDeletes(n int) []byte {
	u := uints(nil, 0, 1, 424242, uint64(n))
	for i := range uint64(n) {
		u = uints(u, 3*i, 1)
	}
	return u
}
