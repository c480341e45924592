package revocations

import (
	"cmp"
	"slices"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/revocation"
)

// table is what is revoked. The entries don't change.
type table map[revocation.Key]*roomsv1.Revocation

// keyOf returns what a revocation is found by.
func keyOf(r *roomsv1.Revocation) revocation.Key {
	return revocation.Key{Subject: r.GetSubject(), Room: r.GetRoom(), TokenID: r.GetTokenId()}
}

// until returns when a revocation ends by itself; the zero time is never.
func until(r *roomsv1.Revocation) time.Time {
	if r.GetUntil() == nil {
		return time.Time{}
	}
	return r.GetUntil().AsTime()
}

// over reports whether a revocation has ended by itself.
func over(r *roomsv1.Revocation, now time.Time) bool {
	return r.GetUntil() != nil && !now.Before(until(r))
}

// whatOf returns what is taken back.
func whatOf(r *roomsv1.Revocation) revocation.What {
	if r.GetWhat() == roomsv1.Revoked_REVOKED_WRITE {
		return revocation.Write
	}
	return revocation.Access // also what a newer process may mean by another word
}

func (t table) apply(c *roomsv1.Revocations) {
	if c.GetAll() {
		clear(t)
	}
	for _, r := range c.GetRestored() {
		delete(t, keyOf(r))
	}
	for _, r := range c.GetRevoked() {
		t[keyOf(r)] = r
	}
}

// all returns the whole table.
func (t table) all() *roomsv1.Revocations {
	all := &roomsv1.Revocations{All: true, Revoked: make([]*roomsv1.Revocation, 0, len(t))}
	for _, r := range t {
		all.Revoked = append(all.Revoked, r)
	}
	slices.SortFunc(all.Revoked, func(a, b *roomsv1.Revocation) int { return compare(keyOf(a), keyOf(b)) })
	return all
}

// prune takes out what has ended by itself.
func (t table) prune(now time.Time) {
	for k, r := range t {
		if over(r, now) {
			delete(t, k)
		}
	}
}

func compare(a, b revocation.Key) int {
	return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Room, b.Room), cmp.Compare(a.TokenID, b.TokenID))
}
