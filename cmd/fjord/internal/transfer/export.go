package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"connectrpc.com/connect"

	"github.com/fjord-sync/fjord/cmd/fjord/internal/elvafile"
	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/yjs"
)

// Export writes rooms as ELVA's files, all that hold something unless some are
// named. A file that is there keeps what it has, and gets what it lacks: to
// export twice changes nothing.
func Export(ctx context.Context, p *Place, dir string, named []string) error {
	t := &tally{place: p}
	write := func(room string) {
		if err := exportRoom(ctx, p, t, dir, room); err != nil {
			t.refuse(room, err)
		}
	}
	if len(named) > 0 {
		for _, room := range named {
			write(room)
		}
		return t.end("rooms")
	}
	return errors.Join(eachRoom(ctx, p, write), t.end("rooms"))
}

// eachRoom calls do with the name of every room that holds something.
func eachRoom(ctx context.Context, p *Place, do func(room string)) error {
	for after := ""; ; {
		page, err := p.Storage.List(ctx, connect.NewRequest(&storagev1.ListRequest{After: after, Limit: 1000}))
		if connect.CodeOf(err) == connect.CodeUnimplemented {
			return fmt.Errorf("the process doesn't know which rooms are stored; ask one that runs storage too, or name the rooms: %w", err)
		}
		if err != nil {
			return err
		}
		for _, info := range page.Msg.GetRooms() {
			after = info.GetRoom()
			if !roomname.Internal(after) { // or what rooms keeps beside documents
				do(after)
			}
		}
		if !page.Msg.GetMore() || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func exportRoom(ctx context.Context, p *Place, t *tally, dir, room string) error {
	if err := roomname.ELVA(room); err != nil {
		return fmt.Errorf("ELVA has no such name: %w", err)
	}
	answer, err := p.Documents.GetDocument(ctx, connect.NewRequest(&roomsv1.GetDocumentRequest{Room: room}))
	if err != nil {
		return fmt.Errorf("the room can't be read: %w", err)
	}
	update := answer.Msg.GetUpdate()
	if yjs.IsEmptyUpdate(update) {
		t.addf(&t.empty, room, "the room holds nothing")
		return nil
	}
	path := filepath.Join(dir, room+elvafile.Ending)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return appendRoom(ctx, t, path, room, update)
	}
	if err := elvafile.Create(ctx, path, room, update); err != nil {
		return err
	}
	t.addf(&t.created, room, "%d bytes", len(update))
	return nil
}

// appendRoom gives a file that is there what it lacks.
func appendRoom(ctx context.Context, t *tally, path, room string, update []byte) error {
	known, err := readFile(ctx, path, room)
	if err != nil {
		return fmt.Errorf("the file that is there can't be added to: %w", err)
	}
	if known.Contains(update) {
		t.addf(&t.same, room, "the file has it all")
		return nil
	}
	lacking, err := yjs.DiffUpdate(update, known.StateVector())
	if err != nil {
		return err
	}
	if err := known.ApplyUpdate(lacking); err != nil {
		return fmt.Errorf("the file that is there contradicts the room: %w", err)
	}
	if err := elvafile.Append(ctx, path, lacking); err != nil {
		return err
	}
	t.addf(&t.grown, room, "%d bytes added", len(lacking))
	return nil
}

// readFile returns the document of a file that says it is room's.
func readFile(ctx context.Context, path, room string) (known *yjs.Document, err error) {
	file, err := elvafile.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	identifier, err := file.Identifier(ctx)
	if err != nil {
		return nil, err
	}
	if identifier != "" && identifier != room {
		return nil, fmt.Errorf("it holds the document %q", identifier)
	}
	known = yjs.NewDocument()
	return known, file.Updates(ctx, func(_ int, update []byte) error { return known.ApplyUpdate(update) })
}
