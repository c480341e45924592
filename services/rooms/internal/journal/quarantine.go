package journal

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// quarantinePatience is how long it is tried to put a live update that broke its
// room into quarantine. Nobody waits for it, and its sender still has it.
const quarantinePatience = time.Minute

// Quarantine has storage keep an update that broke a room. It doesn't wait.
func (j *Journal) Quarantine(name string, s room.Suspect) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return
	}
	s.Who += " at " + j.owner
	j.running.Go(func() {
		id, err := backoff.Retry(j.ctx, func() (string, error) {
			return j.quarantine(j.ctx, name, s)
		}, backoff.WithBackOff(retryPolicy()), backoff.WithMaxElapsedTime(quarantinePatience))
		if err != nil {
			j.log.Error("an update that broke its room couldn't be put into quarantine", "room", shorten(name), "bytes", len(s.Update), "error", err)
			return
		}
		j.log.Error("an update broke its room; it is in quarantine", "room", shorten(name), "id", id, "who", s.Who, "reason", s.Reason)
	})
}

func (j *Journal) quarantine(ctx context.Context, name string, s room.Suspect) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	response, err := j.storage.Quarantine(ctx, connectRequest(&storagev1.QuarantineRequest{
		Room: name, Seq: s.Seq, Data: s.Update, Reason: s.Reason, Who: s.Who,
	}))
	if err != nil {
		return "", err
	}
	j.metrics.quarantined.Inc()
	return response.Msg.GetId(), nil
}

// Discard takes an item out of quarantine for good; a damaged room is emptied.
func (j *Journal) Discard(ctx context.Context, name, id string) error {
	_, err := j.storage.Discard(ctx, connectRequest(&storagev1.DiscardRequest{Room: name, Id: id}))
	return err
}
