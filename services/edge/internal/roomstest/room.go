package roomstest

import (
	"slices"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// room is what outlives links.
type room struct {
	log      [][]byte
	presence []byte
}

func (s *Server) attachLocked(l *Link, number uint64, a *roomsv1.Attach) {
	r := s.roomLocked(a.GetRoom())
	l.Send(&roomsv1.RoomFrame{Attachment: number, Body: &roomsv1.RoomFrame_Attached{Attached: &roomsv1.Attached{
		Kind: s.kindLocked(a.GetRoom()), Seq: uint64(len(r.log)), StateVector: r.vector(),
	}}})
	if a.GetResume() == nil {
		return
	}
	for i := a.GetResume().GetSeq(); i < uint64(len(r.log)); i++ {
		f := broadcast(i+1, r.log[i])
		f.Attachment = number
		l.Send(f)
	}
}

func (s *Server) answerLocked(l *Link, name string, f *roomsv1.EdgeFrame) {
	r := s.roomLocked(name)
	reply := func(out *roomsv1.RoomFrame) {
		out.Attachment, out.Session = f.GetAttachment(), f.GetSession()
		l.Send(out)
	}
	switch body := f.GetBody().(type) {
	case *roomsv1.EdgeFrame_Leave:
		l.removeLocked(f.GetAttachment(), f.GetSession())
	case *roomsv1.EdgeFrame_Step1:
		reply(&roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_SyncReply{SyncReply: &roomsv1.SyncReply{
			Update: slices.Concat(r.log...), StateVector: r.vector(), Seq: uint64(len(r.log)),
		}}})
		if r.presence != nil {
			reply(&roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Awareness{Awareness: r.presence}})
		}
	case *roomsv1.EdgeFrame_QueryAwareness:
		reply(&roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Awareness{Awareness: r.presence}})
	case *roomsv1.EdgeFrame_Update:
		s.appendLocked(name, body.Update.GetUpdate())
		if body.Update.GetTicket() != 0 {
			reply(&roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Result{Result: &roomsv1.UpdateResult{Ticket: body.Update.GetTicket()}}})
		}
	case *roomsv1.EdgeFrame_Awareness:
		r.presence = body.Awareness
		s.tellLocked(name, func() *roomsv1.RoomFrame {
			return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Awareness{Awareness: body.Awareness}}
		})
	case *roomsv1.EdgeFrame_Relay:
		s.relayLocked(l, name, f)
	}
}

func (s *Server) relayLocked(from *Link, name string, f *roomsv1.EdgeFrame) {
	for _, l := range s.links {
		for number, room := range l.rooms {
			if room != name {
				continue
			}
			relayed := &roomsv1.Relayed{Data: f.GetRelay()}
			if l == from && number == f.GetAttachment() {
				relayed.FromSession = f.GetSession()
			}
			l.Send(&roomsv1.RoomFrame{Attachment: number, Body: &roomsv1.RoomFrame_Relayed{Relayed: relayed}})
		}
	}
}

func (s *Server) appendLocked(name string, update []byte) {
	r := s.roomLocked(name)
	r.log = append(r.log, update)
	seq := uint64(len(r.log))
	s.tellLocked(name, func() *roomsv1.RoomFrame { return broadcast(seq, update) })
}

func (s *Server) tellLocked(name string, f func() *roomsv1.RoomFrame) {
	for _, l := range s.links {
		for number, room := range l.rooms {
			if room == name {
				frame := f()
				frame.Attachment = number
				l.Send(frame)
			}
		}
	}
}

func (s *Server) roomLocked(name string) *room {
	r := s.rooms[name]
	if r == nil {
		r = &room{}
		s.rooms[name] = r
	}
	return r
}

func (s *Server) kindLocked(name string) roomsv1.RoomKind {
	if s.kind == nil {
		return roomsv1.RoomKind_ROOM_KIND_DURABLE
	}
	return s.kind(name)
}

// vector is a state vector of one client, whose clock is the log's length.
func (r *room) vector() []byte {
	if len(r.log) == 0 {
		return []byte{0}
	}
	return []byte{1, 1, byte(len(r.log) & 0x7f)}
}

func broadcast(seq uint64, update []byte) *roomsv1.RoomFrame {
	return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Broadcast{Broadcast: &roomsv1.Broadcast{Seq: seq, Update: update}}}
}
