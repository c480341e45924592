package edge_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
)

// oracle is an auth webhook, without a network.
type oracle struct {
	mu     sync.Mutex // guards following
	status int
	answer string
	asked  []time.Time
	judge  func(body string) (status int, answer string) // instead, if it isn't nil
}

// RoundTrip answers.
func (o *oracle) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	o.mu.Lock()
	o.asked = append(o.asked, time.Now())
	status, answer, judge := o.status, o.answer, o.judge
	o.mu.Unlock()
	if judge != nil {
		status, answer = judge(string(body))
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer))}, nil
}

// judges has it answer by what it is asked. It may be asked several things at once.
func (o *oracle) judges(judge func(body string) (status int, answer string)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.judge = judge
}

func (o *oracle) says(status int, answer string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.status, o.answer = status, answer
}

// times returns when it was asked.
func (o *oracle) times() []time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.asked)
}

const (
	mayWrite = `{"allow": true, "sub": "ann", "rooms": [{"id": "doc", "perm": "rw"}]}`
	mayRead  = `{"allow": true, "sub": "ann", "rooms": [{"id": "doc", "perm": "r"}]}`
)

// judged is a world whose webhook is asked again every minute.
func judged(t *testing.T, o *oracle, every time.Duration) (*world, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	return newWorld(t, func(c *edge.Config) {
		c.Auth.Method, c.Auth.HTTPClient = "webhook:https://app.test/auth", &http.Client{Transport: o}
		c.Recheck, c.Metrics = every, registry
		c.Logger = slog.New(slog.DiscardHandler)
	}), registry
}

func isGranted(f *roomsv1.EdgeFrame) bool { return f.GetGrants() != nil }

// ears are a client that reads all the time, as clients do.
type ears struct {
	*peer
	frames chan string // in hex
	err    error       // why the socket has ended, once frames is closed
}

func listen(p *peer) *ears {
	_ = p.conn.SetReadDeadline(time.Time{})
	e := &ears{peer: p, frames: make(chan string, 10_000)}
	go func() {
		defer close(e.frames)
		for {
			var data []byte
			if _, data, e.err = p.conn.ReadMessage(); e.err != nil {
				return
			}
			e.frames <- hex.EncodeToString(data)
		}
	}()
	return e
}

// until waits for a frame.
func (e *ears) until(frame string) {
	e.t.Helper()
	late := time.After(time.Hour) // of the bubble's
	for {
		select {
		case got, open := <-e.frames:
			if !open {
				e.t.Fatalf("%v before %s came", e.err, frame)
			}
			if got == hex.EncodeToString(dialecttest.Bytes(e.t, frame)) {
				return
			}
		case <-late:
			e.t.Fatalf("%s hasn't come", frame)
		}
	}
}

// wantClose waits until the socket is closed.
func (e *ears) wantClose(code int) {
	e.t.Helper()
	for range e.frames {
		continue
	}
	if !websocket.IsCloseError(e.err, code) {
		e.t.Errorf("%v, want close %d", e.err, code)
	}
}

// Who is in keeps what it was let in with while the webhook says the same, hears of
// other grants within the time, and is put out when nothing is granted any more.
func TestRightsAreAskedAgain(t *testing.T) {
	for name, end := range map[string]struct {
		status int
		answer string
		code   int
	}{
		"not any more": {200, `{"allow": false}`, 4403},
		"another room": {200, strings.Replace(mayWrite, "doc", "other", 1), 4403},
		"nobody":       {401, "", 4401},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &oracle{status: 200, answer: mayWrite}
				w, registry := judged(t, o, time.Minute)
				p := listen(w.sync("doc"))
				time.Sleep(10 * time.Minute)
				if n := w.count(isGranted); n != 0 {
					t.Errorf("rooms heard %d times of the same grants", n)
				}
				asked := o.times()
				for i, at := range asked[1:] {
					if pause := at.Sub(asked[i]); pause > time.Minute || pause < 45*time.Second {
						t.Errorf("asked after %s, want 45s to 1m", pause)
					}
				}
				o.says(200, mayRead)
				time.Sleep(time.Minute)
				w.until("fewer grants", isGrants(roomsv1.Level_LEVEL_READ))
				o.says(200, mayWrite)
				time.Sleep(time.Minute)
				w.until("more grants", isGrants(roomsv1.Level_LEVEL_WRITE))
				o.says(end.status, end.answer)
				began := time.Now()
				p.wantClose(end.code)
				if took := time.Since(began); took > time.Minute {
					t.Errorf("put out after %s, want a minute at most", took)
				}
				for result, want := range map[string]float64{"changed": 2, "ended": 1} {
					if got := rechecks(t, registry, result); got != want {
						t.Errorf("%s: %v, want %v", result, got, want)
					}
				}
			})
		})
	}
}

func rechecks(t *testing.T, registry *prometheus.Registry, result string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "fjord_edge_rechecks_total" && m.GetLabel()[0].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no metric for %s", result)
	return 0
}

// A webhook that is away takes nothing from who is in, for a while; then they must
// come back, as everybody else.
func TestRightsHoldWhileNobodyKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{status: 200, answer: mayWrite}
		w, _ := judged(t, o, time.Minute)
		p := listen(w.sync("doc"))
		o.says(503, "")
		time.Sleep(100 * time.Second) // it was asked once at least, and for less than a minute
		o.says(200, mayWrite)
		time.Sleep(10 * time.Minute)
		p.send("00 02 01 05")
		p.until("00 02 01 05")
		o.says(503, "")
		began := time.Now()
		p.wantClose(1013)
		if took := time.Since(began); took < time.Minute || took > 3*time.Minute {
			t.Errorf("closed after %s, want one to three minutes", took)
		}
	})
}

// Documents are asked about one by one, with the token that let the client in last;
// the socket stays.
func TestRightsToDocumentsAreAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{status: 200, answer: mayWrite}
		w, _ := judged(t, o, time.Minute)
		p := listen(w.enters("t"))
		time.Sleep(5 * time.Minute)
		if n := w.count(isGranted); n != 0 {
			t.Errorf("rooms heard %d times of the same grants", n)
		}
		o.says(200, mayRead)
		p.until(name("doc") + reads)
		w.until("fewer grants", isGrants(roomsv1.Level_LEVEL_READ))
		o.says(403, "")
		p.until(name("doc") + refusal)
		w.until("leave", func(f *roomsv1.EdgeFrame) bool { return f.GetLeave() != nil })
		o.says(200, strings.Replace(mayWrite, "doc", "other", 1))
		p.send(name("other") + says("t"))
		p.until(name("other") + granted)
	})
}

// Unless it was said, nobody is asked again.
func TestRightsAreAskedOnceByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{status: 200, answer: mayWrite}
		w, _ := judged(t, o, 0)
		listen(w.sync("doc"))
		time.Sleep(24 * time.Hour)
		if n := len(o.times()); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}

// Whether a room is there is asked of who comes, not of who is in: one that nobody has
// made yet is there for them, and rooms that are away put nobody out.
func TestRightsDoNotHangOnTheRoom(t *testing.T) {
	for name, change := range map[string]func(*world){
		"empty": func(w *world) { w.rooms.SetMissing("doc") },
		"away":  func(w *world) { w.rooms.SetDown(true) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &oracle{status: 200, answer: strings.Replace(mayWrite, `"rw"`, `"rw", "create": false`, 1)}
				w, _ := judged(t, o, time.Minute)
				p := listen(w.sync("doc"))
				change(w)
				time.Sleep(10 * time.Minute)
				w.rooms.SetDown(false)
				p.send("00 02 01 05")
				p.until("00 02 01 05")
			})
		})
	}
}

// A token that comes while the older one is asked about has the last word, whatever
// becomes of that.
func TestNewerTokenWinsOverTheQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{status: 200, answer: mayWrite}
		w, _ := judged(t, o, time.Minute)
		p := listen(w.enters("older"))
		asked := make(chan struct{}, 100)
		o.judges(func(body string) (int, string) {
			if strings.Contains(body, `"token":"newer"`) {
				return 200, mayRead
			}
			asked <- struct{}{}
			time.Sleep(500 * time.Millisecond)
			return 401, ""
		})
		<-asked
		p.send(name("doc") + says("newer"))
		p.until(name("doc") + reads)
		time.Sleep(10 * time.Minute)
		if w.count(isGrants(roomsv1.Level_LEVEL_READ)) != 1 || w.count(func(f *roomsv1.EdgeFrame) bool { return f.GetLeave() != nil }) != 0 {
			t.Error("the older token had the last word")
		}
	})
}

// However many are asked about, a webhook that is slow is asked by half of its
// connections: who comes finds another.
func TestRightsAreAskedFewAtATime(t *testing.T) {
	const documents = 100
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{status: 200, answer: strings.Replace(mayWrite, `"id": "doc"`, `"prefix": ""`, 1)}
		w, registry := judged(t, o, time.Second)
		p := listen(w.carry("/"))
		for i := range documents {
			room := fmt.Sprintf("d%02d", i)
			p.send(name(room) + says("t"))
			p.send(name(room) + stepOne)
			p.until(name(room) + noStep2)
		}
		var mu sync.Mutex
		var now, most int
		o.judges(func(string) (int, string) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(900 * time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			return 200, o.answer
		})
		time.Sleep(2 * time.Minute)
		if most != 32 {
			t.Errorf("%d at a time, want 32", most)
		}
		if got := rechecks(t, registry, "unavailable"); got != 0 {
			t.Errorf("%v had no answer", got)
		}
	})
}
