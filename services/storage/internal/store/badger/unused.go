package badger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Badger keeps files that a store without encryption and value log has no use for:
//
//	KEYREGISTRY   16 random bytes, and registryText
//	DISCARD       zeros: what could be discarded of the value log
//	*.vlog        the value log: a header of 20 bytes, which begins with 8 zeros, and zeros
//
// Still it won't open, hangs or panics over some damage to them. Nothing can be lost
// with them, so those that aren't so are set aside, and Badger makes new ones. So is
// what has the name of a file of ours, and other content: it may be a file that was
// renamed.

const (
	registryName  = "KEYREGISTRY"
	discardName   = "DISCARD"
	registryStart = 16
)

// registryText is there so that a wrong key would be noticed.
var registryText = []byte("Hello Badger")

func registrySound(data []byte) bool {
	return len(data) == registryStart+len(registryText) && bytes.Equal(data[registryStart:], registryText)
}

func discardSound(data []byte) bool { return len(data) == 1<<20 && allZero(data) }

func valuesSound(data []byte) bool {
	return len(data) >= logHeader && allZero(data[:logKeyID]) && allZero(data[logHeader:])
}

func syncedSound(data []byte) bool {
	_, err := parseSynced(data)
	return err == nil || allZero(data) // a power cut can leave it so
}

// unsound returns the unused files that aren't as they should be. Empty ones are
// removeEmpty's.
func unsound(dir string) (names []string, err error) {
	values, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	if err != nil {
		return nil, err
	}
	sound := map[string]func([]byte) bool{
		filepath.Join(dir, registryName): registrySound,
		filepath.Join(dir, discardName):  discardSound,
		filepath.Join(dir, syncedName):   syncedSound,
		filepath.Join(dir, ballastName):  allZero,
	}
	for _, name := range values {
		sound[name] = valuesSound
	}
	for name, is := range sound {
		data, err := readBeginning(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(data) == 0 {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !is(data) {
			names = append(names, name)
		}
	}
	return names, nil
}

// maxUnused is more than an unused file has, but for the ballast.
const maxUnused = 4 << 20

// readBeginning reads at most maxUnused bytes of a file.
func readBeginning(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxUnused))
	return data, errors.Join(err, f.Close())
}

// replaceUnused moves unused files away that are damaged.
func replaceUnused(opt Options) error {
	names, err := unsound(opt.Dir)
	if err == nil {
		err = moveAside(opt, names...)
	}
	if err != nil {
		return fmt.Errorf("data directory %q: %w", opt.Dir, err)
	}
	return nil
}

// moveAside moves files into a new directory within the data directory.
func moveAside(opt Options, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	aside, err := os.MkdirTemp(opt.Dir, asidePattern)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Rename(name, filepath.Join(aside, filepath.Base(name))); err != nil {
			return err
		}
		opt.Log.Error("a file of the data directory that holds nothing of value isn't as it should be, and is made anew; look after the disk and the memory of this machine", "file", filepath.Base(name), "moved", aside)
	}
	return nil
}
