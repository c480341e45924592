package link

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// sendTimeout is how long one message may take to leave; the largest document
// does in much less.
const sendTimeout = time.Minute

// Breakable serves a handler such that its links end when a message doesn't leave
// in time. The edge may be stuck while its connection lives and answers pings:
// HTTP/2 would then have a Send wait for ever for the stream's window, and the
// edge's rooms would stay held and its users be shown.
func Breakable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), writerKey{}, http.NewResponseController(w))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

type writerKey struct{}

// deadline breaks a stream off in the midst of a Send.
type deadline struct {
	writer *http.ResponseController // nil if the handler isn't Breakable

	mu      sync.Mutex // guards sending, and the writer once the handler may return
	sending bool
	timer   *time.Timer
}

func newDeadline(ctx context.Context) *deadline {
	d := &deadline{}
	d.writer, _ = ctx.Value(writerKey{}).(*http.ResponseController)
	return d
}

// bound calls send, which fails if it takes longer than sendTimeout.
func (d *deadline) bound(send func() error) error {
	if d.writer == nil {
		return send()
	}
	d.set(true)
	defer d.set(false)
	if d.timer == nil {
		d.timer = time.AfterFunc(sendTimeout, d.pass)
	} else {
		d.timer.Reset(sendTimeout)
	}
	defer d.timer.Stop()
	return send()
}

func (d *deadline) set(sending bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sending = sending
}

// pass is called by the timer. A deadline that has passed resets the stream, and
// with it the Send that waits.
func (d *deadline) pass() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sending {
		_ = d.writer.SetWriteDeadline(time.Unix(1, 0))
	}
}
