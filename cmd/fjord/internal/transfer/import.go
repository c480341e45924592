package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"connectrpc.com/connect"

	"github.com/fjord-sync/fjord/cmd/fjord/internal/elvafile"
	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/yjs"
)

// Import takes ELVA's files of a folder into the rooms of their names, as far as
// rule allows them. Nothing of a file is sent before all of it was read and
// understood, and of what was understood only what its room lacks: to import
// twice changes nothing. With dry nothing is sent at all.
func Import(ctx context.Context, p *Place, dir string, rule roomname.Rule, dry bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	t := &tally{place: p}
	others := 0
	for _, entry := range entries {
		room, ok := strings.CutSuffix(entry.Name(), elvafile.Ending)
		if !ok {
			others++
			continue
		}
		i := intake{place: p, tally: t, room: room, dry: dry}
		if err := i.take(ctx, filepath.Join(dir, entry.Name()), rule); err != nil {
			t.refuse(entry.Name(), err)
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), t.end("files"))
		}
	}
	if others > 0 {
		_, _ = fmt.Fprintf(p.Out, "%d others left out: their names don't end in %s\n", others, elvafile.Ending)
	}
	return t.end("files")
}

// intake is one file on its way into its room.
type intake struct {
	place *Place
	tally *tally
	room  string
	dry   bool

	// known is the room's document, with what is on its way to it.
	known *yjs.Document
	// fresh reports that the room had nothing.
	fresh bool
	rows  int
	// parts are what the room lacks, each small enough to be one update.
	parts [][]byte
	part  [][]byte
	size  int
}

// partBytes is how much of a file goes into one update: one for each row would
// take a sync of the disk each, and all in one might be more than a room takes.
const partBytes = 4 << 20

var errVolatile = errors.New("rooms there aren't durable: what is imported would be gone with the process; want --rooms durable")

func (i *intake) take(ctx context.Context, path string, rule roomname.Rule) error {
	if err := rule(i.room); err != nil {
		return err
	}
	file, err := elvafile.Open(ctx, path)
	if err != nil {
		return err
	}
	if err := errors.Join(i.read(ctx, file), file.Close()); err != nil {
		return err
	}
	size := 0
	for _, part := range i.parts {
		size += len(part)
	}
	if !i.dry {
		if err := i.send(ctx); err != nil {
			return err
		}
	}
	switch {
	case i.rows == 0:
		i.tally.addf(&i.tally.empty, i.room, "the file holds no update")
	case size == 0:
		i.tally.addf(&i.tally.same, i.room, "has all of %d updates", i.rows)
	case i.fresh:
		i.tally.addf(&i.tally.created, i.room, "new, from %d updates, %d bytes", i.rows, size)
	default:
		i.tally.addf(&i.tally.grown, i.room, "took %d bytes, from %d updates", size, i.rows)
	}
	return nil
}

// read reads the whole file, and keeps what the room lacks of it.
func (i *intake) read(ctx context.Context, file *elvafile.File) error {
	answer, err := i.place.Documents.GetDocument(ctx, connect.NewRequest(&roomsv1.GetDocumentRequest{Room: i.room}))
	if err != nil {
		return fmt.Errorf("the room can't be read: %w", err)
	}
	i.fresh = answer.Msg.GetSeq() == 0 && yjs.IsEmptyUpdate(answer.Msg.GetUpdate())
	i.known = yjs.NewDocument()
	if err := i.known.Load(answer.Msg.GetUpdate()); err != nil {
		return fmt.Errorf("the room can't be read: %w", err)
	}
	if err := file.Updates(ctx, i.row); err != nil {
		return err
	}
	return i.gather()
}

func (i *intake) row(n int, update []byte) error {
	i.rows = n
	if err := yjs.ValidateUpdate(update); err != nil {
		return fmt.Errorf("no Yjs update: %w", err)
	}
	if yjs.IsEmptyUpdate(update) || i.known.Contains(update) {
		return nil
	}
	if err := i.known.ApplyUpdate(update); err != nil {
		return fmt.Errorf("it contradicts what came before, or what the room holds: %w", err)
	}
	if i.size+len(update) > partBytes {
		if err := i.gather(); err != nil {
			return err
		}
	}
	i.part = append(i.part, bytes.Clone(update))
	i.size += len(update)
	return nil
}

// gather makes one update of the rows since the last.
func (i *intake) gather() error {
	if len(i.part) == 0 {
		return nil
	}
	merged, err := yjs.MergeUpdates(i.part...)
	if err != nil {
		return err
	}
	i.parts = append(i.parts, merged)
	i.part, i.size = nil, 0
	return nil
}

// send gives the room what it lacks, and waits until that is stored.
func (i *intake) send(ctx context.Context) error {
	for n, part := range i.parts {
		answer, err := i.place.Documents.ApplyUpdate(ctx, connect.NewRequest(&roomsv1.ApplyUpdateRequest{Room: i.room, Update: part}))
		if err != nil {
			return fmt.Errorf("part %d of %d wasn't taken; import again for the rest: %w", n+1, len(i.parts), err)
		}
		if answer.Msg.GetSeq() == 0 {
			return errVolatile
		}
	}
	return nil
}
