package auth

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
)

// Source is where a token was found.
type Source string

// The sources, in the order in which they are looked at: the first that has a
// token wins.
const (
	FromNowhere     Source = ""
	FromHeader      Source = "authorization"
	FromSubprotocol Source = "subprotocol"
	FromQuery       Source = "query"
	// FromMessage is a dialect's own auth message.
	FromMessage Source = "message"
)

// TokenProtocol begins a subprotocol that carries a token, as in
// "fjord.token.eyJhbGciOi…". Browsers can't set headers on a websocket, and a
// URL is written down in more places than a header.
const TokenProtocol = "fjord.token." //nolint:gosec // what comes before a credential is none

// Request is what is known of somebody who asks to come in. It may be printed:
// its secrets hide themselves.
type Request struct {
	Method string
	Host   string
	// Path is decoded, without the query.
	Path string
	Room string
	// Remote is the address of the connection; an edge puts that of the client
	// there, where a proxy that it trusts names one.
	Remote    netip.Addr
	Origin    string
	UserAgent string
	// Cookie is the header of that name: a secret, passed on to a webhook.
	Cookie Token
	Token  Token
	Source Source
	// Basic: Token is base64 of user:password, from Authorization: Basic.
	Basic bool
}

// Why a token can't be read. They are fit for the client's eyes.
var (
	errTwoTokens  = errors.New("two tokens in one place; want one")
	errScheme     = errors.New("unknown Authorization scheme; want Bearer or Basic")
	errEmptyToken = errors.New("the token is empty")
)

// NewRequest takes the facts from an upgrade into room, and the protocol to answer
// with, "" for none. It fails if the request contradicts itself; what it returns
// beside an error is not to be used.
func NewRequest(r *http.Request, room string) (Request, string, error) {
	request := Request{
		Method:    r.Method,
		Host:      r.Host,
		Path:      r.URL.Path,
		Room:      room,
		Remote:    remote(r.RemoteAddr),
		Origin:    r.Header.Get("Origin"),
		UserAgent: r.Header.Get("User-Agent"),
		Cookie:    Secret(strings.Join(r.Header["Cookie"], "; ")),
	}
	offer, err := readProtocols(r.Header["Sec-Websocket-Protocol"])
	if err != nil {
		return Request{}, "", err
	}
	if err := request.find(r, offer.token); err != nil {
		return Request{}, "", err
	}
	return request, offer.answer, nil
}

// find looks for the token, in the order of the sources.
func (request *Request) find(r *http.Request, protocol string) error {
	headers := r.Header["Authorization"]
	query := r.URL.Query()["token"]
	switch {
	case len(headers) > 1 || len(query) > 1:
		return errTwoTokens
	case len(headers) == 1:
		token, basic, err := readAuthorization(headers[0])
		if err != nil {
			return err
		}
		request.Token, request.Basic, request.Source = Secret(token), basic, FromHeader
	case protocol != "":
		request.Token, request.Source = Secret(protocol), FromSubprotocol
	case len(query) == 1 && query[0] != "":
		request.Token, request.Source = Secret(query[0]), FromQuery
	}
	return nil
}

// readAuthorization reads `Bearer token` and `Basic base64`. Schemes are written
// in any case (RFC 9110, section 11.1).
func readAuthorization(header string) (token string, basic bool, err error) {
	scheme, token, _ := strings.Cut(strings.TrimSpace(header), " ")
	token = strings.TrimSpace(token)
	switch {
	case strings.EqualFold(scheme, "basic"):
		basic = true
	case !strings.EqualFold(scheme, "bearer"):
		return "", false, errScheme
	}
	if token == "" {
		return "", false, errEmptyToken
	}
	return token, basic, nil
}

// remote reads the address of a connection, the zero Addr if it isn't IP.
func remote(address string) netip.Addr {
	if a, err := netip.ParseAddrPort(address); err == nil {
		return a.Addr().Unmap()
	}
	return netip.Addr{}
}
