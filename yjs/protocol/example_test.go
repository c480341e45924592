package protocol_test

import (
	"fmt"

	"github.com/fjord-sync/fjord/yjs/protocol"
)

func ExampleReadSync() {
	message := protocol.AppendSync(nil, protocol.SyncStep1, []byte{0}) // an empty state vector
	kind, body, rest, err := protocol.ReadSync(message)
	fmt.Printf("%v %d %d %v\n", kind, body, len(rest), err)
	// Output: step 1 [0] 0 <nil>
}
