// Package badger keeps rooms on disk, in a Badger key-value store.
//
//	Claim, Append,      ┌─ calls ─┐   ┌───────────┐  one transaction,
//	Delete, the end  ──▶│ gather  │──▶│ committer │──────────────────▶ Badger
//	of PutSnapshot      └─────────┘   └───────────┘  one sync             ▲
//	                                        │ what became garbage         │
//	PutSnapshot's chunks, ──────────────────┼─────────────────────────────┤
//	large records' chunks                   ▼                             │
//	                                  ┌─────────┐  deletions ride in      │
//	Load, List ◀── read transaction   │ sweeper │  the committer's ───────┘
//	                                  └─────────┘  transactions
//
// # Goroutines
//
// The committer is the only one that moves heads: it takes all calls that came
// while the last sync was under way and puts them into the next transaction. The
// sweeper removes what no head points at any more. A watcher (not in the picture)
// gives up the ballast when the disk is full. All are owned by the [Store] and end
// with Close. Chunks of large values are written by their callers.
//
// # Durability
//
// Badger runs with SyncWrites: Commit returns after an msync of its log. (DB.Sync
// is no replacement: it syncs the newest log file only, and a transaction
// committed just before a rotation is lost.) A failed commit leaves the log in an
// unknown state, and an fsync that failed once reports success the next time: so
// the store answers Unknown to the whole batch and then refuses everything until
// it is opened again. Retrying the same (epoch, seq) after that finds out.
//
// A full disk would kill the process (Badger writes to mapped files), so a guard
// refuses appends, then snapshots, then everything, well before. See guard.go, and
// ballast.go for what Badger has begun by then.
//
// Badger replays its logs up to the first damage and drops the rest without a word,
// and panics over some damage to its tables. So Open reads all files first: a
// single bit that flipped is found by the checksum over it and turned back (bits.go,
// inspect.go, mend.go, tables.go), and a directory with more damage is refused: damaged
// logs (scan.go), tables (tables.go) or lists (tablelist.go), and what is missing
// altogether (synced.go). Who accepts the loss gets all that can be read (loss.go,
// repair_*.go); files that hold nothing are replaced (unused.go).
//
// # Bytes on disk, format 1
//
// All numbers are big-endian. room is the room's name as it is, n its length in
// bytes (1 to 255); a key that goes on after the name carries n, so no two tuples
// share a key, whatever bytes the names have. Heads go without it: their order is
// the order of List.
//
//	key                                        value
//	'f'                                        format
//	'h' room                                   head
//	'r' n room seq(8)                          record
//	'c' n room seq(8) id(8) index(4)           a chunk of a large record
//	's' n room seq(8) id(8) index(4)           a chunk of a snapshot
//	'x' 'r' n room to(8)                       sweep: from(8)
//	'x' 'c' n room seq(8) id(8)                sweep: empty
//	'x' 's' n room seq(8) id(8)                sweep: empty
//
//	format   "fjord-storage" version(1)
//
//	head     flags(1) epoch(8) last(8) base(8) [ id(8) size(8) sum(4) ] crc(4)
//	         flags: 1 deleted, 2 has a snapshot; [ ] is there if it has one,
//	         whose seq is base then.
//	         crc is the CRC-32C of the key and of the value before it;
//	         sum that of 's' n room seq(8) and of the snapshot's bytes.
//
//	record   0 epoch(8) crc(4) data            up to 256 KiB of data
//	         1 epoch(8) crc(4) size(8) id(8)   more: data is in chunks
//	         crc is the CRC-32C of the key, of epoch and of the data.
//
//	chunk    up to 256 KiB of data, all but the last one exactly that
//
// Checksums begin with the key, so a value under another room's or seq's key is
// damaged there.
//
// Values stay far below Badger's ValueThreshold (1 MiB), so its value log, which
// reports a failed sync to nobody, is never used.
//
// # What no head points at
//
// A value too large for one transaction is written as chunks first, under an id
// that nothing else has; a sweep entry goes with the first of them and is removed
// in the transaction that moves the head. A crash in between leaves the sweep
// entry, and the next Open removes the chunks. In the same way, a head that moves
// past records or past an older snapshot writes a sweep entry for them in its own
// transaction, and they are deleted afterwards, in small pieces: a room may have
// more records than a transaction can delete. Seqs and ids are never used twice,
// so a sweep can't hit anything alive, however late it comes.
package badger
