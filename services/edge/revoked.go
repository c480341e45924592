package edge

import (
	"fmt"
	"sync"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/revocation"
	"github.com/fjord-sync/fjord/services/edge/internal/auth"
)

// revoked is what rooms processes say to be revoked. They put out those who are in;
// here who comes is turned away before they cost anything.
type revoked struct {
	mu sync.RWMutex // guards sets
	// sets are what each process has said last, by its URL. One that is away still
	// counts: nothing is given back by that.
	sets map[string]*revocation.Set
}

// heed takes what a rooms process says.
func (r *revoked) heed(rooms string, c *roomsv1.Revocations) {
	r.mu.Lock()
	defer r.mu.Unlock()
	set := r.sets[rooms]
	if set == nil || c.GetAll() {
		set = &revocation.Set{}
		r.sets[rooms] = set
	}
	for _, entry := range c.GetRestored() {
		set.Remove(keyOf(entry))
	}
	for _, entry := range c.GetRevoked() {
		what := revocation.Access // also what newer rooms may mean by another word
		if entry.GetWhat() == roomsv1.Revoked_REVOKED_WRITE {
			what = revocation.Write
		}
		until := time.Time{}
		if entry.GetUntil() != nil {
			until = entry.GetUntil().AsTime()
		}
		set.Put(keyOf(entry), what, until)
	}
}

func keyOf(r *roomsv1.Revocation) revocation.Key {
	return revocation.Key{Subject: r.GetSubject(), Room: r.GetRoom(), TokenID: r.GetTokenId()}
}

var errRevoked = fmt.Errorf("%w: access was revoked", auth.ErrUnauthenticated)

// check returns errRevoked if what claims grant in a room was taken back. A right to
// write that was is the room's affair: it tells the session, and gives the right back
// when that is restored.
func (r *revoked) check(room string, claims auth.Claims) error {
	if r.find(room, claims) == revocation.Access {
		return errRevoked
	}
	return nil
}

// find returns the most that is taken back.
func (r *revoked) find(room string, claims auth.Claims) revocation.What {
	r.mu.RLock()
	defer r.mu.RUnlock()
	now, most := time.Now(), revocation.Nothing
	for _, set := range r.sets {
		most = max(most, set.Find(claims.Subject, room, claims.TokenID, now))
	}
	return most
}
