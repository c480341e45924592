package auth_test

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/fjord-sync/fjord/internal/pipe"
)

// service is an HTTP service that an Authenticator asks, over an in-memory
// network: it works in a synctest bubble.
type service struct {
	client *http.Client

	mu     sync.Mutex // guards following
	asked  int
	answer http.HandlerFunc
}

func newService(t testing.TB, answer http.HandlerFunc) *service {
	listener := pipe.Listen()
	s := &service{
		client: &http.Client{Transport: &http.Transport{DialContext: listener.Dial, DialTLSContext: listener.Dial}},
		answer: answer,
	}
	var handlers sync.WaitGroup
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers.Add(1)
		defer handlers.Done()
		s.mu.Lock()
		s.asked++
		answer := s.answer
		s.mu.Unlock()
		answer(w, r)
	})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		_ = server.Close()
		<-served
		handlers.Wait()
	})
	return s
}

// now changes the answer.
func (s *service) now(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// times returns how often the service was asked.
func (s *service) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// hangs answers nothing for as long as it is asked. A server notices that nobody
// asks any more once it has read the request.
func hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// logged is a log that may be read while it is written.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
