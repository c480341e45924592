package edge

import (
	"bytes"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
)

// verdict is what becomes of a message to a document.
type verdict uint8

const (
	free     verdict = iota // the document is open: say it
	heldUp                  // it is held, or for nobody
	mustWait                // it must be said when the document is open
	tooMuch                 // more than a stranger may say
)

// hold keeps a message for a document that isn't open yet.
func (d *document) hold(m dialect.Message) verdict {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return heldUp
	}
	if m.Kind == dialect.Token {
		if d.session != nil {
			d.renewLocked(string(m.Body))
		} else {
			d.knockLocked(token{text: string(m.Body)})
		}
		return heldUp
	}
	if d.opened {
		return free
	}
	if m.Kind == dialect.Step1 && !d.asked {
		d.knockLocked(token{absent: true})
	}
	c := d.client
	size := int64(len(m.Body))
	if c.heldBytes.Load()+size > int64(c.edge.cfg.Limits.EarlyBytes) || c.heldMessages.Load() >= int64(c.edge.cfg.Limits.EarlyMessages) {
		if d.admitted {
			return mustWait
		}
		return tooMuch
	}
	m.Body = bytes.Clone(m.Body)
	d.held = append(d.held, m)
	d.heldBytes += len(m.Body)
	c.heldBytes.Add(size)
	c.heldMessages.Add(1)
	return heldUp
}

// heldLimit names the limit that hold found reached.
func (d *document) heldLimit() string {
	if d.client.heldMessages.Load() >= int64(d.client.edge.cfg.Limits.EarlyMessages) {
		return "max-early-messages"
	}
	return "max-early-bytes"
}

// release returns what is held. If that is nothing, the document is open.
func (d *document) release() []dialect.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened = len(d.held) == 0
	return d.releaseLocked()
}

func (d *document) releaseLocked() []dialect.Message {
	held := d.held
	d.client.heldBytes.Add(-int64(d.heldBytes))
	d.client.heldMessages.Add(-int64(len(held)))
	d.held, d.heldBytes = nil, 0
	return held
}
