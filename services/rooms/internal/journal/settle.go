package journal

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
)

// The pauses between tries grow from retryFirst to retryMost, with jitter, for as
// long as it takes.
const (
	retryFirst = 20 * time.Millisecond
	retryMost  = 2 * time.Second
)

func retryPolicy() *backoff.ExponentialBackOff {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval = retryFirst
	policy.MaxInterval = retryMost
	policy.Reset()
	return policy
}

// settle sends appends until storage answers. They keep their slot meanwhile:
// others would have no better luck, and what they have to say gathers.
func (j *Journal) settle(items []pending) {
	wait := retryPolicy()
	for {
		results, err := j.call(items)
		if err == nil {
			j.tell(items, results)
			return
		}
		j.unsettled(len(items), err)
		select {
		case <-time.After(wait.NextBackOff()):
		case <-j.ctx.Done():
			for _, p := range items {
				p.done(ErrClosed)
			}
			return
		}
	}
}

// call sends appends once. After an error all their outcomes are unknown.
func (j *Journal) call(items []pending) ([]*storagev1.AppendResult, error) {
	request := &storagev1.AppendRequest{Items: make([]*storagev1.AppendItem, len(items))}
	for i, p := range items {
		request.Items[i] = p.item
	}
	ctx, cancel := context.WithTimeout(j.ctx, callTimeout)
	defer cancel()
	response, err := j.storage.Append(ctx, connectRequest(request))
	if err != nil {
		return nil, err
	}
	j.metrics.calls.Inc()
	results := response.Msg.GetResults()
	if len(results) != len(items) {
		return nil, errors.New("storage answered another number of appends than it was asked")
	}
	return results, nil
}

// tell tells the rooms what became of their appends. Those that storage left open
// are put off without their slot: what troubles one room must not hold up others.
func (j *Journal) tell(items []pending, results []*storagev1.AppendResult) {
	var open []pending
	var why error
	for i, result := range results {
		p := items[i]
		known, outcome := read(result)
		if !known {
			p.tries++
			open, why = append(open, p), outcome
			continue
		}
		if outcome != nil {
			j.log.Warn("storage refuses an append; letting go of the room", "epoch", p.item.GetEpoch(), "seq", p.item.GetSeq(), "error", outcome)
		}
		if outcome == nil {
			j.metrics.logged.Add(float64(len(p.item.GetData())))
		}
		j.metrics.appends.Inc()
		j.metrics.latency.Observe(time.Since(p.born).Seconds())
		p.done(outcome)
	}
	if len(open) == 0 {
		return
	}
	j.unsettled(len(open), why)
	j.running.Go(func() {
		select {
		case <-time.After(pause(open)):
		case <-j.ctx.Done():
		}
		j.enqueue(open...)
	})
}

// pause returns how long to wait before appends are tried again: as long as
// becomes the one that was tried least.
func pause(open []pending) time.Duration {
	wait := retryMost
	for _, p := range open {
		wait = min(wait, retryFirst<<min(p.tries-1, 10))
	}
	return wait/2 + rand.N(wait)
}

func (j *Journal) unsettled(appends int, err error) {
	j.metrics.retries.Add(float64(appends))
	j.log.Warn("storage didn't say that appends are stored; trying again", "appends", appends, "error", err)
}
