package auth_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/services/edge/internal/auth"
)

func TestGrants(t *testing.T) {
	reader := auth.Grant{Prefix: new("team/"), Level: auth.Read, Presence: true}
	writer := auth.Grant{Room: "team/notes", Level: auth.Write}
	admin := auth.Grant{Room: "team/notes", Level: auth.Admin}
	all := auth.Grant{Prefix: new(""), Level: auth.Read}
	for _, test := range []struct {
		name   string
		grants []auth.Grant
		room   string
		want   auth.Access
		ok     bool
	}{
		{"no grants", nil, "doc", auth.Access{}, false},
		{"by name", []auth.Grant{writer}, "team/notes", auth.Access{Level: auth.Write}, true},
		{"a name is no prefix", []auth.Grant{writer}, "team/notes/2", auth.Access{}, false},
		{"by prefix", []auth.Grant{reader}, "team/x", auth.Access{Level: auth.Read, Presence: true}, true},
		{"not below another prefix", []auth.Grant{reader}, "teams", auth.Access{}, false},
		{"grants add up", []auth.Grant{reader, writer}, "team/notes", auth.Access{Level: auth.Write, Presence: true}, true},
		{"in any order", []auth.Grant{admin, writer, reader}, "team/notes", auth.Access{Level: auth.Admin, Presence: true}, true},
		{"everywhere", []auth.Grant{all}, "x", auth.Access{Level: auth.Read}, true},
		{"a grant of no level is none", []auth.Grant{{Room: "x"}}, "x", auth.Access{}, false},
		{"the zero grant covers nothing", []auth.Grant{{}}, "x", auth.Access{}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := auth.Claims{Grants: test.grants}.For(test.room)
			if got != test.want || ok != test.ok {
				t.Errorf("For(%q) = %+v, %t; want %+v, %t", test.room, got, ok, test.want, test.ok)
			}
		})
	}
}

func TestReadOnly(t *testing.T) {
	for level, want := range map[auth.Level]bool{0: true, auth.Read: true, auth.Write: false, auth.Admin: false} {
		if got := (auth.Access{Level: level}).ReadOnly(); got != want {
			t.Errorf("level %d: read-only %t, want %t", level, got, want)
		}
	}
}

// fixed is an Authenticator that always says the same.
type fixed struct {
	auth.Open
	claims auth.Claims
	err    error
	asked  *auth.Request
}

func (f fixed) Authenticate(_ context.Context, r auth.Request) (auth.Claims, error) {
	if f.asked != nil {
		*f.asked = r
	}
	return f.claims, f.err
}

func TestAdmit(t *testing.T) {
	grants := []auth.Grant{{Room: "doc", Level: auth.Read}}
	for _, test := range []struct {
		name string
		a    fixed
		room string
		want string
	}{
		{"granted", fixed{claims: auth.Claims{Grants: grants}}, "doc", "ok"},
		{"not granted", fixed{claims: auth.Claims{Grants: grants}}, "other", "forbidden"},
		{"no grants", fixed{}, "doc", "forbidden"},
		{"expired", fixed{claims: auth.Claims{Grants: grants, Expires: time.Now()}}, "doc", "unauthenticated"},
		{"not yet expired", fixed{claims: auth.Claims{Grants: grants, Expires: time.Now().Add(time.Minute)}}, "doc", "ok"},
		{"an error's kind stays", fixed{claims: auth.Claims{Grants: grants}, err: auth.ErrUnavailable}, "doc", "unavailable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, access, err := auth.Admit(context.Background(), test.a, auth.Request{Room: test.room})
			if got := kindOf(err); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			if err != nil && access != (auth.Access{}) {
				t.Errorf("%+v beside an error", access)
			}
		})
	}
}

func TestInBand(t *testing.T) {
	var asked auth.Request
	grants := []auth.Grant{{Room: "doc", Level: auth.Read}, {Room: "mine", Level: auth.Write}}
	a := fixed{claims: auth.Claims{Grants: grants}, asked: &asked}
	socket := auth.NewInBand(a, auth.Request{Host: "h", Room: "upgraded", Token: auth.Secret("first"), Source: auth.FromHeader, Basic: true})

	if readOnly, err := socket.Authorize(t.Context(), "doc", "second"); err != nil || !readOnly {
		t.Errorf("doc: %t, %v; want read-only", readOnly, err)
	}
	if asked.Host != "h" || asked.Room != "doc" || asked.Token.Reveal() != "second" || asked.Source != auth.FromMessage || asked.Basic {
		t.Errorf("asked %+v, token %q", asked, asked.Token.Reveal())
	}
	if readOnly, err := socket.Authorize(t.Context(), "mine", ""); err != nil || readOnly {
		t.Errorf("mine: %t, %v; want to write", readOnly, err)
	}
	if asked.Token.Reveal() != "first" || asked.Source != auth.FromHeader || !asked.Basic {
		t.Errorf("without a token: asked with %q from %s, want the upgrade's", asked.Token.Reveal(), asked.Source)
	}
	if _, err := socket.Authorize(t.Context(), "other", ""); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("other: %v, want forbidden", err)
	}
}

// Whoever may write may make a room, and a reader may not, unless the grant says
// otherwise.
func TestCreateIsAGrant(t *testing.T) {
	for rooms, want := range map[string]bool{
		`{"id":"doc","perm":"r"}`:                                                        false,
		`{"id":"doc","perm":"rw"}`:                                                       true,
		`{"id":"doc","perm":"admin"}`:                                                    true,
		`{"id":"doc","perm":"r","create":true}`:                                          true,
		`{"id":"doc","perm":"rw","create":false}`:                                        false,
		`{"prefix":"d","perm":"admin","create":false}`:                                   false,
		`{"id":"doc","perm":"rw","create":false},{"prefix":"","perm":"r","create":true}`: true,
	} {
		a := open(t, auth.Config{Method: "jwt:" + file(t, secret)})
		claims, err := a.Authenticate(t.Context(), with(raw(`{"alg":"HS256"}`, `{"exp":9999999999,"rooms":[`+rooms+`]}`)))
		if err != nil {
			t.Fatal(err)
		}
		if access, ok := claims.For("doc"); !ok || access.Create != want {
			t.Errorf("%s: %+v, want create %t", rooms, access, want)
		}
	}
	for level, want := range map[auth.Level]bool{auth.Read: false, auth.Write: true} {
		if g := auth.Everywhere(level); g.Create != want {
			t.Errorf("%+v", g)
		}
	}
}
