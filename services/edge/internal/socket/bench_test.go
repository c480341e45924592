package socket_test

import (
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"
)

// BenchmarkBurst writes frames of 30 bytes that wait together to one peer over
// TCP, with and without cork. An operation is one frame; cpu-ns is what the
// whole process spent on it, the peer's reading included.
func BenchmarkBurst(b *testing.B) {
	for _, burst := range []int{1, 8, 64} {
		for _, corks := range []bool{true, false} {
			b.Run(fmt.Sprintf("frames=%d/cork=%t", burst, corks), func(b *testing.B) {
				p := newPair(b, config(b), corks, nil)
				frame := make([]byte, 30)
				buf := make([]byte, burst*(2+len(frame)))
				conn := p.peer.NetConn()
				b.ReportAllocs()
				b.ResetTimer()
				before := cpu()
				for done := 0; done < b.N; done += burst {
					if burst > 1 {
						p.hold.Lock()
					}
					for range burst {
						p.socket.Push(frame)
					}
					if burst > 1 {
						p.hold.Unlock()
					}
					if _, err := io.ReadFull(conn, buf); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// cpu returns the process's CPU time so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
