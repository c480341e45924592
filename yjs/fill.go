package yjs

// sectionRoom is how many bytes a section has at least for which fill makes room in
// advance: no more than twice the input is made of what the input claims.
const sectionRoom = 64

// fill adds an update to a document that has nothing, reading it once: whatever is
// wrong with it, what was made of it until then is thrown away. It does nothing, and
// says so, if reading twice is better: if there are many small sections, of which
// one doesn't know how many are true, or if there is a shared type and one must know
// how those nest.
func (d *Document) fill(update []byte, most *bounds) (filled bool, err error) {
	u := readUpdate(update)
	crowd := u.sections > indexFrom && u.sections > uint64(len(update)/sectionRoom)
	if crowd || len(update) > maxRunBytes { // which check refuses
		return false, nil
	}
	var fresh Document
	fresh.reserve(int(u.sections))
	in := intake{src: update}
	var b block
	var units uint64
	types := false
	for u.checked(&b) {
		if b.kind() == kindType {
			if types = true; most.nesting {
				return false, nil
			}
		}
		if u.section {
			in.flush()
			in.client = fresh.ensure(u.client)
		}
		if b.kind() == kindSkip {
			continue
		}
		if units += b.length; units > most.units {
			u.fail(faultUnits)
		}
		in.structs = u.structs
		in.put(&b)
	}
	in.flush()
	// Where each has little, room is made for those that there really are.
	if u.clients > u.left()/sectionRoom {
		fresh.reserve(fresh.strangers(u))
	}
	fresh.addDeletes(&u)
	if err := u.close(); err != nil {
		return true, err
	}
	d.clients, d.index, d.recent = fresh.clients, fresh.index, fresh.recent
	if types && !d.flat {
		d.nesting = &nesting{stale: true}
	}
	return true, nil
}
