package cork_test

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/cork"
)

// sink is a connection that counts writes and keeps their bytes.
type sink struct {
	net.Conn
	writes [][]byte
	err    error
}

func (s *sink) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.writes = append(s.writes, bytes.Clone(p))
	return len(p), nil
}

func write(t *testing.T, c *cork.Conn, p string) {
	t.Helper()
	if n, err := c.Write([]byte(p)); n != len(p) || err != nil {
		t.Fatalf("Write(%q) = %d, %v", p, n, err)
	}
}

func TestCorkJoinsWrites(t *testing.T) {
	s := &sink{}
	c := cork.Wrap(s)
	write(t, c, "before ")
	c.Cork()
	write(t, c, "one ")
	write(t, c, "two ")
	if len(s.writes) != 1 {
		t.Errorf("%d writes while corked, want 1 from before", len(s.writes))
	}
	if err := c.Uncork(); err != nil {
		t.Fatal(err)
	}
	write(t, c, "after")
	want := []string{"before ", "one two ", "after"}
	if len(s.writes) != len(want) {
		t.Fatalf("%q, want %q", s.writes, want)
	}
	for i := range want {
		if string(s.writes[i]) != want[i] {
			t.Errorf("write %d: %q, want %q", i, s.writes[i], want[i])
		}
	}
}

func TestUncorkOfNothingWritesNothing(t *testing.T) {
	s := &sink{}
	c := cork.Wrap(s)
	c.Cork()
	if err := c.Uncork(); err != nil || len(s.writes) != 0 {
		t.Errorf("%v, %q", err, s.writes)
	}
}

// What is larger than the buffer goes in order, in few writes.
func TestLargeWrites(t *testing.T) {
	s := &sink{}
	c := cork.Wrap(s)
	c.Cork()
	var want []byte
	for _, size := range []int{10, 40 << 10, 40 << 10, 100 << 10, 3, 64 << 10, 1} {
		p := bytes.Repeat([]byte{byte(len(want))}, size)
		write(t, c, string(p))
		want = append(want, p...)
	}
	if err := c.Uncork(); err != nil {
		t.Fatal(err)
	}
	if got := bytes.Join(s.writes, nil); !bytes.Equal(got, want) {
		t.Errorf("%d bytes arrived, want %d in order", len(got), len(want))
	}
	if len(s.writes) > 6 {
		t.Errorf("%d writes", len(s.writes))
	}
}

func TestErrorsSurface(t *testing.T) {
	broken := errors.New("broken")
	s := &sink{err: broken}
	c := cork.Wrap(s)
	if _, err := c.Write([]byte("x")); !errors.Is(err, broken) {
		t.Errorf("Write: %v", err)
	}
	c.Cork()
	write(t, c, "gathered")
	if err := c.Uncork(); !errors.Is(err, broken) {
		t.Errorf("Uncork: %v", err)
	}
	// The failed bytes are forgotten: they may have been sent in part.
	s.err = nil
	write(t, c, "next")
	if len(s.writes) != 1 || string(s.writes[0]) != "next" {
		t.Errorf("%q", s.writes)
	}
}

type tlsLike struct{ net.Conn }

func (t tlsLike) NetConn() net.Conn { return t.Conn }

func TestFind(t *testing.T) {
	c := cork.Wrap(&sink{})
	if cork.Find(c) != c || cork.Find(tlsLike{c}) != c || cork.Find(tlsLike{tlsLike{c}}) != c {
		t.Error("a Conn wasn't found")
	}
	if cork.Find(&sink{}) != nil || cork.Find(tlsLike{&sink{}}) != nil {
		t.Error("found a Conn where there is none")
	}
	var none *cork.Conn
	none.Cork()
	if err := none.Uncork(); err != nil {
		t.Error(err)
	}
}

// crypto/tls may write from the reading side while the writer corks.
func TestWritesFromTwoSides(t *testing.T) {
	s := &sink{}
	c := cork.Wrap(s)
	var both sync.WaitGroup
	both.Go(func() {
		for range 1000 {
			c.Cork()
			_, _ = c.Write([]byte("ab"))
			_, _ = c.Write([]byte("cd"))
			_ = c.Uncork()
		}
	})
	both.Go(func() {
		for range 1000 {
			_, _ = c.Write([]byte("x"))
		}
	})
	both.Wait()
	got := bytes.Join(s.writes, nil)
	if len(got) != 5000 || bytes.Count(got, []byte("ab")) != 1000 || bytes.Count(got, []byte("cd")) != 1000 {
		t.Errorf("%d bytes arrived whole, want 5000", len(got))
	}
}

func TestListen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	corked := cork.Listen(l)
	defer corked.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := corked.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if cork.Find(server) == nil {
		t.Error("an accepted connection doesn't cork")
	}
}
