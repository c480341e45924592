package content

import "sort"

// moment is a snapshot by the clients of a view.
type moment struct {
	ends    []uint64
	deletes [][]Range
}

func (v *View) moment(s Snapshot) *moment {
	if v == nil {
		return &moment{}
	}
	m := &moment{make([]uint64, len(v.clients)), make([][]Range, len(v.clients))}
	for c := range v.clients {
		m.ends[c], m.deletes[c] = s.Vector[v.clients[c].id], s.Deletes[v.clients[c].id]
	}
	return m
}

// at reports whether a unit was there.
func (m *moment) at(client int32, clock uint32) bool {
	was, _ := m.until(client, clock)
	return was
}

// until reports whether a unit was there, and the clock up to which the same is so
// of those behind it.
func (m *moment) until(client int32, clock uint32) (was bool, end uint64) {
	at := uint64(clock)
	if at >= m.ends[client] {
		return false, 1 << 32
	}
	ranges := m.deletes[client]
	next := sort.Search(len(ranges), func(i int) bool { return ranges[i].Clock+ranges[i].Len > at })
	switch {
	case next == len(ranges):
		return true, m.ends[client]
	case ranges[next].Clock <= at:
		return false, ranges[next].Clock + ranges[next].Len
	default:
		return true, min(m.ends[client], ranges[next].Clock)
	}
}

// had reports whether a type was there.
func (m *moment) had(v *View, kin int32) bool {
	i := v.kin[kin].node
	return i == none || m.at(v.nodes[i].client, v.nodes[i].clock)
}

// pieces calls f for the parts of a node that were there or not.
func (m *moment) pieces(v *View, n node, f func(piece node, was bool)) {
	for {
		was, end := m.until(n.client, n.clock)
		if end >= uint64(n.end()) {
			f(n, was)
			return
		}
		piece, rest := v.cut(n, uint32(end))
		f(piece, was)
		n = rest
	}
}
