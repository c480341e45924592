package content

// tidyGap deletes redundant marks in a gap without characters, which begins at
// start, where the formats before held: marks that are overwritten in the gap and
// marks that say what held already. now are the formats at curr, a node in the gap
// or behind it; they are kept right. It returns how many marks it has deleted.
func (e *Edit) tidyGap(start, curr int32, before attributes, now *attributes) (tidied int) {
	v := e.view
	end := start
	last := map[string]int32{}
	for ; end != none && !v.counts(end); end = v.nodes[end].right {
		if n := &v.nodes[end]; n.kind == kindFormat && !n.deleted() {
			key, _ := v.attribute(end)
			last[key] = end
		}
	}
	reached := false
	for i := start; i != end; i = v.nodes[i].right {
		reached = reached || i == curr
		if n := &v.nodes[i]; n.kind != kindFormat || n.deleted() {
			continue
		}
		key, value := v.attribute(i)
		held := before.or(key)
		if last[key] != i || held.same(value) {
			e.delete(i)
			tidied++
			if !reached && now.or(key).same(value) && !held.same(value) {
				now.mark(key, held)
			}
		} else if !reached {
			now.mark(key, value)
		}
	}
	return tidied
}

// Tidy deletes marks that are redundant, which concurrent edits leave behind, and
// returns how many these were. It doesn't change how the text reads. It does what Yjs'
// cleanupYTextFormatting does, and so finds only marks before the first character: that
// one begins each further gap at the character before it, where the gap ends at once.
func (t Text) Tidy(e *Edit) (tidied int, err error) {
	if err := e.check(t.Shared); err != nil {
		return 0, err
	}
	v := t.view
	var before, now attributes
	start := t.first()
	for i := start; i != none; i = v.nodes[i].right {
		n := &v.nodes[i]
		switch {
		case n.deleted():
		case n.kind == kindFormat:
			now.mark(v.attribute(i))
		default:
			tidied += e.tidyGap(start, i, before, &now)
			before, start = now.clone(), i
		}
	}
	return tidied, nil
}
