package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/rooms"
	"github.com/fjord-sync/fjord/services/storage"
)

// lossy is a network between rooms and storage that loses requests and answers.
type lossy struct {
	next http.RoundTripper
	mu   sync.Mutex // guards random
	// random decides what is lost; its seed is printed when the test fails.
	random *rand.Rand
}

var errLost = errors.New("lost on the way")

func (l *lossy) roll() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.random.IntN(100)
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/Append") {
		return l.next.RoundTrip(r)
	}
	if l.roll() < 25 {
		_ = r.Body.Close()
		return nil, errLost
	}
	response, err := l.next.RoundTrip(r)
	if err == nil && l.roll() < 25 {
		// Storage has it; rooms doesn't hear so.
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		return nil, errLost
	}
	return response, err
}

// site is rooms and real storage in one test, over a network of the test's.
type site struct {
	documents roomsv1connect.DocumentsServiceClient
	close     func()
}

func openSite(t testing.TB, dir string, between func(http.RoundTripper) http.RoundTripper) *site {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	keep, err := storage.Open(t.Context(), storage.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	listener := pipe.Listen()
	mux := http.NewServeMux()
	keep.Register(mux)
	inside := serve.NewClient(listener.Dial)
	inside.Transport = between(inside.Transport)
	own, err := rooms.New(rooms.Config{StorageURL: insideURL, HTTPClient: inside, Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	own.Register(mux)
	server := serve.NewServer(mux, quiet)
	server.Serve(listener)
	return &site{
		documents: roomsv1connect.NewDocumentsServiceClient(serve.NewClient(listener.Dial), insideURL),
		close: func() {
			ctx := context.WithoutCancel(t.Context())
			err := errors.Join(own.Drain(ctx), server.Shutdown(ctx))
			own.Close()
			if err := errors.Join(err, keep.Close()); err != nil {
				t.Error(err)
			}
		},
	}
}

// typed returns the update by which a client types its n-th letter.
func typed(client byte, n int) []byte {
	if n == 0 {
		return []byte{1, 1, client, 0, 4, 1, 1, 't', 1, 'a', 0}
	}
	return []byte{1, 1, client, byte(n), 0x84, client, byte(n - 1), 1, 'b', 0}
}

// Whatever the network loses between rooms and storage, an update that was
// acknowledged is stored, once, and nothing else is.
func TestLostAnswersLoseNothing(t *testing.T) {
	const clients, letters, documents = 8, 40, 3
	seed := rand.Uint64()
	dir := t.TempDir()
	s := openSite(t, dir, func(next http.RoundTripper) http.RoundTripper {
		return &lossy{next: next, random: rand.New(rand.NewPCG(seed, 0))}
	})
	var typists sync.WaitGroup
	for client := range clients {
		typists.Go(func() {
			for n := range letters {
				_, err := s.documents.ApplyUpdate(t.Context(), connect.NewRequest(&roomsv1.ApplyUpdateRequest{
					Room: fmt.Sprintf("room %d", client%documents), Update: typed(byte(client)+1, n),
				}))
				if err != nil {
					t.Errorf("seed %d: client %d letter %d: %v", seed, client, n, err)
					return
				}
			}
		})
	}
	typists.Wait()
	s.close()

	s = openSite(t, dir, func(next http.RoundTripper) http.RoundTripper { return next })
	defer s.close()
	for i := range documents {
		r, err := s.documents.GetDocument(t.Context(), connect.NewRequest(&roomsv1.GetDocumentRequest{Room: fmt.Sprintf("room %d", i)}))
		if err != nil {
			t.Fatal(err)
		}
		want := map[byte]bool{}
		for client := i; client < clients; client += documents {
			want[byte(client)+1] = true
		}
		vector := r.Msg.GetStateVector()
		if int(vector[0]) != len(want) {
			t.Fatalf("seed %d: room %d has the state vector %v, want %d clients", seed, i, vector, len(want))
		}
		for rest := vector[1:]; len(rest) > 0; rest = rest[2:] {
			if !want[rest[0]] || rest[1] != letters {
				t.Errorf("seed %d: room %d: client %d at %d, want one of %v at %d", seed, i, rest[0], rest[1], want, letters)
			}
		}
	}
}

// A room that was deleted begins anew, in the log that goes on.
func TestDeletedRoomOpensAgain(t *testing.T) {
	dir := t.TempDir()
	direct := func(next http.RoundTripper) http.RoundTripper { return next }
	write := func(s *site, client byte) {
		t.Helper()
		_, err := s.documents.ApplyUpdate(t.Context(), connect.NewRequest(&roomsv1.ApplyUpdateRequest{Room: "doc", Update: typed(client, 0)}))
		if err != nil {
			t.Fatal(err)
		}
	}
	s := openSite(t, dir, direct)
	write(s, 1)
	s.close()

	keep, err := storage.Open(t.Context(), storage.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	keep.Register(mux)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/fjord.storage.v1.StorageService/Delete", strings.NewReader(`{"room":"doc"}`))
	r.Header.Set("Content-Type", "application/json")
	mux.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("delete: %d %s", w.Code, w.Body)
	}
	if err := keep.Close(); err != nil {
		t.Fatal(err)
	}

	for _, client := range []byte{2, 3} {
		s = openSite(t, dir, direct)
		write(s, client)
		s.close()
	}
	s = openSite(t, dir, direct)
	defer s.close()
	document, err := s.documents.GetDocument(t.Context(), connect.NewRequest(&roomsv1.GetDocumentRequest{Room: "doc"}))
	if err != nil {
		t.Fatal(err)
	}
	if got := document.Msg.GetStateVector(); string(got) != "\x02\x03\x01\x02\x01" {
		t.Errorf("state vector %v, want clients 3 and 2 only", got)
	}
}
