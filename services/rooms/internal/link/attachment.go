package link

import (
	"context"
	"errors"
	"fmt"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/rooms/internal/registry"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// attachment is one room on one link: it carries the room's frames under the
// number that the edge chose.
type attachment struct {
	link   *link
	number uint64
	room   *registry.Attachment
}

// Deliver is called by the room's loop.
func (a *attachment) Deliver(frame *roomsv1.RoomFrame) {
	if _, last := frame.Body.(*roomsv1.RoomFrame_Detached); last {
		a.link.mu.Lock()
		delete(a.link.attachments, a.number)
		a.link.mu.Unlock()
	}
	frame.Attachment = a.number
	a.link.outbox.put(frame)
}

// Crowded is called by the room's loop.
func (a *attachment) Crowded(relieved func()) bool { return a.link.outbox.crowded(relieved) }

// take carries out one frame of the edge's. An error means that the edge doesn't
// keep the contract, and ends the link.
func (l *link) take(frame *roomsv1.EdgeFrame) error {
	if frame.GetAttachment() == 0 {
		return errors.New("attachment 0; attachments are numbered from 1")
	}
	if attach := frame.GetAttach(); attach != nil {
		return l.attach(frame.GetAttachment(), attach)
	}
	l.mu.Lock()
	a := l.attachments[frame.GetAttachment()]
	if frame.GetDetach() != nil {
		delete(l.attachments, frame.GetAttachment())
	}
	l.mu.Unlock()
	if a == nil {
		return nil // it was ended here while the frame was on its way
	}
	if frame.GetDetach() != nil {
		a.room.Detach()
		return nil
	}
	if frame.GetSession() == 0 {
		return errors.New("session 0; sessions are numbered from 1")
	}
	e, err := event(frame)
	if err != nil {
		return err
	}
	a.room.Post(e)
	return nil
}

// event translates a session's frame for the room.
func event(frame *roomsv1.EdgeFrame) (room.Event, error) {
	e := room.Event{Session: room.SessionID{Number: frame.GetSession()}}
	switch body := frame.Body.(type) {
	case *roomsv1.EdgeFrame_Join:
		e.Kind, e.Grants = room.Join, grants(body.Join.GetGrants())
	case *roomsv1.EdgeFrame_Grants:
		e.Kind, e.Grants = room.Regrant, grants(body.Grants)
	case *roomsv1.EdgeFrame_Leave:
		e.Kind = room.Leave
	case *roomsv1.EdgeFrame_Step1:
		e.Kind, e.Data = room.Step1, body.Step1.GetStateVector()
	case *roomsv1.EdgeFrame_Update:
		e.Kind, e.Data = room.Update, body.Update.GetUpdate()
		e.Ticket, e.Step2 = body.Update.GetTicket(), body.Update.GetStep2()
	case *roomsv1.EdgeFrame_Awareness:
		e.Kind, e.Data = room.Awareness, body.Awareness
	case *roomsv1.EdgeFrame_QueryAwareness:
		e.Kind = room.QueryAwareness
	case *roomsv1.EdgeFrame_Relay:
		e.Kind, e.Data = room.RelayData, body.Relay
	default:
		return e, fmt.Errorf("a frame of unknown kind (%T); is the edge newer than rooms?", frame.Body)
	}
	return e, nil
}

// levels are those of the wire. What isn't among them grants nothing.
var levels = map[roomsv1.Level]room.Level{
	roomsv1.Level_LEVEL_READ:  room.Read,
	roomsv1.Level_LEVEL_WRITE: room.Write,
	roomsv1.Level_LEVEL_ADMIN: room.Admin,
}

// grants translates what a session may do.
func grants(g *roomsv1.Grants) *room.Grants {
	return &room.Grants{
		Level:    levels[g.GetLevel()],
		Presence: g.GetPresence(),
		Create:   g.GetCreate(),
		Subject:  g.GetSubject(),
		TokenID:  g.GetTokenId(),
	}
}

// attach opens a room for the edge. That the room can't be had is told in a
// frame; a number that is in use breaks the contract.
func (l *link) attach(number uint64, attach *roomsv1.Attach) error {
	a := &attachment{link: l, number: number}
	var resume *uint64
	if attach.GetResume() != nil {
		seq := attach.GetResume().GetSeq()
		resume = &seq
	}
	// Under mu until the map has it: the room may answer before we return, and
	// its Detached must find the entry.
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return nil
	}
	if l.attachments[number] != nil {
		return fmt.Errorf("attachment %d is in use; each number is used once", number)
	}
	ctx := trace.Continue(context.Background(), attach.GetTraceparent())
	held, err := l.handler.registry.Attach(ctx, attach.GetRoom(), resume, a)
	if err != nil {
		l.outbox.put(&roomsv1.RoomFrame{Attachment: number, Body: &roomsv1.RoomFrame_Detached{
			Detached: &roomsv1.Detached{Reason: refusal(err), Message: err.Error()},
		}})
		return nil
	}
	a.room = held
	l.attachments[number] = a
	return nil
}

func refusal(err error) roomsv1.DetachReason {
	switch {
	case errors.Is(err, roomname.ErrInvalid):
		return roomsv1.DetachReason_DETACH_REASON_INVALID
	case errors.Is(err, registry.ErrFull), errors.Is(err, registry.ErrMemory):
		return roomsv1.DetachReason_DETACH_REASON_OVERLOADED
	default:
		return roomsv1.DetachReason_DETACH_REASON_DRAINING
	}
}

// detachAll lets go of all rooms when the link has ended.
func (l *link) detachAll() {
	l.mu.Lock()
	attachments := l.attachments
	l.attachments = nil
	l.ended = true
	l.mu.Unlock()
	for _, a := range attachments {
		a.room.Detach()
	}
}
