package badger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// damage is what would be lost if Badger opened the directory, or what keeps it from
// opening it.
type damage struct {
	text  string
	files []string // those that are damaged, as far as they are there
	// repair makes the best of it, once files were copied: what can be read stays.
	repair func() error
}

// asidePattern names the directories with what was set aside.
const asidePattern = "damaged-"

// maxRepairs bounds how often damage may be found behind repaired damage: a log
// behind the list behind tables, and so on.
const maxRepairs = 16

// refuseDamage refuses a damaged directory, or repairs it if the loss is accepted.
func refuseDamage(ctx context.Context, opt Options, before synced) error {
	for range maxRepairs {
		d, err := findDamage(ctx, opt, before)
		if err != nil {
			return fmt.Errorf("data directory %q: %w", opt.Dir, err)
		}
		if d == nil {
			return nil
		}
		if !opt.AcceptLoss {
			return fmt.Errorf("data directory %q: %s: opening it would lose transactions; restore a backup, or accept the loss (--accept-loss), which keeps all that can be read", opt.Dir, d.text)
		}
		aside, err := setAside(opt, d.files)
		if err != nil {
			return err
		}
		if aside == "" {
			aside = "none: nothing is left of what was lost"
		}
		if err := d.repair(); err != nil {
			return fmt.Errorf("data directory %q: %s: it cannot be repaired: %w", opt.Dir, d.text, err)
		}
		opt.Log.Error("the data directory is damaged, and the loss is accepted", "dir", opt.Dir, "damage", d.text, "copies", aside)
	}
	return fmt.Errorf("data directory %q is damaged in more ways than can be repaired: restore a backup", opt.Dir)
}

// findDamage reads the directory, up to the first damage in it; with AcceptLoss, up
// to the first kind. Logs come first: they are read at once, tables take minutes.
func findDamage(ctx context.Context, opt Options, before synced) (*damage, error) {
	names, scans, err := scanLogs(opt.Dir)
	if err != nil {
		return nil, err
	}
	if at, text := judge(scans, 0, newestTabled(opt)); text != "" {
		return &damage{
			text: fmt.Sprintf("log %s %s", filepath.Base(names[at]), text), files: names[at:],
			repair: func() error { return repairLogs(opt.Dir, 0, 0) },
		}, nil
	}
	list, d := tableListDamage(opt)
	if d != nil {
		return d, nil
	}
	tables, bad, err := checkTables(ctx, opt, list, tellAfter)
	if err != nil {
		return nil, err
	}
	if d := bad.damage(opt.Dir); d != nil {
		return d, nil
	}
	if one, other := list.misplaced(opt.Dir, tables); one != "" {
		return &damage{
			text:  fmt.Sprintf("tables %s and %s can't be where the list of tables (MANIFEST) says: one has the other's place, or bytes", filepath.Base(one), filepath.Base(other)),
			files: append(listFile(opt.Dir), one, other), repair: func() error { return repairTableList(opt.Dir, false) },
		}, nil
	}
	newest := uint64(0)
	for _, t := range tables {
		newest = max(newest, t.newest)
	}
	missed, err := list.missed(opt.Dir, newest, scans)
	if err != nil {
		return nil, err
	}
	if len(missed) > 0 {
		return &damage{
			text:  fmt.Sprintf("the list of tables (MANIFEST) is damaged: tables are not in it (%d, the first is %s), and nothing else holds what they hold", len(missed), filepath.Base(missed[0])),
			files: listFile(opt.Dir), repair: func() error { return repairTableList(opt.Dir, true) },
		}, nil
	}
	if text := before.lost(scans, newest); text != "" {
		return &damage{
			text: text, files: names,
			repair: func() error { return repairLogs(opt.Dir, newest, before.upto) },
		}, nil
	}
	return nil, nil
}

// tableListDamage reads the list of tables; that it can't be read is damage.
func tableListDamage(opt Options) (tableList, *damage) {
	list, err := readTableList(opt)
	if err == nil {
		return list, nil
	}
	return list, &damage{
		text: err.Error(), files: listFile(opt.Dir),
		repair: func() error { return repairTableList(opt.Dir, true) },
	}
}

// lost says which transactions are in no log and no table, although they were
// stored; "" if none is. newest is the last one in the tables.
//
// It goes by those that leave a mark in the tables (see syncedName): of a hole in
// which no other has been, nothing can be said.
func (s synced) lost(scans []logScan, newest uint64) string {
	last, first := newest, true
	for _, scan := range scans {
		if scan.first == 0 {
			continue
		}
		if first && scan.first > newest+1 && s.marks(newest+1, scan.first-1) {
			return fmt.Sprintf("transactions %d to %d are in no log and no table: a log is gone, or damaged", newest+1, scan.first-1)
		}
		last, first = max(last, scan.last), false
	}
	if last < s.upto && s.marks(last+1, s.upto) {
		return fmt.Sprintf("transactions %d to %d were stored, and are in no log and no table: the newest log is gone, or damaged", last+1, s.upto)
	}
	return ""
}

// setAside copies files, as far as they are there, into a new directory within the
// data directory.
func setAside(opt Options, files []string) (aside string, err error) {
	for _, name := range files {
		info, err := os.Stat(name)
		if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
			continue
		}
		if aside == "" {
			if aside, err = os.MkdirTemp(opt.Dir, asidePattern); err != nil {
				return "", fmt.Errorf("data directory %q: the damaged files cannot be set aside: %w", opt.Dir, err)
			}
		}
		if err := copyFile(filepath.Join(aside, filepath.Base(name)), name); err != nil {
			return "", fmt.Errorf("data directory %q: a damaged file cannot be set aside: %w", opt.Dir, err)
		}
	}
	return aside, nil
}

// copyFile copies a file, up to its last byte that isn't zero.
func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, bytes.TrimRight(data, "\x00"), 0o600)
}

// replaceFile puts data in the place of a file, or makes it; a crash leaves either.
func replaceFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "repair-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), name)
}
