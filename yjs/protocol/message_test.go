package protocol_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs/internal/difftest"
	"github.com/fjord-sync/fjord/yjs/lib0"
	"github.com/fjord-sync/fjord/yjs/protocol"
)

// messages are what clients of y-websocket say and hear.
var messages = []struct {
	bytes   []byte
	message protocol.Message
	name    string
}{
	{[]byte{0, 0, 1, 0}, protocol.Message{Type: protocol.MessageSync, Sync: protocol.SyncStep1, Body: []byte{0}}, "sync"},
	{[]byte{0, 1, 2, 0, 0}, protocol.Message{Type: protocol.MessageSync, Sync: protocol.SyncStep2, Body: []byte{0, 0}}, "sync"},
	{[]byte{0, 2, 2, 0, 0}, protocol.Message{Type: protocol.MessageSync, Sync: protocol.SyncUpdate, Body: []byte{0, 0}}, "sync"},
	{[]byte{1, 6, 1, 0x2a, 7, 2, '{', '}'}, protocol.Message{Type: protocol.MessageAwareness, Body: []byte{1, 0x2a, 7, 2, '{', '}'}}, "awareness"},
	{[]byte{2, 0, 2, 'n', 'o'}, protocol.Message{Type: protocol.MessageAuth, Body: []byte("no")}, "auth"},
	{[]byte{3}, protocol.Message{Type: protocol.MessageQueryAwareness}, "query awareness"},
}

func TestMessage(t *testing.T) {
	for _, c := range messages {
		if got := protocol.AppendMessage([]byte{9}, c.message); !bytes.Equal(got[1:], c.bytes) {
			t.Errorf("%v: wrote % x, want % x", c.message, got[1:], c.bytes)
		}
		want := []byte{7}
		if c.message.Type == protocol.MessageQueryAwareness {
			want = nil // whatever follows belongs to it
		}
		m, rest, err := protocol.ReadMessage(append(bytes.Clone(c.bytes), 7))
		if m.Type != c.message.Type || m.Sync != c.message.Sync || !bytes.Equal(m.Body, c.message.Body) || !bytes.Equal(rest, want) || err != nil {
			t.Errorf("% x: %v, rest % x, %v", c.bytes, m, rest, err)
		}
		if m.Type.String() != c.name {
			t.Errorf("name %q, want %q", m.Type, c.name)
		}
		for i := range c.bytes {
			if _, _, err := protocol.ReadMessage(c.bytes[:i]); !errors.Is(err, lib0.ErrTruncated) {
				t.Errorf("% x cut at %d: %v", c.bytes, i, err)
			}
		}
	}
}

func TestMessageRefused(t *testing.T) {
	for want, src := range map[string][]byte{
		"unknown message type 4":       {4},
		"sync: unknown sync type 3":    {0, 3, 0},
		"auth: unknown type 1":         {2, 1, 0},
		"auth: reason: lib0: string":   {2, 0, 1, 0xff},
		"awareness: lib0: input ends":  {1, 5, 0},
		"message type: lib0: number a": bytes.Repeat([]byte{0x80}, 9),
	} {
		if m, rest, err := protocol.ReadMessage(src); err == nil || !strings.HasPrefix(err.Error(), want) || m.Body != nil || rest != nil {
			t.Errorf("% x: %v, rest % x, %v; want %s", src, m, rest, err, want)
		}
	}
}

// TestPackage holds what is written here against y-protocols' readers, and what they
// write against ours.
func TestPackage(t *testing.T) {
	o := difftest.Start(t, "testdata/oracle.mjs")
	var answer struct {
		// Sync is what y-protocols writes: step 1, the answer to the step 1 that it was
		// sent, and the update that it was sent.
		Sync   [][]byte `json:"sync"`
		Text   string   `json:"text"`   // what the document reads that it has
		Denied []byte   `json:"denied"` // as it denies permission
		Reason string   `json:"reason"` // why it was denied permission
	}
	update := []byte{1, 1, 101, 0, 4, 1, 1, 't', 2, 'h', 'i', 0}
	o.Ask(t, map[string]any{
		"messages": [][]byte{
			protocol.AppendSync(nil, protocol.SyncStep2, update),
			protocol.AppendSync(nil, protocol.SyncUpdate, []byte{0, 0}),
			protocol.AppendSync(nil, protocol.SyncStep1, []byte{0}),
		},
		"denied": protocol.AppendPermissionDenied(nil, "né"),
		"update": update,
	}, &answer)
	if answer.Text != "hi" || answer.Reason != "né" {
		t.Errorf("it reads %q, denied because of %q", answer.Text, answer.Reason)
	}
	for i, want := range []struct {
		typ  protocol.SyncType
		body []byte
	}{{protocol.SyncStep1, []byte{1, 101, 2}}, {protocol.SyncStep2, update}, {protocol.SyncUpdate, update}} {
		typ, body, rest, err := protocol.ReadSync(answer.Sync[i])
		if typ != want.typ || !bytes.Equal(body, want.body) || len(rest) != 0 || err != nil {
			t.Errorf("% x: %v % x, rest % x, %v; want %v % x", answer.Sync[i], typ, body, rest, err, want.typ, want.body)
		}
	}
	if reason, rest, err := protocol.ReadPermissionDenied(answer.Denied); string(reason) != "né" || len(rest) != 0 || err != nil {
		t.Errorf("% x: %q, rest % x, %v", answer.Denied, reason, rest, err)
	}
}

func FuzzReadMessage(f *testing.F) {
	for _, c := range messages {
		f.Add(c.bytes)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m, rest, err := protocol.ReadMessage(src)
		if err != nil {
			return
		}
		again, after, err := protocol.ReadMessage(append(protocol.AppendMessage(nil, m), rest...))
		if again.Type != m.Type || again.Sync != m.Sync || !bytes.Equal(again.Body, m.Body) || !bytes.Equal(after, rest) || err != nil {
			t.Errorf("% x reads %v, then %v, rest % x, %v", src, m, again, after, err)
		}
	})
}

func FuzzReadPermissionDenied(f *testing.F) {
	f.Add(protocol.AppendPermissionDenied(nil, "né"))
	f.Add([]byte{0x80, 0, 1, 'x', 9})
	f.Add([]byte{0, 1, 0xff})
	f.Fuzz(func(t *testing.T, src []byte) {
		reason, rest, err := protocol.ReadPermissionDenied(src)
		if err != nil {
			return
		}
		again, after, err := protocol.ReadPermissionDenied(append(protocol.AppendPermissionDenied(nil, string(reason)), rest...))
		if !bytes.Equal(again, reason) || !bytes.Equal(after, rest) || err != nil {
			t.Errorf("% x reads %q, then %q, rest % x, %v", src, reason, again, after, err)
		}
	})
}
