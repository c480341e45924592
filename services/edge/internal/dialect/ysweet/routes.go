package ysweet

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
)

// What an application's own server asks of us, by the npm package @y-sweet/sdk
// (DocumentManager) or without it. Answers are JSON, but for documents.
//
//	POST /doc/new          {"docId"?}                                → {"docId"}
//	POST /doc/<doc>/auth   {"authorization"?, "userId"?, "validForSeconds"?}
//	                                                                 → {"url", "baseUrl", "docId", "token"?, "authorization"}
//	GET  /d/<doc>/as-update                                          → the document, a v1 update
//	POST /d/<doc>/update   a v1 update                               → {}, when it is stored
//	POST /check_store      {}                                        → {"ok": true}
//
// The last three but one answer at /doc/<doc>/ too, as y-sweet's do. A room here
// is made by whoever writes first: to create a document checks its name and who
// asks, and writes nothing.
//
// Source: https://github.com/jamsocket/y-sweet, js-pkg/sdk/src/main.ts.

const (
	// maxRequest is the largest JSON that is read, in bytes.
	maxRequest = 4 << 10
	// bodyTime is what sending a body may take.
	bodyTime = 30 * time.Second
	// minRate is how many bytes of a document somebody takes in a second, beyond that.
	minRate = 32 << 10
	// holds is for how long a token is good if nobody says, as y-sweet has it.
	holds    = time.Hour
	maxHolds = 24 * time.Hour
)

// How a token's reach is spelled.
const (
	full     = "full"
	readOnly = "read-only"
)

// Routes mounts them on mux. See dialect.Door.
func (Dialect) Routes(mux *http.ServeMux, door dialect.Door) {
	s := server{door}
	mux.HandleFunc("POST /doc/new", s.create)
	mux.HandleFunc("POST /doc/{doc}/auth", s.auth)
	mux.HandleFunc("POST /check_store", s.check)
	for _, base := range []string{"/d/{doc}", "/doc/{doc}"} {
		mux.HandleFunc("GET "+base+"/as-update", s.read)
		mux.HandleFunc("POST "+base+"/update", s.write)
	}
}

type server struct{ door dialect.Door }

// check says that documents can be stored: an edge that can't store refuses each.
func (server) check(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]bool{"ok": true}) }

func (s server) create(w http.ResponseWriter, r *http.Request) {
	var wish struct {
		Doc *string `json:"docId"`
	}
	if !readJSON(w, r, &wish) {
		return
	}
	doc := strings.ToLower(rand.Text())
	if wish.Doc != nil {
		doc = *wish.Doc
	}
	guest, ok := s.door.Enter(w, r, doc)
	if !ok {
		return
	}
	defer guest.Leave()
	// Whoever may not invite may not create: only an application's server does.
	if _, err := guest.Invite(dialect.Invitation{Holds: holds}); err != nil {
		refuse(w, err)
		return
	}
	answer(w, map[string]string{"docId": doc})
}

// wish is what a token is to be for.
type wish struct {
	Authorization string `json:"authorization"`
	User          string `json:"userId"`
	Seconds       *int64 `json:"validForSeconds"`
}

func (s wish) invitation() (dialect.Invitation, error) {
	i := dialect.Invitation{Subject: s.User, ReadOnly: s.Authorization == readOnly, Holds: holds}
	if s.Authorization != full && !i.ReadOnly {
		return i, &dialect.GuestError{Status: http.StatusBadRequest, Text: `unknown authorization; want "full" or "read-only"`}
	}
	if s.Seconds != nil {
		if *s.Seconds < 1 || *s.Seconds > int64(maxHolds/time.Second) {
			return i, &dialect.GuestError{Status: http.StatusBadRequest, Text: fmt.Sprintf("validForSeconds: want 1 to %d", int64(maxHolds/time.Second))}
		}
		i.Holds = time.Duration(*s.Seconds) * time.Second
	}
	return i, nil
}

func (s server) auth(w http.ResponseWriter, r *http.Request) {
	doc := r.PathValue("doc")
	guest, ok := s.door.Enter(w, r, doc)
	if !ok {
		return
	}
	defer guest.Leave()
	wish := wish{Authorization: full}
	if !readJSON(w, r, &wish) {
		return
	}
	i, err := wish.invitation()
	if err != nil {
		refuse(w, err)
		return
	}
	token, err := guest.Invite(i)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, s.ticket(r, doc, token, wish.Authorization))
}

// ticket is what @y-sweet/client needs to come in: it appends /<doc> to the URL.
func (s server) ticket(r *http.Request, doc, token, authorization string) any {
	web, socket := "http", "ws"
	if s.door.HTTPS(r) {
		web, socket = "https", "wss"
	}
	path := r.Host + "/d/" + url.PathEscape(doc)
	return struct {
		URL           string `json:"url"`
		Base          string `json:"baseUrl"`
		Doc           string `json:"docId"`
		Token         string `json:"token,omitempty"`
		Authorization string `json:"authorization"`
	}{socket + "://" + path + "/ws", web + "://" + path, doc, token, authorization}
}

func (s server) read(w http.ResponseWriter, r *http.Request) {
	guest, ok := s.door.Enter(w, r, r.PathValue("doc"))
	if !ok {
		return
	}
	defer guest.Leave()
	update, err := guest.Read(r.Context())
	if err != nil {
		refuse(w, err)
		return
	}
	// Who takes a document at no pace holds it in memory.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bodyTime + time.Duration(len(update)/minRate)*time.Second))
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(update) // or else the client has gone
}

func (s server) write(w http.ResponseWriter, r *http.Request) {
	guest, ok := s.door.Enter(w, r, r.PathValue("doc"))
	if !ok {
		return
	}
	defer guest.Leave()
	hurry(w)
	if err := guest.Write(r.Context(), r.Body); err != nil {
		refuse(w, err)
		return
	}
	answer(w, struct{}{})
}

// hurry bounds what sending the body may take. A server without deadlines is a
// test's.
func hurry(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
}

// readBody reads a small body, or answers and returns false.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	hurry(w)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		refuse(w, &dialect.GuestError{Status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("the body is larger than %d bytes", maxRequest)})
	case err != nil:
		refuse(w, &dialect.GuestError{Status: http.StatusBadRequest, Text: "the body ends early"})
	}
	return body, err == nil
}

// readJSON reads a body of one JSON object, or none, to its last byte.
func readJSON(w http.ResponseWriter, r *http.Request, wish any) bool {
	body, ok := readBody(w, r)
	if !ok || len(body) == 0 {
		return ok
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(wish)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("bytes after the object")
		}
	}
	if err != nil {
		refuse(w, &dialect.GuestError{Status: http.StatusBadRequest, Text: "the body isn't what is asked for here: " + err.Error()})
	}
	return err == nil
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store") // it may hold a token
	if err := json.NewEncoder(w).Encode(body); err != nil {
		return // the client has gone
	}
}

func refuse(w http.ResponseWriter, err error) {
	refused := &dialect.GuestError{Status: http.StatusInternalServerError, Text: "it can't be done"}
	errors.As(err, &refused)
	if refused.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	http.Error(w, refused.Text, refused.Status)
}
