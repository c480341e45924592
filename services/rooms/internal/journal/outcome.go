package journal

import (
	"fmt"
	"time"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// callTimeout bounds one try. A call that takes longer has an unknown outcome,
// like any other that fails.
const callTimeout = 15 * time.Second

func connectRequest[T any](message *T) *connect.Request[T] { return connect.NewRequest(message) }

// read tells whether an append's fate is known, and if so whether it is stored
// (nil) or the room must be let go. For an unknown fate the error says why.
func read(result *storagev1.AppendResult) (known bool, outcome error) {
	switch result.GetStatus() {
	case storagev1.AppendStatus_APPEND_STATUS_STORED:
		return true, nil
	case storagev1.AppendStatus_APPEND_STATUS_FENCED,
		storagev1.AppendStatus_APPEND_STATUS_CONFLICT,
		storagev1.AppendStatus_APPEND_STATUS_CORRUPT,
		storagev1.AppendStatus_APPEND_STATUS_INVALID:
		return true, fmt.Errorf("storage: %s: %s (head: epoch %d, seq %d)", result.GetStatus(),
			result.GetMessage(), result.GetHeadEpoch(), result.GetHeadSeq())
	case storagev1.AppendStatus_APPEND_STATUS_DELETED:
		return true, fmt.Errorf("storage: %w: %s", room.ErrDeleted, result.GetMessage())
	default: // UNKNOWN, NO_SPACE, and whatever a newer storage may say
		return false, fmt.Errorf("storage: %s: %s", result.GetStatus(), result.GetMessage())
	}
}
