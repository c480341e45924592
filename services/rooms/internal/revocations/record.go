package revocations

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// version begins every record and snapshot.
const version = 0x01

var errEmpty = errors.New("empty; want a version byte")

// appendRecord appends what has changed, or all of it.
func appendRecord(dst []byte, r *roomsv1.Revocations) ([]byte, error) {
	return proto.MarshalOptions{}.MarshalAppend(append(dst, version), r)
}

func readRecord(record []byte) (*roomsv1.Revocations, error) {
	switch {
	case len(record) == 0:
		return nil, errEmpty
	case record[0] != version:
		return nil, fmt.Errorf("version %d; this build reads version %d", record[0], version)
	}
	r := &roomsv1.Revocations{}
	if err := proto.Unmarshal(record[1:], r); err != nil {
		return nil, err
	}
	return r, nil
}
