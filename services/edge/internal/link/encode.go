package link

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// The numbers of the fields in link.proto that are written here. A test compares
// each frame with what the generated code reads.
const (
	requestHello  = 1
	requestFrames = 2

	helloEdge = 1

	frameAttachment     = 1
	frameSession        = 2
	frameAttach         = 3
	frameDetach         = 4
	frameJoin           = 5
	frameLeave          = 6
	frameStep1          = 7
	frameUpdate         = 8
	frameAwareness      = 9
	frameQueryAwareness = 10
	frameRelay          = 11
	frameGrants         = 12

	attachRoom   = 1
	attachResume = 2
	attachParent = 3
	resumeSeq    = 1
	joinGrants   = 2
	step1Vector  = 1
	updateTicket = 1
	updateBytes  = 2
	updateStep2  = 3

	grantsLevel    = 1
	grantsPresence = 2
	grantsCreate   = 3
	grantsSubject  = 4
	grantsTokenID  = 5
)

// appendHello appends a LinkRequest of an EdgeHello.
func appendHello(dst []byte, edge string) []byte {
	var hello []byte
	hello = protowire.AppendTag(hello, helloEdge, protowire.BytesType)
	hello = protowire.AppendString(hello, edge)
	dst = protowire.AppendTag(dst, requestHello, protowire.BytesType)
	return protowire.AppendBytes(dst, hello)
}

// appendAttach appends a LinkRequest of one frame: Attach, with a Resume if
// resume isn't nil, and the traceparent if there is one.
func appendAttach(dst []byte, attachment uint64, room string, resume *uint64, parent string) []byte {
	var body []byte
	body = protowire.AppendTag(body, attachRoom, protowire.BytesType)
	body = protowire.AppendString(body, room)
	if resume != nil {
		var r []byte
		r = protowire.AppendTag(r, resumeSeq, protowire.VarintType)
		r = protowire.AppendVarint(r, *resume)
		body = protowire.AppendTag(body, attachResume, protowire.BytesType)
		body = protowire.AppendBytes(body, r)
	}
	if parent != "" {
		body = protowire.AppendTag(body, attachParent, protowire.BytesType)
		body = protowire.AppendString(body, parent)
	}
	return appendFrame(dst, attachment, 0, frameAttach, body)
}

// appendDetach appends a LinkRequest of one frame: Detach.
func appendDetach(dst []byte, attachment uint64) []byte {
	return appendFrame(dst, attachment, 0, frameDetach, nil)
}

// appendSessionFrame appends a LinkRequest of one frame that a session says.
// LinkRequests that follow one another in a buffer are one LinkRequest with all
// their frames: that is how protobuf defines repeated fields.
func appendSessionFrame(dst []byte, attachment, id uint64, f session.Frame) []byte {
	switch f.Kind {
	case session.Join:
		body := protowire.AppendTag(nil, joinGrants, protowire.BytesType)
		return appendFrame(dst, attachment, id, frameJoin, protowire.AppendBytes(body, appendGrants(nil, f.Grants)))
	case session.Regrant:
		return appendFrame(dst, attachment, id, frameGrants, appendGrants(nil, f.Grants))
	case session.Leave:
		return appendFrame(dst, attachment, id, frameLeave, nil)
	case session.Step1:
		dst = appendHead(dst, attachment, id, frameStep1, bytesField(len(f.Bytes)))
		dst = protowire.AppendTag(dst, step1Vector, protowire.BytesType)
		return protowire.AppendBytes(dst, f.Bytes)
	case session.Update, session.Step2:
		return appendUpdate(dst, attachment, id, f)
	case session.Awareness:
		return appendFrame(dst, attachment, id, frameAwareness, f.Bytes)
	case session.QueryAwareness:
		return appendFrame(dst, attachment, id, frameQueryAwareness, nil)
	case session.Relay:
		dst = appendHead(dst, attachment, id, frameRelay, len(f.Head)+len(f.Bytes))
		return append(append(dst, f.Head...), f.Bytes...)
	default:
		return dst
	}
}

// appendGrants appends the content of a Grants.
func appendGrants(dst []byte, g *session.Grants) []byte {
	if g.Level != 0 {
		dst = protowire.AppendTag(dst, grantsLevel, protowire.VarintType)
		dst = protowire.AppendVarint(dst, uint64(g.Level))
	}
	for _, flag := range []struct {
		field protowire.Number
		set   bool
	}{{grantsPresence, g.Presence}, {grantsCreate, g.Create}} {
		if flag.set {
			dst = protowire.AppendTag(dst, flag.field, protowire.VarintType)
			dst = protowire.AppendVarint(dst, 1)
		}
	}
	if g.Subject != "" {
		dst = protowire.AppendTag(dst, grantsSubject, protowire.BytesType)
		dst = protowire.AppendString(dst, g.Subject)
	}
	if g.TokenID != "" {
		dst = protowire.AppendTag(dst, grantsTokenID, protowire.BytesType)
		dst = protowire.AppendString(dst, g.TokenID)
	}
	return dst
}

// appendUpdate appends a ClientUpdate.
func appendUpdate(dst []byte, attachment, id uint64, f session.Frame) []byte {
	size := bytesField(len(f.Bytes))
	if f.Ticket != 0 {
		size += 1 + protowire.SizeVarint(f.Ticket)
	}
	if f.Kind == session.Step2 {
		size += 2
	}
	dst = appendHead(dst, attachment, id, frameUpdate, size)
	if f.Ticket != 0 {
		dst = protowire.AppendTag(dst, updateTicket, protowire.VarintType)
		dst = protowire.AppendVarint(dst, f.Ticket)
	}
	dst = protowire.AppendTag(dst, updateBytes, protowire.BytesType)
	dst = protowire.AppendBytes(dst, f.Bytes)
	if f.Kind == session.Step2 {
		dst = protowire.AppendTag(dst, updateStep2, protowire.VarintType)
		dst = protowire.AppendVarint(dst, 1)
	}
	return dst
}

// appendFrame appends a LinkRequest of one frame whose body is field with the
// given content.
func appendFrame(dst []byte, attachment, id uint64, field protowire.Number, body []byte) []byte {
	return append(appendHead(dst, attachment, id, field, len(body)), body...)
}

// appendHead appends a LinkRequest of one frame up to the content of its body,
// which is size bytes and follows. All tags are one byte: no field number
// above 15 is used.
func appendHead(dst []byte, attachment, id uint64, field protowire.Number, size int) []byte {
	frame := 1 + protowire.SizeVarint(attachment) + bytesField(size)
	if id != 0 {
		frame += 1 + protowire.SizeVarint(id)
	}
	dst = protowire.AppendTag(dst, requestFrames, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(frame))
	dst = protowire.AppendTag(dst, frameAttachment, protowire.VarintType)
	dst = protowire.AppendVarint(dst, attachment)
	if id != 0 {
		dst = protowire.AppendTag(dst, frameSession, protowire.VarintType)
		dst = protowire.AppendVarint(dst, id)
	}
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	return protowire.AppendVarint(dst, uint64(size))
}

// bytesField is the size of a bytes field of n bytes, its tag included.
func bytesField(n int) int { return 1 + protowire.SizeBytes(n) }

// request is an encoded LinkRequest.
type request struct{ bytes []byte }

// codec is protobuf, except that requests are encoded already. Frames are
// encoded when a session says them: what gathers for a link is then counted in
// the very bytes that it takes, and a keystroke costs no objects.
type codec struct{ metrics *Metrics }

// Name returns the name under which the rooms service knows the encoding.
func (codec) Name() string { return "proto" }

// Marshal returns a request's bytes. connect keeps what it is given.
func (c codec) Marshal(m any) ([]byte, error) { return c.MarshalAppend(nil, m) }

// MarshalAppend appends a request's bytes.
func (c codec) MarshalAppend(dst []byte, m any) ([]byte, error) {
	r, ok := m.(*request)
	if !ok {
		return nil, fmt.Errorf("link codec: cannot encode %T: want a request", m)
	}
	c.metrics.bytesOut.Add(float64(len(r.bytes)))
	return append(dst, r.bytes...), nil
}

// Unmarshal reads a protobuf message.
func (c codec) Unmarshal(data []byte, m any) error {
	p, ok := m.(proto.Message)
	if !ok {
		return fmt.Errorf("link codec: cannot decode %T: want a protobuf message", m)
	}
	c.metrics.bytesIn.Add(float64(len(data)))
	return proto.Unmarshal(data, p)
}
