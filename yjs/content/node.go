package content

// The kinds of struct, as in the low five bits of their info byte.
const (
	kindGC      = 0
	kindDeleted = 1
	kindJSON    = 2
	kindBinary  = 3
	kindString  = 4
	kindEmbed   = 5
	kindFormat  = 6
	kindType    = 7
	kindAny     = 8
	kindDoc     = 9
	kindSkip    = 10

	kindBits = 0x1f
)

// The flags of the info byte, which a node keeps while the view is being built.
const (
	infoKey    = 0x20
	infoRight  = 0x40
	infoOrigin = 0x80
)

// The other flags of a node.
const (
	// deleted nodes keep their place: others hang on them.
	deleted = 0x01
	// headHalf and tailHalf mean that the text begins or ends with half of a
	// surrogate pair, which reads as U+FFFD and has no bytes here.
	headHalf = 0x02
	tailHalf = 0x04
	// further nodes aren't integrated yet, and aren't the first of their struct.
	further = 0x08
)

// none stands for no node, no list, no type.
const none int32 = -1

// node is a struct, or a piece of one, in its place in a list. Structs are cut
// wherever another one hangs on their middle and where a delete begins or ends.
type node struct {
	left, right int32
	// list is none for GC structs, which have no place.
	list   int32
	client int32  // in View.clients
	clock  uint32 // of the first unit
	length uint32 // units
	// body is where the content is: the first byte of a string without its length,
	// the first value of a list, else what follows the head of the struct.
	body uint32
	// size is a string's length in bytes, or which type of View.types it is.
	size  uint32
	kind  byte
	flags byte
}

func (n *node) end() uint32   { return n.clock + n.length }
func (n *node) deleted() bool { return n.flags&deleted != 0 }

// countable nodes count in the length of their type.
func (n *node) countable() bool {
	return n.kind != kindFormat && n.kind > kindDeleted
}

// noKey is the key of a list that is a sequence.
const noKey = 1<<32 - 1

// list is the nodes of a sequence from left to right, or all values that a key
// has had, of which the last one counts.
type list struct {
	kin         int32  // the type that it belongs to
	key         uint32 // where the key's varString is, or noKey
	first, last int32
	next        int32 // the next key of the same type
	marked      bool  // has had a format mark
}

// sharedType is a sequence and keys.
type sharedType struct {
	node int32 // that holds it; none for a root
	seq  int32 // list of its sequence, or none
	keys int32 // list of its first key, or none
	kind byte  // typeArray ...; roots have none: their reader chooses
	dead bool  // it or a type around it is deleted
}

// The numbers of the shared types.
const (
	typeArray = iota
	typeMap
	typeText
	typeXMLElement
	typeXMLFragment
	typeXMLHook
	typeXMLText
	typeRoot
)

// author is a client and where its nodes are: in View.nodes from lo to hi, in the
// order of their clocks.
type author struct {
	id     uint64
	lo, hi int32
	end    uint32 // clock after the last node
	// more is the nodes that edits have added behind, in the order of their clocks.
	more []int32
	// pending says that structs of this client wait for others, so that its next
	// clock isn't known.
	pending bool
}
