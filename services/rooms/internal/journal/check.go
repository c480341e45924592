package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// checkTimeout bounds the question what of its rooms this process has lost.
const checkTimeout = 2 * time.Second

// maxHoldings is how many rooms one question names.
const maxHoldings = 10_000

var errNoSpace = errors.New("the disk of the storage service is full: nothing new is stored, and so nothing new is shown")

// Ready reports why storage can't be written to now, or nil.
func (j *Journal) Ready() error {
	response, err := j.check(j.ctx, nil)
	switch {
	case err != nil:
		return fmt.Errorf("storage doesn't answer: %w", err)
	case response.GetNoSpace():
		return errNoSpace
	}
	return nil
}

// Check returns the holdings that this process has lost. An error says nothing
// about any of them.
func (j *Journal) Check(ctx context.Context, holdings []room.Holding) (lost []room.Lapse, err error) {
	for len(holdings) > 0 {
		n := min(len(holdings), maxHoldings)
		wire := make([]*storagev1.Holding, n)
		for i, held := range holdings[:n] {
			wire[i] = &storagev1.Holding{Room: held.Room, Epoch: held.Epoch}
		}
		holdings = holdings[n:]
		response, err := j.check(ctx, wire)
		if err != nil {
			return nil, err
		}
		for _, l := range response.GetLapses() {
			why := fmt.Errorf("storage: %s: %s", l.GetReason(), l.GetMessage())
			lost = append(lost, room.Lapse{
				Room: l.GetRoom(), Err: why, Deleted: l.GetReason() == storagev1.ErrorReason_ERROR_REASON_DELETED,
			})
		}
	}
	return lost, nil
}

func (j *Journal) check(ctx context.Context, holdings []*storagev1.Holding) (*storagev1.CheckResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	response, err := j.storage.Check(ctx, connectRequest(&storagev1.CheckRequest{Holdings: holdings}))
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}
