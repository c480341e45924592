package badger

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// rotShape is one way in which a file goes bad. bad returns the file's new bytes;
// other is another file's. Both are the caller's to spoil, and neither is empty.
type rotShape struct {
	name string
	bad  func(random *rand.Rand, data, other []byte) []byte
}

// rotShapes are what disks, file systems, memory and people do to files; beside
// them rotMissing and rotSwapped, which need the directory.
var rotShapes = []rotShape{
	{"bit", func(random *rand.Rand, data, _ []byte) []byte {
		flipBit(data, random.IntN(8*used(data)))
		return data
	}},
	{"bits", func(random *rand.Rand, data, _ []byte) []byte {
		at := random.IntN(used(data))
		for range 3 {
			flipBit(data, min(8*at+random.IntN(800), 8*len(data)-1))
		}
		return data
	}},
	{"noise", func(random *rand.Rand, data, _ []byte) []byte {
		return noise(random, data, random.IntN(used(data)), 64)
	}},
	{"noise in the first bytes", func(random *rand.Rand, data, _ []byte) []byte {
		return noise(random, data, 0, 1+random.IntN(min(16, len(data))))
	}},
	{"noise at the beginning", func(random *rand.Rand, data, _ []byte) []byte {
		return noise(random, data, random.IntN(min(64, len(data))), 64)
	}},
	{"noise at the end", func(random *rand.Rand, data, _ []byte) []byte {
		return noise(random, data, used(data)-1-random.IntN(min(64, used(data))), 64)
	}},
	{"a sector of zeros", func(random *rand.Rand, data, _ []byte) []byte {
		return zeros(random, data, sectorSize)
	}},
	{"a page of zeros", func(random *rand.Rand, data, _ []byte) []byte {
		return zeros(random, data, pageSize)
	}},
	{"zeros to the end", func(random *rand.Rand, data, _ []byte) []byte {
		clear(data[random.IntN(used(data)):])
		return data
	}},
	{"nothing but zeros", func(_ *rand.Rand, data, _ []byte) []byte {
		clear(data)
		return data
	}},
	{"cut", func(random *rand.Rand, data, _ []byte) []byte {
		return data[:random.IntN(used(data))]
	}},
	{"cut after a few bytes", func(random *rand.Rand, data, _ []byte) []byte {
		return data[:random.IntN(min(40, used(data)))]
	}},
	{"more at the end", func(random *rand.Rand, data, _ []byte) []byte {
		more := make([]byte, 1+random.IntN(2*pageSize))
		return append(data, noise(random, more, 0, len(more))...)
	}},
	{"more behind what is used", func(random *rand.Rand, data, _ []byte) []byte {
		return noise(random, data, used(data), 1+random.IntN(100))
	}},
	{"zeros behind it", func(random *rand.Rand, data, _ []byte) []byte {
		return append(data, make([]byte, 1+random.IntN(2*pageSize))...)
	}},
	{"two pages swapped", func(random *rand.Rand, data, _ []byte) []byte {
		one, two := page(random, data), page(random, data)
		for i := range min(len(one), len(two)) {
			one[i], two[i] = two[i], one[i]
		}
		return data
	}},
	{"a page of another file", func(random *rand.Rand, data, other []byte) []byte {
		copy(page(random, data), page(random, other))
		return data
	}},
	{"older", func(random *rand.Rand, data, _ []byte) []byte { return older(random, data) }},
	{"older, and a torn end", func(random *rand.Rand, data, _ []byte) []byte {
		end := used(older(random, bytes.Clone(data)))
		if end < used(data) { // half of what came next
			end += random.IntN(used(data) - end)
		}
		clear(data[end:])
		return data
	}},
	{"empty", func(*rand.Rand, []byte, []byte) []byte { return nil }},
	{"another file's bytes", func(_ *rand.Rand, _, other []byte) []byte { return other }},
}

const (
	rotMissing = "missing"
	rotSwapped = "swapped"
)

// used is how long data is without the zeros at its end, at least 1.
func used(data []byte) int { return max(1, len(bytes.TrimRight(data, "\x00"))) }

func noise(random *rand.Rand, data []byte, from, length int) []byte {
	for i := from; i < min(from+length, len(data)); i++ {
		data[i] = byte(random.Uint32())
	}
	return data
}

func zeros(random *rand.Rand, data []byte, unit int) []byte {
	from := random.IntN(used(data)) / unit * unit
	clear(data[from:min(from+unit, len(data))])
	return data
}

func page(random *rand.Rand, data []byte) []byte {
	from := random.IntN(used(data)) / pageSize * pageSize
	return data[from:min(from+pageSize, len(data))]
}

// older returns data as it was once: a log or a list without its last entries.
func older(random *rand.Rand, data []byte) []byte {
	if bytes.HasPrefix(data, manifestHeader) {
		ends := []int{len(manifestHeader)}
		for at := ends[0]; at+8 <= len(data); {
			n, ok := changeSet(data[at:])
			if !ok {
				break
			}
			at += n
			ends = append(ends, at)
		}
		return data[:ends[random.IntN(len(ends))]]
	}
	if ends := transactions(data); len(ends) > 1 {
		clear(data[ends[random.IntN(len(ends)-1)]:])
	}
	return data
}

// transactions returns where a log's transactions begin, and where the last ends.
func transactions(data []byte) (ends []int) {
	at := min(logHeader, len(data))
	ends = append(ends, at)
	for {
		e, ok := readLogEntry(data[at:])
		if !ok {
			return ends
		}
		at += e.size
		if e.meta&logMetaFin != 0 {
			ends = append(ends, at)
		}
	}
}

// rotJob is one damage to one file of a directory.
type rotJob struct {
	Shape string `json:"shape"`
	File  string `json:"file"`
	Other string `json:"other"`
	Seed  uint64 `json:"seed"`
}

func (j rotJob) String() string {
	if j.Shape == rotSwapped || j.Shape == "another file's bytes" || j.Shape == "a page of another file" {
		return fmt.Sprintf("%s: %s, %s (%d)", j.File, j.Shape, j.Other, j.Seed)
	}
	return fmt.Sprintf("%s: %s (%d)", j.File, j.Shape, j.Seed)
}

// do damages a copy of a directory.
func (j rotJob) do(dir string) error {
	file, other := filepath.Join(dir, j.File), filepath.Join(dir, j.Other)
	switch j.Shape {
	case rotMissing:
		return os.Remove(file)
	case rotSwapped:
		return errors.Join(os.Rename(file, file+"~"), os.Rename(other, file), os.Rename(file+"~", other))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	theirs, err := os.ReadFile(other)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(rotShapes, func(s rotShape) bool { return s.name == j.Shape })
	if at < 0 {
		return fmt.Errorf("no shape %q", j.Shape)
	}
	bad := rotShapes[at].bad(rand.New(rand.NewPCG(j.Seed, 0)), data, theirs)
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // it may be a link to the sound one
	}
	return writeSparse(file, bad)
}

// writeSparse writes data, but for the pages without content at its end.
func writeSparse(name string, data []byte) error {
	if err := os.WriteFile(name, data[:len(bytes.TrimRight(data, "\x00"))], 0o600); err != nil {
		return err
	}
	return os.Truncate(name, int64(len(data)))
}
