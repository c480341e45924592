package badger

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// testManifest returns a list of tables like Badger's, and where its change sets
// begin.
func testManifest(sets ...string) (data []byte, starts []int) {
	data = append(data, "Bdgr\x00\x00\x00\x08"...)
	for _, set := range sets {
		starts = append(starts, len(data))
		data = binary.BigEndian.AppendUint32(data, uint32(len(set)))
		data = binary.BigEndian.AppendUint32(data, addSum(0, []byte(set)))
		data = append(data, set...)
	}
	return data, starts
}

func scanManifestBytes(t *testing.T, data []byte) bool {
	t.Helper()
	name := filepath.Join(t.TempDir(), "MANIFEST")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := scanManifest(name)
	if err != nil {
		t.Fatal(err)
	}
	return d != nil
}

func TestScanManifest(t *testing.T) {
	data, starts := testManifest("", "one table", "another one", "x")
	for end := range len(data) + 1 {
		if scanManifestBytes(t, data[:end]) {
			t.Errorf("a list that a crash has cut to %d bytes is called damaged", end)
		}
	}
	if d, err := scanManifest(filepath.Join(t.TempDir(), "none")); d != nil || err != nil {
		t.Errorf("no list: %v, %v", d, err)
	}
	// Badger itself refuses a length above the file's, and one that leads to a
	// wrong checksum. The others it takes for the end.
	quiet := 0
	for _, start := range starts {
		for bit := range 32 {
			spoiled := bytes.Clone(data)
			spoiled[start+bit/8] ^= 1 << (bit % 8)
			length := int(binary.BigEndian.Uint32(spoiled[start:]))
			if length > len(data) || length <= len(data)-start-8 {
				continue
			}
			quiet++
			if !scanManifestBytes(t, spoiled) {
				t.Errorf("the change set at %d may have the length %d", start, length)
			}
		}
	}
	if quiet == 0 {
		t.Error("no length fooled Badger: the test shows nothing")
	}
}
