package dialect

// Delivery is one thing that is on its way to many sockets. It is encoded at
// most once per dialect and address, and the same bytes go to every socket.
// One goroutine uses it, and the frames that it returns are never modified.
type Delivery struct {
	encoded []encoding
	// first saves the usual delivery, which knows one dialect, a slice.
	first [1]encoding
}

type encoding struct {
	dialect Dialect
	kind    Kind
	address string
	frame   []byte
}

// maxEncoded is how many encodings are kept. Dialects are few; addresses may be
// as many as sessions, each with a use for its own encoding only, and to look
// through all of them each time would take the square of their number.
const maxEncoded = 8

// Reset forgets what was encoded, for the next thing to deliver.
func (d *Delivery) Reset() {
	clear(d.first[:])
	d.encoded = nil
}

// Frame returns the frame that says m in dialect in, empty if the dialect has
// no word for it. Between two Resets, messages of one kind and address must be
// the same message.
func (d *Delivery) Frame(in Dialect, m Message) []byte {
	if m.Kind == Raw {
		return m.Body
	}
	for i := range d.encoded {
		e := &d.encoded[i]
		if e.dialect == in && e.kind == m.Kind && e.address == m.Address {
			return e.frame
		}
	}
	e := encoding{in, m.Kind, m.Address, in.Append(nil, m)}
	if len(d.encoded) == maxEncoded {
		return e.frame
	}
	if d.encoded == nil {
		d.encoded = d.first[:0]
	}
	d.encoded = append(d.encoded, e)
	return e.frame
}
