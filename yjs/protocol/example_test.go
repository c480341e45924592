package protocol_test

import (
	"fmt"
	"log"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/awareness"
	"github.com/fjord-sync/fjord/yjs/protocol"
)

func ExampleReadSync() {
	message := protocol.AppendSync(nil, protocol.SyncStep1, []byte{0}) // an empty state vector
	kind, body, rest, err := protocol.ReadSync(message)
	fmt.Printf("%v %d %d %v\n", kind, body, len(rest), err)
	// Output: step 1 [0] 0 <nil>
}

// A server in short: what it answers to a frame of a client of y-websocket, and what it
// tells the others. (It would also look at who may do what, at how much there is of
// everything, and check presence with json.Valid.)
func ExampleReadMessage() {
	document := yjs.NewDocument()
	answer := func(frame []byte) (reply, others []byte, err error) {
		for len(frame) > 0 {
			var m protocol.Message
			if m, frame, err = protocol.ReadMessage(frame); err != nil {
				return nil, nil, err
			}
			switch {
			case m.Type == protocol.MessageAwareness:
				others = protocol.AppendMessage(others, m)
			case m.Type != protocol.MessageSync:
			case m.Sync == protocol.SyncStep1:
				lacks, err := document.EncodeStateAsUpdate(m.Body)
				if err != nil {
					return nil, nil, err
				}
				reply = protocol.AppendMessage(reply, protocol.Message{Type: protocol.MessageSync, Sync: protocol.SyncStep2, Body: lacks})
			default: // step 2 or an update
				if err := document.ApplyUpdate(m.Body); err != nil {
					return nil, nil, err
				}
				others = protocol.AppendMessage(others, protocol.Message{Type: protocol.MessageSync, Sync: protocol.SyncUpdate, Body: m.Body})
			}
		}
		return reply, others, nil
	}
	hi := []byte{1, 1, 101, 0, 4, 1, 1, 't', 2, 'h', 'i', 0} // "hi" in the text "t"
	edit := protocol.AppendMessage(nil, protocol.Message{Type: protocol.MessageSync, Sync: protocol.SyncStep2, Body: hi})
	for _, frame := range [][]byte{edit, {0, 0, 1, 0}} {
		reply, others, err := answer(frame)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("reply %x, others %x\n", reply, others)
	}
	// Output:
	// reply , others 00020c010165000401017402686900
	// reply 00010c010165000401017402686900, others
}

// Awareness of nobody is what keeps a connection alive on which nothing happens.
func ExampleAppendMessage() {
	keepalive := protocol.AppendMessage(nil, protocol.Message{Type: protocol.MessageAwareness, Body: awareness.Append(nil)})
	fmt.Printf("% x\n", keepalive)
	// Output: 01 01 00
}

func ExampleAppendPermissionDenied() {
	message := protocol.AppendPermissionDenied(nil, "no token")
	reason, _, err := protocol.ReadPermissionDenied(message)
	fmt.Printf("% x: %s, %v\n", message, reason, err)
	// Output: 00 08 6e 6f 20 74 6f 6b 65 6e: no token, <nil>
}
