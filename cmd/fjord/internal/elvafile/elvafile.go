// Package elvafile reads and writes the files in which ELVA keeps its documents:
// SQLite databases named <identifier>.y, with two tables.
//
//	yupdates(yupdate BLOB)          one Yjs v1 update a row, in the order of the rows
//	metadata(key PRIMARY KEY, value) 'identifier' → the document's; older files have none
//
// A file is never opened where it lies in order to be read: SQLite would write
// beside it, and could not open one on read-only media that has a write-ahead
// log. What is read is a copy, with the log and the journal that belong to it, so
// that what was committed last is there and what was half written is not.
package elvafile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Ending is how the names of the files end.
const Ending = ".y"

// File is an open copy of one file. Close removes the copy.
type File struct {
	db     *sql.DB
	folder string
}

var (
	errDamaged = errors.New("the database is damaged")
	errTable   = errors.New("no table yupdates with a column yupdate: this is no file of ELVA's")
)

// Open copies the file at path, and checks that the copy is sound from its first
// page to its last.
func Open(ctx context.Context, path string) (*File, error) {
	folder, err := os.MkdirTemp("", "fjord-elva-")
	if err != nil {
		return nil, fmt.Errorf("no place for a copy: %w", err)
	}
	f := &File{folder: folder}
	if err := f.open(ctx, path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *File) open(ctx context.Context, path string) error {
	name := filepath.Join(f.folder, "copy"+Ending)
	if err := copyDatabase(name, path); err != nil {
		return err
	}
	var err error
	if f.db, err = open(name, "rw"); err != nil {
		return err
	}
	return f.check(ctx)
}

// open opens a database. SQLite itself looks at it only when it is used.
func open(path, mode string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "mode=" + mode + "&_pragma=busy_timeout(5000)&_pragma=synchronous(full)"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// check reads all pages. SQLite answers with "ok", or a line for each fault.
func (f *File) check(ctx context.Context) error {
	var verdict string
	if err := f.db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, strings.ReplaceAll(verdict, "\n", " "))
	}
	var columns int
	err := f.db.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_info('yupdates') WHERE name = 'yupdate'").Scan(&columns)
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if columns != 1 {
		return errTable
	}
	return nil
}

// Close removes the copy.
func (f *File) Close() error {
	var err error
	if f.db != nil {
		err = f.db.Close()
	}
	return errors.Join(err, os.RemoveAll(f.folder))
}

// Identifier returns what the file says its document is called, "" if it doesn't
// say.
func (f *File) Identifier(ctx context.Context) (string, error) {
	var tables int
	if err := f.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'metadata'").Scan(&tables); err != nil {
		return "", err
	}
	if tables == 0 {
		return "", nil
	}
	var identifier sql.NullString
	err := f.db.QueryRowContext(ctx, "SELECT value FROM metadata WHERE key = 'identifier'").Scan(&identifier)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return identifier.String, err
}

// Updates calls each with every row, in order, counted from 1. The bytes are
// each's own. The first error ends it.
func (f *File) Updates(ctx context.Context, each func(row int, update []byte) error) (err error) {
	rows, err := f.db.QueryContext(ctx, "SELECT yupdate, typeof(yupdate) FROM yupdates ORDER BY rowid")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for n := 1; rows.Next(); n++ {
		var update []byte
		var kind string
		if err := rows.Scan(&update, &kind); err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
		if kind != "blob" {
			return fmt.Errorf("row %d: its yupdate is %s; want a blob", n, kind)
		}
		if err := each(n, update); err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
	}
	return rows.Err()
}
