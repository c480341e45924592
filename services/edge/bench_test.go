package edge_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge"
)

// raw is a websocket client of few bytes: it masks with zeros, and reads
// without looking.
type raw struct{ net.Conn }

func (w *world) raw(room string) raw {
	w.t.Helper()
	conn, err := w.front(context.Background(), "tcp", "")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, "GET /"+room+" HTTP/1.1\r\nHost: edge.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(oneByte{conn}, 16), nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		w.t.Fatal(response, err)
	}
	return raw{conn}
}

// oneByte keeps a bufio.Reader from reading past a response.
type oneByte struct{ io.Reader }

func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(1, len(p))]) }

// asFastAsTheyCan lets clients come and send without end: what is measured is the
// way, not the limits, which are counted all the same.
func asFastAsTheyCan(c *edge.Config) {
	c.Limits.MessagesPerSecond, c.Limits.BytesPerSecond = 1<<30, 1<<40
	c.Limits.Handshakes, c.Limits.SocketsPerRoom = 1<<20, 1<<20
}

// send sends one small frame.
func (r raw) send(t testing.TB, frame []byte) {
	if _, err := r.Write(append([]byte{0x82, 0x80 | byte(len(frame)), 0, 0, 0, 0}, frame...)); err != nil {
		t.Fatal(err)
	}
}

// skipped is what nobody looks at: all clients read into it.
var skipped [64 << 10]byte

// skip reads n bytes.
func (r raw) skip(t testing.TB, n int) {
	for n > 0 {
		got, err := r.Read(skipped[:min(n, len(skipped))])
		if err != nil {
			t.Error(err)
			return
		}
		n -= got
	}
}

// sync goes through the handshake of an empty room: step 2 and step 1.
func (r raw) sync(t testing.TB) {
	r.send(t, []byte{0, 0, 1, 0})
	r.skip(t, 2+3+2+4)
}

// keystroke is an update of 25 bytes, as a key pressed in a text makes it.
var keystroke = []byte("0123456789012345678901234")

// BenchmarkFanOut delivers keystrokes to n clients over TCP: from the stand-in
// for rooms through the link to the last client's kernel. An operation is one
// delivery; bursts are what a room of several typists gathers meanwhile. cpu-ns
// is what the whole process spent on one: the edge, the stand-in and the
// clients' reading.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		for _, burst := range []int{1, 32} {
			b.Run(fmt.Sprintf("sockets=%d/burst=%d", n, burst), func(b *testing.B) {
				w := newTCPWorld(b, asFastAsTheyCan)
				clients := make([]raw, n)
				for i := range clients {
					clients[i] = w.raw("doc")
					clients[i].sync(b)
				}
				frame := 2 + 3 + len(keystroke)
				b.ReportAllocs()
				b.ResetTimer()
				before := cpu(b)
				for done := 0; done < b.N; done += n * burst {
					for range burst {
						w.rooms.Append("doc", keystroke)
					}
					for _, c := range clients {
						c.skip(b, frame*burst)
					}
				}
				b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// BenchmarkRoundTrip is a client's update until its echo: "saved", if rooms and
// storage took no time.
func BenchmarkRoundTrip(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", n), func(b *testing.B) {
			w := newTCPWorld(b, asFastAsTheyCan)
			update := append([]byte{0, 2, byte(len(keystroke))}, keystroke...)
			clients := make([]raw, n)
			for i := range clients {
				clients[i] = w.raw(fmt.Sprintf("doc-%d", i))
				clients[i].sync(b)
			}
			b.ReportAllocs()
			b.ResetTimer()
			var all sync.WaitGroup
			for i, c := range clients {
				all.Go(func() {
					for done := i; done < b.N; done += n {
						c.send(b, update)
						c.skip(b, 2+len(update))
					}
				})
			}
			all.Wait()
		})
	}
}

// BenchmarkIdle counts what a connection that says nothing takes, in heap and
// stacks together. The clients' ends are in it too.
func BenchmarkIdle(b *testing.B) {
	for _, synced := range []bool{false, true} {
		name := "silent"
		if synced {
			name = "synced"
		}
		b.Run(name, func(b *testing.B) {
			const n = 4000
			w := newTCPWorld(b, asFastAsTheyCan)
			warm := w.raw("warm")
			warm.sync(b)
			before := memory()
			clients := make([]raw, n)
			for i := range clients {
				clients[i] = w.raw(fmt.Sprintf("doc-%d", i/4))
				if synced {
					clients[i].sync(b)
				}
			}
			if !synced {
				w.until("last attach", func(f *roomsv1.EdgeFrame) bool {
					return strings.HasSuffix(f.GetAttach().GetRoom(), fmt.Sprint(n/4-1))
				})
			}
			w.rooms.Forget()
			after := memory()
			b.ReportMetric(float64(after.heap-before.heap)/n, "heap-B/conn")
			b.ReportMetric(float64(after.stack-before.stack)/n, "stack-B/conn")
			b.ReportMetric(float64(after.goroutines-before.goroutines)/n, "goroutines/conn")
			b.ReportMetric(0, "ns/op")
			runtime.KeepAlive(clients)
		})
	}
}

// cpu returns the process's CPU time so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type usage struct{ heap, stack, goroutines int64 }

// memory returns what is used after everything that can go has gone.
func memory() usage {
	for range 3 {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{int64(m.HeapAlloc), int64(m.StackInuse), int64(runtime.NumGoroutine())}
}
