package auth_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/fjord-sync/fjord/services/edge/internal/auth"
)

// line is one of an htpasswd file. The cost is the lowest: tests compare often.
func line(user, password string) string {
	return user + ":" + string(must(bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost))) + "\n"
}

// login is a request with a password.
func login(user, password string) auth.Request {
	r := with(base64.StdEncoding.EncodeToString([]byte(user + ":" + password)))
	r.Basic = true
	return r
}

func TestBasic(t *testing.T) {
	// htpasswd writes $2y$ where Go writes $2a$.
	written := strings.Replace(line("ben", "wicked"), "$2a$", "$2y$", 1)
	a := open(t, auth.Config{Method: "basic:" + file(t, "# people\n\n"+line("ann", "s3cret:with:colons")+line("zoë", "naïve")+line("empty", "")+written)})
	for _, test := range []struct{ user, password, want string }{
		{"ann", "s3cret:with:colons", "ok"},
		{"ann", "s3cret", "unauthenticated"},
		{"ann", "", "unauthenticated"},
		{"Ann", "s3cret:with:colons", "unauthenticated"},
		{"bob", "s3cret:with:colons", "unauthenticated"},
		{"", "", "unauthenticated"},
		{"zoë", "naïve", "ok"},
		{"empty", "", "ok"},
		{"ben", "wicked", "ok"},
		// bcrypt looks at 72 bytes: a longer password must not pass for it.
		{"ann", "s3cret:with:colons" + strings.Repeat("x", 100), "unauthenticated"},
		{"ann", strings.Repeat("x", 100_000), "unauthenticated"},
	} {
		for range 2 { // what is remembered is what was found
			claims, err := a.Authenticate(context.Background(), login(test.user, test.password))
			if got := kindOf(err); got != test.want {
				t.Errorf("%s:%.30s: %s, want %s", test.user, test.password, got, test.want)
			}
			if access, ok := claims.For("any"); err == nil && (claims.Subject != test.user || !ok || access.ReadOnly() || !access.Presence) {
				t.Errorf("%s has %+v", test.user, claims)
			}
		}
	}
	token := login("ann", "s3cret:with:colons")
	token.Basic, token.Source = false, auth.FromMessage
	if got := ask(t, a, token); got != "ok" {
		t.Errorf("in a message: %s", got)
	}
	token.Source = auth.FromHeader
	if got := ask(t, a, token); got != "unauthenticated" {
		t.Errorf("as a bearer token: %s", got)
	}
	for _, text := range []string{"", "!", "YW5u", strings.Repeat("A", 1<<20)} {
		r := with(text)
		r.Basic = true
		if got := ask(t, a, r); got != "unauthenticated" {
			t.Errorf("%.20q: %s", text, got)
		}
	}
}

// A file that has changed counts a second later; while it is broken the users that were
// there before hold.
func TestHtpasswdReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logged{}
		path := file(t, line("ann", "one"))
		a := open(t, auth.Config{Method: "basic:" + path, Logger: slog.New(slog.NewTextHandler(log, nil))})
		rewrite := func(content string, age time.Duration) {
			t.Helper()
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			then := time.Now().Add(-age) // two writes may fall into one tick of the file system
			if err := os.Chtimes(path, then, then); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		want := func(what string, r auth.Request, want string) {
			t.Helper()
			if got := ask(t, a, r); got != want {
				t.Fatalf("%s: %s, want %s", what, got, want)
			}
		}
		want("at first", login("ann", "one"), "ok")
		rewrite(line("ann", "two")+line("ben", "b"), time.Minute)
		want("a new password", login("ann", "two"), "ok")
		want("a new user", login("ben", "b"), "ok")
		want("the old password, once remembered", login("ann", "one"), "unauthenticated")
		rewrite("not an htpasswd file", 2*time.Minute)
		want("while the file is broken", login("ann", "two"), "ok")
		if !strings.Contains(log.String(), "can't be read again") {
			t.Fatalf("a broken file isn't spoken of: %s", log.String())
		}
		rewrite(line("ben", "b"), 3*time.Minute)
		want("a user that was taken out", login("ann", "two"), "unauthenticated")
	})
}

// A file that can't be read is told of once for each reason, however many log in,
// and once when it is well again.
func TestHtpasswdIsToldOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logged{}
		path := file(t, line("ann", "one"))
		a := open(t, auth.Config{Method: "basic:" + path, Logger: slog.New(slog.NewTextHandler(log, nil))})
		for i, content := range []string{"not an htpasswd file", "# nobody", line("ann", "one")} {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			then := time.Now().Add(time.Duration(i) * time.Hour)
			if err := os.Chtimes(path, then, then); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				time.Sleep(2 * time.Second)
				if got := ask(t, a, login("ann", "one")); got != "ok" {
					t.Errorf("%q: %s", content, got)
				}
			}
		}
		if lines := strings.Split(strings.TrimSpace(log.String()), "\n"); len(lines) != 3 ||
			!strings.Contains(lines[0], "ERROR") || !strings.Contains(lines[1], "names nobody") || !strings.Contains(lines[2], "INFO") {
			t.Errorf("the log says\n%swant two errors, and that it can be read again", log.String())
		}
	})
}

func TestHtpasswdFilesThatCannotWork(t *testing.T) {
	good := strings.TrimSuffix(line("ann", "x"), "\n")
	for name, test := range map[string]struct{ content, want string }{
		"empty":            {"", "names nobody"},
		"comments":         {"# ann\n", "names nobody"},
		"no hash":          {"ann\n", "line 1: want user:hash"},
		"no user":          {good + "\n:" + good[4:] + "\n", "line 2: want user:hash"},
		"MD5":              {"ann:$apr1$abc$def\n", "line 1: the hash isn't bcrypt"},
		"plain":            {"ann:hunter2\n", "isn't bcrypt"},
		"crypt":            {"ann:rl0uE5HMEnSMg\n", "isn't bcrypt"},
		"SHA-512":          {"ann:$6$rounds=5000$abc$def\n", "isn't bcrypt"},
		"argon2":           {"ann:$argon2id$v=19$m=65536,t=3,p=4$abc$def\n", "isn't bcrypt"},
		"bcrypt cut short": {"ann:$2y$10$abc\n", "line 1"},
		"SHA-1":            {"ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n", "isn't bcrypt"},
		"twice":            {good + "\n" + good + "\n", "line 2: the user is there twice"},
		"too dear":         {strings.Replace(good, "$04$", "$31$", 1), "too costly"},
		"too large":        {strings.Repeat("#", 5<<20), "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := auth.New(auth.Config{Method: "basic:" + file(t, test.content)})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want an error with %q", err, test.want)
			}
		})
	}
	if _, err := auth.New(auth.Config{Method: "basic:/nowhere/at/all"}); err == nil {
		t.Error("a file that isn't there is taken")
	}
}

// Who guesses names learns nothing from the time that it takes. It is the CPU's time,
// the two take turns, and the least of each counts: so nothing else that the machine
// does is taken for a difference.
func TestUnknownUserCostsAsMuch(t *testing.T) {
	hash := must(bcrypt.GenerateFromPassword([]byte("x"), 8))
	a := open(t, auth.Config{Method: "basic:" + file(t, "ann:"+string(hash)+"\n")})
	least := map[string]time.Duration{"ann": time.Hour, "bob": time.Hour}
	for range 11 {
		for user, before := range least {
			began := cpuTime(t)
			ask(t, a, login(user, "wrong"))
			least[user] = min(before, cpuTime(t)-began)
		}
	}
	known, unknown := least["ann"], least["bob"]
	if unknown < known/3 || unknown > known*3 {
		t.Errorf("a known user takes %s, an unknown one %s", known, unknown)
	}
}

// cpuTime is what this process has computed so far.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Many guesses wait for their turn, and no longer than they are waited for.
func TestGuessersWait(t *testing.T) {
	hash := must(bcrypt.GenerateFromPassword([]byte("x"), 10))
	a := open(t, auth.Config{Method: "basic:" + file(t, "ann:"+string(hash)+"\n")})
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for range 100 {
		all.Go(func() {
			_, err := a.Authenticate(ctx, login("ann", "wrong"))
			mu.Lock()
			defer mu.Unlock()
			got[kindOf(err)]++
		})
	}
	all.Wait()
	if got["unavailable"] == 0 || got["unavailable"]+got["unauthenticated"] != 100 {
		t.Errorf("%v; want some refused and most turned away", got)
	}
}
