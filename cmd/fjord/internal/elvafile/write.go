package elvafile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Create writes a new file at path that holds one update. There is nothing at
// path until the file is whole and on disk; a file that is there already stays,
// and the error is fs.ErrExist.
func Create(ctx context.Context, path, identifier string, update []byte) (err error) {
	folder, err := os.MkdirTemp(filepath.Dir(path), ".fjord-elva-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	draft := filepath.Join(folder, "draft"+Ending)
	if err := fill(ctx, draft, identifier, update); err != nil {
		return err
	}
	if err := place(draft, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// place gives a draft its name. A link, unlike a rename, never takes the place
// of another file; where a file system has none, we look first.
func place(draft, path string) error {
	err := os.Link(draft, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s: %w", path, fs.ErrExist), err)
	}
	return os.Rename(draft, path)
}

// syncFolder makes a new name last.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func fill(ctx context.Context, path, identifier string, update []byte) (err error) {
	return change(ctx, path, "rwc", func(tx *sql.Tx) error {
		for _, statement := range []string{
			"CREATE TABLE metadata(key PRIMARY KEY, value)",
			"CREATE TABLE yupdates(yupdate BLOB)",
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO metadata(key, value) VALUES ('identifier', ?)", identifier); err != nil {
			return err
		}
		return insert(ctx, tx, update)
	})
}

// Append adds an update to the file at path.
func Append(ctx context.Context, path string, update []byte) error {
	return change(ctx, path, "rw", func(tx *sql.Tx) error { return insert(ctx, tx, update) })
}

func insert(ctx context.Context, tx *sql.Tx, update []byte) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO yupdates(yupdate) VALUES (?)", update)
	return err
}

// change does one transaction.
func change(ctx context.Context, path, mode string, do func(*sql.Tx) error) (err error) {
	db, err := open(path, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
