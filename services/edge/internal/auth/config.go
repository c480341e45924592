package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config chooses an Authenticator.
type Config struct {
	// Method is one of
	//
	//	open             everybody may write everywhere
	//	basic:FILE       users of an htpasswd file may write everywhere
	//	jwt:FILE         tokens signed with the keys of a file: PEM, JWK Set or secret
	//	jwt:URL          tokens signed with the keys of a JWK Set
	//	webhook:URL      whoever an HTTP service lets in
	//
	// Empty: open.
	Method string
	// Audiences and Issuer are what tokens must say, if not empty. A token that
	// says for whom it is must find itself in Audiences.
	Audiences []string
	Issuer    string
	// HTTPClient fetches JWK Sets and asks webhooks. nil: one that keeps to the
	// environment's proxies.
	HTTPClient *http.Client
	// Logger hears what operators should know; it never hears a token. nil:
	// nothing is logged.
	Logger *slog.Logger
}

var (
	errWhich   = errors.New("want open, basic:FILE, jwt:FILE, jwt:URL or webhook:URL")
	errJWTOnly = errors.New("an audience or issuer means something to jwt only")
	errURL     = errors.New("want https://host/path or http://host/path")
)

// The connections to one host: those that are kept, and all.
const (
	maxIdle  = 16
	maxConns = 64
)

// New returns the Authenticator that the config names. Close it. It fails if a
// file can't be read, but not if a URL can't be reached.
func New(c Config) (Authenticator, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.HTTPClient == nil {
		c.HTTPClient = newClient()
	}
	kind, where, _ := strings.Cut(c.Method, ":")
	if kind != "jwt" && (len(c.Audiences) > 0 || c.Issuer != "") {
		return nil, fmt.Errorf("auth %s: %w", c.Method, errJWTOnly)
	}
	a, err := c.open(kind, where)
	if err != nil {
		return nil, fmt.Errorf("auth %s: %w", kind, err)
	}
	return a, nil
}

// Check says what is wrong with the config. It reads files, asks nobody and logs
// nothing.
func (c Config) Check() error {
	c.Logger = slog.New(slog.DiscardHandler)
	if kind, where, _ := strings.Cut(c.Method, ":"); kind == "jwt" && isURL(where) {
		if err := c.checkURL(where); err != nil { // New would begin to fetch
			return fmt.Errorf("auth %s: %w", kind, err)
		}
		return nil
	}
	a, err := New(c)
	if err != nil {
		return err
	}
	a.Close()
	return nil
}

func (c Config) open(kind, where string) (Authenticator, error) {
	switch {
	case c.Method == "" || c.Method == "open":
		return Open{}, nil
	case kind == "basic" && where != "":
		return NewBasic(where, c.Logger)
	case kind == "jwt" && isURL(where):
		if err := c.checkURL(where); err != nil {
			return nil, err
		}
		return newJWT(newRemoteKeys(where, c.HTTPClient, c.Logger), c.Audiences, c.Issuer), nil
	case kind == "jwt" && where != "":
		keys, err := readKeyFile(where, c.Logger)
		if err != nil {
			return nil, err
		}
		return newJWT(staticKeys(keys), c.Audiences, c.Issuer), nil
	case kind == "webhook" && where != "":
		if err := c.checkURL(where); err != nil {
			return nil, err
		}
		return newWebhook(where, c.HTTPClient, c.Logger)
	default:
		return nil, errWhich
	}
}

func isURL(s string) bool { return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") }

// checkURL refuses what can't be asked, and warns of what others can listen to.
func (c Config) checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return errURL
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
		c.Logger.Warn("authentication goes over http: whoever is on the way can let anybody in; want https", "host", u.Host)
	}
	return nil
}

// newClient returns a client that holds no more connections to one host than
// a webhook should have to bear.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		MaxIdleConnsPerHost:   maxIdle,
		MaxConnsPerHost:       maxConns,
		IdleConnTimeout:       time.Minute,
		TLSHandshakeTimeout:   fetchTimeout,
		ResponseHeaderTimeout: fetchTimeout,
		ForceAttemptHTTP2:     true,
	}}
}
