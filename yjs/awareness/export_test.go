package awareness

// Known returns the clocks of all clients that are known.
func (s *States) Known() map[uint64]uint64 {
	all := map[uint64]uint64{}
	for id, k := range s.clients {
		all[id] = k.clock
	}
	return all
}
