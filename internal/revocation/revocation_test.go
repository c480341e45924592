package revocation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/internal/revocation"
)

func TestFind(t *testing.T) {
	now := time.Unix(1000, 0)
	var s revocation.Set
	if s.Find("ann", "doc", "t", now) != revocation.Nothing {
		t.Error("an empty set revokes")
	}
	s.Put(revocation.Key{Subject: "ann"}, revocation.Write, time.Time{})
	s.Put(revocation.Key{Room: "closed"}, revocation.Access, time.Time{})
	s.Put(revocation.Key{TokenID: "t1"}, revocation.Access, now)
	s.Put(revocation.Key{TokenID: "t2"}, revocation.Access, now.Add(1))
	s.Put(revocation.Key{Subject: "bob", Room: "doc"}, revocation.Access, time.Time{})
	s.Put(revocation.Key{Subject: "cy", TokenID: "t3"}, revocation.Access, time.Time{})
	s.Put(revocation.Key{Room: "doc", TokenID: "t4"}, revocation.Access, time.Time{})
	s.Put(revocation.Key{Subject: "cy", Room: "doc", TokenID: "t5"}, revocation.Access, time.Time{})
	for _, test := range []struct {
		subject, room, token string
		want                 revocation.What
	}{
		{"", "", "", revocation.Nothing},
		{"eve", "doc", "t", revocation.Nothing},
		{"ann", "doc", "t", revocation.Write},
		{"ann", "closed", "t", revocation.Access},
		{"", "closed", "", revocation.Access},
		{"eve", "doc", "t1", revocation.Nothing}, // it has ended
		{"eve", "doc", "t2", revocation.Access},
		{"bob", "doc", "", revocation.Access},
		{"bob", "other", "", revocation.Nothing},
		{"", "doc", "", revocation.Nothing},
		{"cy", "other", "t3", revocation.Access},
		{"ann", "other", "t3", revocation.Write},
		{"", "doc", "t4", revocation.Access},
		{"cy", "doc", "t5", revocation.Access},
		{"cy", "other", "t5", revocation.Nothing},
	} {
		if got := s.Find(test.subject, test.room, test.token, now); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
	s.Remove(revocation.Key{Room: "closed"})
	if s.Find("", "closed", "", now) != revocation.Nothing || s.Len() != 7 {
		t.Errorf("what was restored is revoked, of %d", s.Len())
	}
	if n := testing.AllocsPerRun(100, func() { s.Find("eve", "doc", "t", now) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestKeysAreChecked(t *testing.T) {
	for key, want := range map[revocation.Key]string{
		{}:                                  "want a subject",
		{Subject: strings.Repeat("a", 513)}: "513 bytes",
		{Room: "a\x00"}:                     "room: want UTF-8",
		{TokenID: "\xff"}:                   "token ID: want UTF-8",
	} {
		if err := key.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", key, err, want)
		}
	}
	if err := (revocation.Key{Subject: strings.Repeat("a", 512), Room: "doc", TokenID: "t"}).Check(); err != nil {
		t.Error(err)
	}
}
