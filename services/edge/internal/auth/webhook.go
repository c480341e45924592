package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// How a webhook is asked.
const (
	webhookTimeout = time.Second
	// maxAnswer bounds an answer in bytes.
	maxAnswer = 64 << 10
	// allowedFor and deniedFor are how long an answer holds for the same
	// question. A denial is forgotten sooner: the way from there to access is a
	// click in the application.
	allowedFor = 30 * time.Second
	deniedFor  = 2 * time.Second
	// maxAnswers is how many answers are remembered.
	maxAnswers = 10_000
)

// Webhook asks an HTTP service. It fails closed: what isn't a clear answer lets
// nobody in.
//
//	POST → {"method": "GET", "host": …, "path": …, "room": …, "remote": …,
//	        "origin": …, "userAgent": …, "cookie": …, "token": …, "tokenSource": …}
//	200 ← {"allow": true, "sub": …, "exp": …, "rooms": [{"id": …, "perm": "rw"}]}
//	200 ← {"allow": false}
//
// With allow go the members of a claimSet; 401 and 403 deny too.
type Webhook struct {
	url    string
	client *http.Client
	log    *slog.Logger

	flights singleflight.Group
	answers *lru.Cache[question, answer]

	mu  sync.Mutex // guards why
	why string     // what was told last of why there are no answers; "" if there are
}

// question is the hash of everything that the webhook is asked: what it says of
// one token from one address holds for no other.
type question [sha256.Size]byte

// answer is what a webhook has said, until when it holds.
type answer struct {
	claims Claims
	err    error
	until  time.Time
}

// newWebhook returns a Webhook that asks address.
func newWebhook(address string, client *http.Client, log *slog.Logger) (*Webhook, error) {
	answers, err := lru.New[question, answer](maxAnswers)
	if err != nil {
		return nil, err
	}
	c := *client
	// A redirected POST becomes a GET, and its body goes to somebody else.
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Webhook{url: address, client: &c, log: log, answers: answers}, nil
}

// asked is what the webhook is asked.
type asked struct {
	Method      string `json:"method"`
	Host        string `json:"host"`
	Path        string `json:"path"`
	Room        string `json:"room"`
	Remote      string `json:"remote"`
	Origin      string `json:"origin"`
	UserAgent   string `json:"userAgent"`
	Cookie      string `json:"cookie"`
	Token       string `json:"token"`
	TokenSource Source `json:"tokenSource"`
	// TokenBasic: the token is base64 of user:password.
	TokenBasic bool `json:"tokenBasic"`
}

// Authenticate asks the webhook, or remembers what it said. Who asks the same
// while it is being asked waits for the one answer.
func (w *Webhook) Authenticate(_ context.Context, r Request) (Claims, error) {
	if len(r.Token.Reveal()) > maxToken {
		return Claims{}, errLargeToken
	}
	body, err := json.Marshal(asked{
		Method: r.Method, Host: r.Host, Path: r.Path, Room: r.Room, Remote: remoteText(r),
		Origin: r.Origin, UserAgent: r.UserAgent, Cookie: r.Cookie.Reveal(),
		Token: r.Token.Reveal(), TokenSource: r.Source, TokenBasic: r.Basic,
	})
	if err != nil {
		return Claims{}, errWebhook
	}
	q := question(sha256.Sum256(body))
	if a, ok := w.answers.Get(q); ok && time.Now().Before(a.until) {
		return a.claims, a.err
	}
	result, _, _ := w.flights.Do(string(q[:]), func() (any, error) {
		a := w.ask(body)
		if !a.until.IsZero() {
			w.answers.Add(q, a)
		}
		return a, nil
	})
	a, _ := result.(answer)
	return a.claims, a.err
}

// remoteText returns the address, "" if there is none.
func remoteText(r Request) string {
	if !r.Remote.IsValid() {
		return ""
	}
	return r.Remote.String()
}

// The texts of a webhook's denials.
var (
	errWebhook       = fmt.Errorf("%w: the auth webhook gives no answer", ErrUnavailable)
	errWebhookNobody = fmt.Errorf("%w: the token isn't accepted", ErrUnauthenticated)
)

// ask asks, with a time of its own: others wait for the answer than who came
// first. A zero until means that the answer is none to remember.
func (w *Webhook) ask(body []byte) answer {
	ctx, cancel := context.WithTimeout(context.Background(), webhookTimeout)
	defer cancel()
	status, data, err := w.post(ctx, body)
	if err != nil {
		w.tell("the auth webhook gives no answer", "error", err)
		return answer{err: errWebhook}
	}
	var a answer
	switch status {
	case http.StatusOK:
		if a, err = readAnswer(data); err != nil {
			w.tell("the auth webhook's answer can't be understood", "error", err)
			return answer{err: errWebhook}
		}
	case http.StatusUnauthorized:
		a = denied(errWebhookNobody)
	case http.StatusForbidden:
		a = denied(ErrNoAccess)
	default:
		w.tell("the auth webhook answers that it can't", "status", status)
		return answer{err: errWebhook}
	}
	w.tell("")
	return a
}

// tell tells why there is no answer, once for each reason in a row, and once when
// there are answers again: everybody who comes asks, and who is in may too.
func (w *Webhook) tell(why string, args ...any) {
	w.mu.Lock()
	before := w.why
	w.why = why
	w.mu.Unlock()
	switch why {
	case before:
	case "":
		w.log.Info("the auth webhook answers again")
	default:
		w.log.Error(why, args...)
	}
}

func (w *Webhook) post(ctx context.Context, body []byte) (status int, data []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := w.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	data, err = readAtMost(response.Body, maxAnswer)
	return response.StatusCode, data, err
}

// readAnswer reads the body of a 200.
func readAnswer(data []byte) (answer, error) {
	var set claimSet
	if err := set.UnmarshalJSON(data); err != nil {
		return answer{}, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return answer{}, errObject
	}
	var allow *bool
	if json.Unmarshal(members["allow"], &allow) != nil || allow == nil {
		return answer{}, errAllow
	}
	if !*allow {
		return denied(ErrNoAccess), nil
	}
	claims := set.claims()
	until := time.Now().Add(allowedFor)
	if !claims.Expires.IsZero() && claims.Expires.Before(until) {
		until = claims.Expires
	}
	return answer{claims: claims, until: until}, nil
}

var errAllow = errors.New("allow: want true or false")

func denied(err error) answer { return answer{err: err, until: time.Now().Add(deniedFor)} }

// Challenge asks for a token.
func (w *Webhook) Challenge() string { return `Bearer realm="fjord"` }

// Close lets go of the connections.
func (w *Webhook) Close() { w.client.CloseIdleConnections() }
