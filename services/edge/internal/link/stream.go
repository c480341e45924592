package link

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/rescue"
)

// stream is one life of a link.
type stream = connect.BidiStreamForClient[request, roomsv1.LinkResponse]

var errNoAnswer = errors.New("no answer in time: is a rooms process listening there, with HTTP/2?")

// run dials, and dials again whenever the stream breaks, until ctx ends.
func (l *Link) run(ctx context.Context) {
	pauses := l.cfg.pauses()
	for ctx.Err() == nil {
		stood, err := l.live(ctx)
		if ctx.Err() != nil {
			return
		}
		if stood {
			pauses.Reset()
		}
		pause := pauses.NextBackOff()
		l.cfg.Logger.Warn("link broke", "rooms", l.name, "stood", stood, "error", err, "retry_in", pause.Round(time.Millisecond).String())
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// live runs one stream to its end, and reports whether it ever stood.
func (l *Link) live(ctx context.Context) (stood bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := l.client.CallBidiStream(ctx)
	// A canceled context alone ends nothing: net/http looks at it only once the
	// request's body has ended.
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = s.CloseRequest()
	})
	defer func() {
		cancel(nil)
		<-closed
		_ = s.CloseResponse()
	}()

	if err := l.greet(s, cancel); err != nil {
		return false, errors.Join(context.Cause(ctx), err)
	}
	q := newQueue(l.cfg.QueueLimit)
	var sender sync.WaitGroup
	sender.Go(func() {
		if err := l.send(ctx, s, q); err != nil {
			cancel(err)
		}
	})
	l.up(q)
	err = l.receive(s)
	l.down()
	q.close()
	cancel(nil)
	sender.Wait()
	return true, err
}

// greet says hello and waits for the first response: the link stands.
func (l *Link) greet(s *stream, cancel context.CancelCauseFunc) error {
	late := time.AfterFunc(l.cfg.ConnectTimeout, func() { cancel(errNoAnswer) })
	defer late.Stop()
	// A failed Send says only that the stream is over; Receive says why.
	_ = s.Send(&request{appendHello(nil, l.cfg.Edge)})
	first, err := s.Receive()
	if err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	if n := len(first.GetFrames()); n > 0 {
		return fmt.Errorf("greet: %d frames before anything was attached", n)
	}
	l.heed(first)
	return nil
}

// heed passes on what is revoked.
func (l *Link) heed(response *roomsv1.LinkResponse) {
	if r := response.GetRevocations(); r != nil && l.cfg.Revoked != nil {
		l.cfg.Revoked(l.name, r)
	}
}

// send is the sender: the only one that sends once the link stands.
func (l *Link) send(ctx context.Context, s *stream, q *queue) (err error) {
	defer func() { l.cfg.Rescuer.Caught("link", recover(), func() { err = rescue.ErrPanic }) }()
	for {
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil
		}
		for chunk := q.take(); chunk != nil; chunk = q.take() {
			if err := s.Send(&request{chunk}); err != nil {
				return fmt.Errorf("send: %w", err)
			}
			q.sent(chunk)
		}
	}
}

// receive delivers frames until the stream ends.
func (l *Link) receive(s *stream) (err error) {
	defer func() { l.cfg.Rescuer.Caught("link", recover(), func() { err = rescue.ErrPanic }) }()
	for {
		response, err := s.Receive()
		if err != nil {
			if connect.CodeOf(err) == connect.CodeResourceExhausted && !connect.IsWireError(err) {
				l.cfg.Reached.Hit("max-link-message")
			}
			return fmt.Errorf("receive: %w", err)
		}
		l.heed(response)
		for _, f := range response.GetFrames() {
			l.deliver(f)
		}
	}
}

// up makes q the link's queue and attaches all rooms again.
func (l *Link) up(q *queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = q
	l.cfg.Metrics.up.WithLabelValues(l.name).Set(1)
	if l.stood {
		l.cfg.Metrics.relinks.WithLabelValues(l.name).Inc()
	}
	l.stood = true
	l.cfg.Logger.Info("link stands", "rooms", l.name, "attachments", len(l.rooms))
	for _, a := range l.rooms {
		a.mu.Lock()
		l.attachLocked(a)
		a.mu.Unlock()
	}
	l.signalLocked()
}

// down makes all attachments wait for the next stream. Those of relay rooms
// end: what was lost there cannot be asked for again, so their clients must
// begin anew.
func (l *Link) down() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = nil
	clear(l.numbers)
	l.cfg.Metrics.up.WithLabelValues(l.name).Set(0)
	for _, a := range l.rooms {
		a.mu.Lock()
		a.waitLocked()
		if a.relays() {
			l.endLocked(a, relayBroke)
		}
		a.mu.Unlock()
	}
}
