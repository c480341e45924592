package journal

import (
	"context"
	"errors"
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

// Isolate is Quarantine for who waits.
func (j *Journal) Isolate(ctx context.Context, name string, s room.Suspect) (id string, err error) {
	return j.quarantine(ctx, name, s)
}

// Patient is what is known of an item in quarantine.
type Patient struct {
	Damaged bool // a whole room, else one update
	Update  []byte
	// Of a damaged room: what can be read.
	Snapshot []byte
	Records  [][]byte
}

// Export reads an item out of quarantine.
func (j *Journal) Export(ctx context.Context, name, id string) (*Patient, error) {
	stream, err := j.storage.Export(ctx, connectRequest(&storagev1.ExportRequest{Room: name, Id: id}))
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	var p *Patient
	for stream.Receive() {
		item := stream.Msg().GetItem()
		switch {
		case item != nil && p == nil:
			p = &Patient{Damaged: item.GetKind() == storagev1.QuarantineKind_QUARANTINE_KIND_ROOM}
		case item != nil || p == nil:
			return nil, errors.New("storage's export doesn't begin with its item")
		}
		p.Update = append(p.Update, stream.Msg().GetUpdateChunk()...)
		p.Snapshot = append(p.Snapshot, stream.Msg().GetSnapshotChunk()...)
		for _, record := range stream.Msg().GetRecords().GetRecords() {
			p.Records = append(p.Records, record.GetData())
		}
	}
	if err := stream.Err(); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, errors.New("storage's export is empty")
	}
	return p, nil
}

// Discard takes an item out of quarantine for good; a damaged room is emptied.
func (j *Journal) Discard(ctx context.Context, name, id string) error {
	_, err := j.storage.Discard(ctx, connectRequest(&storagev1.DiscardRequest{Room: name, Id: id}))
	return err
}
