package quarantine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// Kind says what is in quarantine.
type Kind string

// The two kinds.
const (
	// Update is one update, whose room goes on without it.
	Update Kind = "update"
	// Room is a whole room, whose bytes on disk are damaged. Its item has no bytes
	// of its own: they are where they were.
	Room Kind = "room"
)

// Item describes what is in quarantine; the JSON is the second line of its file.
type Item struct {
	Room string `json:"room"`
	// ID names the item within its room: the same bytes have the same.
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Seq is that of the record which holds an update, 0 if none does.
	Seq uint64 `json:"seq,omitempty"`
	// Size is the number of bytes of an update, Sum their CRC-32C.
	Size int    `json:"size"`
	Sum  uint32 `json:"crc32c"`
	// Reason says why the bytes could not be used, Who sent or found them.
	Reason string    `json:"reason"`
	Who    string    `json:"who,omitempty"`
	Found  time.Time `json:"found"`
}

// maxText bounds the texts of an item: others chose them.
const maxText = 1 << 10

// magic is the first line of an item's file. Then come the Item as one line of
// JSON and, to the end of the file, an update's bytes.
const magic = "fjord-quarantine 1\n"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// complete fills in what follows from the item's other fields and its bytes.
func (i *Item) complete(data []byte) {
	i.ID = i.identity(data)
	i.Size = len(data)
	i.Sum = crc32.Checksum(data, castagnoli)
	i.Reason, i.Who = shorten(i.Reason), shorten(i.Who)
}

// identity returns the id of an item of this kind and room with these bytes.
func (i *Item) identity(data []byte) string {
	digest := sha256.New()
	fmt.Fprintf(digest, "%s %d %s\n", i.Kind, len(i.Room), i.Room)
	digest.Write(data)
	return hex.EncodeToString(digest.Sum(nil)[:16])
}

func shorten(s string) string {
	if len(s) > maxText {
		return s[:maxText]
	}
	return s
}

// compare is the order of a list: by room, then by id.
func (i *Item) compare(room, id string) int {
	switch {
	case i.Room != room && i.Room < room, i.Room == room && i.ID < id:
		return -1
	case i.Room == room && i.ID == id:
		return 0
	default:
		return 1
	}
}

func encode(item *Item, data []byte) ([]byte, error) {
	header, err := json.Marshal(item)
	if err != nil {
		return nil, err
	}
	file := make([]byte, 0, len(magic)+len(header)+1+len(data))
	file = append(file, magic...)
	file = append(file, header...)
	file = append(file, '\n')
	return append(file, data...), nil
}

var errNotItem = errors.New("not a file of the quarantine, or damaged")

// decode is the inverse of encode; the bytes alias file.
func decode(file []byte) (*Item, []byte, error) {
	rest, ok := bytes.CutPrefix(file, []byte(magic))
	if !ok {
		return nil, nil, errNotItem
	}
	header, data, ok := bytes.Cut(rest, []byte{'\n'})
	if !ok {
		return nil, nil, errNotItem
	}
	var item Item
	if err := json.Unmarshal(header, &item); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errNotItem, err)
	}
	if item.ID != item.identity(data) { // the room's name is under no other checksum
		return nil, nil, errNotItem
	}
	if item.Size != len(data) || item.Sum != crc32.Checksum(data, castagnoli) || item.Kind != Update && item.Kind != Room {
		return nil, nil, errNotItem
	}
	return &item, data, nil
}
