package main

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// One-letter updates of so many writers, each in a room of its own and waiting
// for its ack: rooms, journal, storage and one sync for all that gathered. The
// disk's sync decides; appends per sync is what the gathering saves.
func BenchmarkDurableUpdate(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := openSite(b, b.TempDir(), func(next http.RoundTripper) http.RoundTripper { return next })
			defer s.close()
			var writer atomic.Int64
			b.SetParallelism((writers + 1) / 2) // times GOMAXPROCS, 2 here
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				room := fmt.Sprintf("room %d", writer.Add(1))
				for n := uint64(0); pb.Next(); n++ {
					_, err := s.documents.ApplyUpdate(b.Context(), connect.NewRequest(&roomsv1.ApplyUpdateRequest{
						Room: room, Update: letter(n),
					}))
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// letter returns the update by which client 9 types its n-th letter.
func letter(n uint64) []byte {
	u := binary.AppendUvarint([]byte{1, 1, 9}, n)
	if n == 0 {
		return append(u, 4, 1, 1, 't', 1, 'a', 0)
	}
	u = binary.AppendUvarint(append(u, 0x84, 9), n-1)
	return append(u, 1, 'b', 0)
}
