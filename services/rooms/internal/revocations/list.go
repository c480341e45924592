package revocations

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/types/known/timestamppb"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/revocation"
)

// Limit is the name of Config.Max.
const Limit = "max-revocations"

const (
	// pollEvery is how often storage is asked whether another process has revoked
	// something: half of the second within which sessions are to hear of it.
	pollEvery = 500 * time.Millisecond
	// pollTimeout bounds one such question, changeTimeout one change.
	pollTimeout   = 5 * time.Second
	changeTimeout = 10 * time.Second
	// compactAfter is how many records the log has at least before one replaces them.
	compactAfter = 256
	// maxNote bounds the text for people, in bytes.
	maxNote = 512
)

// The kinds of errors that Revoke and Restore return.
var (
	// ErrInvalid: what is asked for makes no sense.
	ErrInvalid = errors.New("invalid revocation")
	// ErrFull: so much is revoked that no more may be.
	ErrFull = errors.New("too many revocations; restore some, or give them an end")
	// ErrUnavailable: it isn't stored, or it isn't known whether it is.
	ErrUnavailable = errors.New("the revocation may not be stored; try again")
)

// Config is what a List needs. Storage may be nil: then everything is kept in memory.
type Config struct {
	Storage storagev1connect.StorageServiceClient
	// Owner names this process to storage.
	Owner string
	// Max is how much may be revoked at a time. Reached is called when it stops
	// somebody, with Limit; nil: nobody counts.
	Max     int
	Reached func(limit string)
	// Changed is called after each change, with the room that it is about, or "" for
	// all. It must not block.
	Changed func(room string)
	Logger  *slog.Logger
	Metrics prometheus.Registerer
}

// List is what is revoked. Its methods may be called from many goroutines.
type List struct {
	config Config
	// loaded is closed when it is known what is revoked.
	loaded chan struct{}
	cancel context.CancelFunc
	done   chan struct{} // closed when run has ended

	// turn holds a token while nobody reads or writes the log: who has taken it owns
	// what follows.
	turn chan struct{}
	log  *log // nil without storage
	seq  uint64

	mu       sync.RWMutex // guards following
	table    table
	set      revocation.Set
	watchers map[*Watch]struct{}
}

// New returns a List that learns what is revoked. Close ends it.
func New(c Config) *List {
	l := &List{
		config:   c,
		loaded:   make(chan struct{}),
		done:     make(chan struct{}),
		turn:     make(chan struct{}, 1),
		table:    make(table),
		watchers: make(map[*Watch]struct{}),
	}
	c.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fjord_rooms_revocations",
		Help: "Subjects, rooms and tokens that are revoked.",
	}, func() float64 {
		l.mu.RLock()
		defer l.mu.RUnlock()
		return float64(len(l.table))
	}))
	l.turn <- struct{}{}
	if c.Storage != nil {
		l.log = &log{storage: c.Storage, owner: c.Owner}
	} else {
		close(l.loaded)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go l.run(ctx)
	return l
}

// Rest ends the List's goroutine and waits for it: from now on the List learns
// nothing by itself. Revoke and Restore go on.
func (l *List) Rest() {
	l.cancel()
	<-l.done
}

// Close ends the List. It may rest already.
func (l *List) Close() { l.Rest() }

// Loaded is closed when it is known what is revoked. Nobody may be let in before.
func (l *List) Loaded() <-chan struct{} { return l.loaded }

var errNotLoaded = errors.New("it isn't known yet what is revoked")

// Ready reports why nobody may be let in yet, or nil.
func (l *List) Ready() error {
	if !l.isLoaded() {
		return errNotLoaded
	}
	return nil
}

// Find returns what is taken back from somebody in a room.
func (l *List) Find(room, subject, tokenID string) revocation.What {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.set.Find(subject, room, tokenID, time.Now())
}

// Revoke takes back what r says, and returns it as it is kept. It is stored when
// Revoke returns.
func (l *List) Revoke(ctx context.Context, r *roomsv1.Revocation) (*roomsv1.Revocation, error) {
	now := time.Now()
	if err := check(r, now); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	r.RevokedAt = timestamppb.New(now)
	if r.GetWhat() == roomsv1.Revoked_REVOKED_UNSPECIFIED {
		r.What = roomsv1.Revoked_REVOKED_ACCESS
	}
	err := l.change(ctx, func() (*roomsv1.Revocations, error) {
		l.mu.RLock()
		defer l.mu.RUnlock()
		if _, known := l.table[keyOf(r)]; !known && len(l.table) >= l.config.Max {
			if l.config.Reached != nil {
				l.config.Reached(Limit)
			}
			return nil, fmt.Errorf("%w: there are %d", ErrFull, l.config.Max)
		}
		return &roomsv1.Revocations{Revoked: []*roomsv1.Revocation{r}}, nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Restore takes a revocation back, and reports whether there was one.
func (l *List) Restore(ctx context.Context, k revocation.Key) (existed bool, err error) {
	if err := k.Check(); err != nil {
		return false, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	err = l.change(ctx, func() (*roomsv1.Revocations, error) {
		l.mu.RLock()
		defer l.mu.RUnlock()
		if _, existed = l.table[k]; !existed {
			return nil, nil
		}
		return &roomsv1.Revocations{Restored: []*roomsv1.Revocation{{
			Subject: k.Subject, Room: k.Room, TokenId: k.TokenID,
		}}}, nil
	})
	return existed, err
}

// Page returns up to limit revocations that fit match and come after a key, in
// order, and whether there are more.
func (l *List) Page(match, after revocation.Key, limit int) (page []*roomsv1.Revocation, more bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for k, r := range l.table {
		if compare(k, after) > 0 && fits(match.Subject, k.Subject) && fits(match.Room, k.Room) && fits(match.TokenID, k.TokenID) {
			page = append(page, r)
		}
	}
	slices.SortFunc(page, func(a, b *roomsv1.Revocation) int { return compare(keyOf(a), keyOf(b)) })
	if len(page) > limit {
		return page[:limit], true
	}
	return page, false
}

func fits(want, value string) bool { return want == "" || want == value }

// check returns what is wrong with a revocation that is asked for.
func check(r *roomsv1.Revocation, now time.Time) error {
	if err := keyOf(r).Check(); err != nil {
		return err
	}
	switch r.GetWhat() {
	case roomsv1.Revoked_REVOKED_UNSPECIFIED, roomsv1.Revoked_REVOKED_ACCESS, roomsv1.Revoked_REVOKED_WRITE:
	default:
		return fmt.Errorf("what: %d; want REVOKED_ACCESS or REVOKED_WRITE", r.GetWhat())
	}
	if r.GetUntil() != nil {
		if err := r.GetUntil().CheckValid(); err != nil {
			return fmt.Errorf("until: %w", err)
		}
		if over(r, now) {
			return fmt.Errorf("until: %s has passed", until(r).Format(time.RFC3339))
		}
	}
	if len(r.GetNote()) > maxNote {
		return fmt.Errorf("note: %d bytes; want at most %d", len(r.GetNote()), maxNote)
	}
	return nil
}

func (l *List) isLoaded() bool {
	select {
	case <-l.loaded:
		return true
	default:
		return false
	}
}

// apply makes a change the list's, and tells everybody.
func (l *List) apply(c *roomsv1.Revocations) {
	l.mu.Lock()
	l.table.apply(c)
	if c.GetAll() {
		l.set = revocation.Set{}
	}
	for _, r := range c.GetRestored() {
		l.set.Remove(keyOf(r))
	}
	for _, r := range c.GetRevoked() {
		l.set.Put(keyOf(r), whatOf(r), until(r))
	}
	for w := range l.watchers {
		w.noteLocked(c)
	}
	l.mu.Unlock()
	l.config.Changed(about(c))
}

// about returns the one room that a change is about, "" if it may be any.
func about(c *roomsv1.Revocations) string {
	room := ""
	for _, r := range slices.Concat(c.GetRevoked(), c.GetRestored()) {
		if r.GetRoom() == "" || (room != "" && room != r.GetRoom()) {
			return ""
		}
		room = r.GetRoom()
	}
	if c.GetAll() {
		return ""
	}
	return room
}
