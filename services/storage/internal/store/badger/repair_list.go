package badger

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"google.golang.org/protobuf/proto"
)

func listFile(dir string) []string { return []string{filepath.Join(dir, manifestName)} }

// repairTableList writes the list of tables anew: all tables that are there, but for
// those that it says were replaced. What it says of their levels is kept as far as it
// can be read, unless it is wrong. All others go to the first level, where tables may
// overlap, and Badger compacts them: which version of a key is the newest doesn't
// depend on levels.
func repairTableList(dir string, keepLevels bool) error {
	name := filepath.Join(dir, manifestName)
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	levels, removed := readLevels(data)
	if !keepLevels {
		clear(levels)
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		return err
	}
	there := map[tableID]bool{}
	var set pb.ManifestChangeSet
	for _, file := range tables {
		id, ok := table.ParseFileID(file)
		if !ok || removed[id] {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if (&mender{data: data}).table() >= 0 {
			continue // it was never finished, or it would have been repaired
		}
		facts, ok := readFacts(data)
		if !ok || there[facts.id()] {
			continue // once is enough, and else it may be there twice for long
		}
		there[facts.id()] = true
		set.Changes = append(set.Changes, &pb.ManifestChange{
			Id: id, Op: pb.ManifestChange_CREATE, Level: levels[id], EncryptionAlgo: pb.EncryptionAlgo_aes,
		})
	}
	body, err := proto.Marshal(&set)
	if err != nil {
		return err
	}
	list := append([]byte(nil), manifestHeader...)
	list = binary.BigEndian.AppendUint32(list, uint32(len(body)))
	list = binary.BigEndian.AppendUint32(list, addSum(0, body))
	return replaceFile(name, append(list, body...))
}

// readLevels reads the change sets of a list, up to the first that can't be read: on
// which level each table is, and which tables were replaced.
func readLevels(data []byte) (levels map[uint64]uint32, removed map[uint64]bool) {
	levels, removed = map[uint64]uint32{}, map[uint64]bool{}
	for at := len(manifestHeader); at+8 <= len(data); {
		size, ok := changeSet(data[at:])
		var set pb.ManifestChangeSet
		if !ok || proto.Unmarshal(data[at+8:at+size], &set) != nil {
			break
		}
		for _, change := range set.Changes {
			if removed[change.Id] = change.Op == pb.ManifestChange_DELETE; !removed[change.Id] {
				levels[change.Id] = change.Level
			}
		}
		at += size
	}
	return levels, removed
}
