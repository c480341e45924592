// Package check decides, after a fault and after everything has healed, whether
// Fjord kept its promises. What it compares:
//
//	authors    what each client said, what was echoed to it, what it saw and holds
//	hot        the document as the running server has it
//	cold       the document that a server loads after all were killed
//	log        the room's records, as storage has them
//	calls      every claim and append between rooms and storage
//
// [Room] checks one room's documents: (1) what was echoed exists, and so does all
// that anybody saw; (2) what nobody said doesn't; (3) all agree, npm's yjs
// included. [Log] checks that seqs have no gaps, [Calls] that epochs rise, belong
// to one owner each, and that the history is linearizable.
package check
