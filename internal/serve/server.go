package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Resolve returns where an address given by a flag is, and takes nothing there. Listen
// takes what String says of it: a name is asked for once, so that what was found out
// of the address holds for the listener. Its error is one line that names the flag.
func Resolve(flag, address string) (*net.TCPAddr, error) {
	where, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, badAddress(flag, address, err)
	}
	return where, nil
}

func badAddress(flag, address string, err error) error {
	return fmt.Errorf("%s %s: %w; want HOST:PORT such as 127.0.0.1:1234 or :1234", flag, address, err)
}

// Listen opens a TCP listener for the address given by a flag. Its error is one
// line that names the flag and says what would be right.
func Listen(flag, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", address)
	switch {
	case err == nil:
		return listener, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s %s: the port is taken; choose another, or port 0 for any free one", flag, address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s %s: not allowed; choose a port above 1023", flag, address)
	default:
		return nil, badAddress(flag, address, err)
	}
}

// Server serves one handler on one or more listeners until Shutdown.
type Server struct {
	http *http.Server

	fail   sync.Once
	failed chan struct{} // closed when a listener ended by itself, after:
	err    error

	// ctx is the parent of all requests; ending it ends the streams that
	// http.Server.Shutdown would wait for until its deadline.
	end context.CancelFunc
}

// NewServer returns a server that speaks HTTP/1.1 and HTTP/2, in clear text or, over
// listeners that bring TLS, what they offer. It serves nothing until Serve.
func NewServer(handler http.Handler, log *slog.Logger) *Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	protocols.SetHTTP2(true) // where a listener brings TLS
	ctx, end := context.WithCancel(context.Background())
	s := &Server{failed: make(chan struct{}), end: end}
	s.http = &http.Server{
		Handler:           handler,
		Protocols:         &protocols,
		HTTP2:             http2Config(maxSilence),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	s.http.RegisterOnShutdown(end)
	return s
}

// LimitHeaders makes the server read request lines and headers of at most so many
// bytes (and 4 KiB, as net/http counts): 16 KiB otherwise. Call it before Serve.
func (s *Server) LimitHeaders(bytes int) { s.http.MaxHeaderBytes = bytes }

// LimitSilence ends HTTP/2 connections whose peer has said nothing for so long,
// pings included: 10 s otherwise. Call it before Serve.
func (s *Server) LimitSilence(silence time.Duration) { s.http.HTTP2 = http2Config(silence) }

// Serve accepts from the listener in a goroutine of its own, which ends with
// Shutdown. It may be called once for each of several listeners.
func (s *Server) Serve(listener net.Listener) {
	go func() {
		err := s.http.Serve(listener)
		if !errors.Is(err, http.ErrServerClosed) {
			s.fail.Do(func() {
				s.err = fmt.Errorf("serve %s: %w", listener.Addr(), err)
				close(s.failed)
			})
		}
	}()
}

// Shutdown stops accepting, ends the context of all streams and waits for the
// handlers to return, at most until ctx ends; then it closes what is left.
// Hijacked connections (websockets) aren't its business.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	s.end()
	if err == nil {
		return nil
	}
	// Cutting off what is left is an orderly end, whoever held on: net/http gives
	// a connection that never spoke five seconds.
	closed := s.http.Close()
	if ctx.Err() != nil {
		err = nil
	}
	if err = errors.Join(err, closed); err != nil {
		return fmt.Errorf("shutdown: %w", err)
	}
	return nil
}

// Part is a part of a process that may fail by itself.
type Part struct {
	// Failed is closed when it has; nil if that never happens.
	Failed <-chan struct{}
	// Why says how it failed.
	Why func() error
}

// Part lets Wait watch the server.
func (s *Server) Part() Part {
	return Part{Failed: s.failed, Why: func() error { return s.err }}
}

// Wait returns nil when ctx ends, or why the first of the parts failed.
func Wait(ctx context.Context, parts ...Part) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer cancel(nil)
	for _, part := range parts {
		watchers.Go(func() {
			select {
			case <-part.Failed:
				cancel(part.Why())
			case <-ctx.Done():
			}
		})
	}
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}
