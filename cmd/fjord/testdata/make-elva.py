# Made the files in this folder, with Python's sqlite3 and ELVA's statements; they
# are kept, since others' files of today must be readable for ever.
import os, shutil, sqlite3, sys

here = sys.argv[1]

def letter(client, n):
    """Client types its n-th letter into the text "t"."""
    if n == 0:
        return bytes([1, 1, client, 0, 4, 1, 1, ord('t'), 1, ord('a'), 0])
    return bytes([1, 1, client, n, 0x84, client, n - 1, 1, ord('b'), 0])

def make(path, identifier, client, count, wal=False):
    db = sqlite3.connect(path)
    db.execute('PRAGMA page_size=1024')
    if wal:
        db.execute('PRAGMA journal_mode=wal')
    db.execute('CREATE TABLE metadata(key PRIMARY KEY, value)')
    db.execute('INSERT INTO metadata VALUES (?, ?)', ('identifier', identifier))
    db.execute('CREATE TABLE yupdates(yupdate BLOB)')
    db.commit()
    for n in range(count):
        db.execute('INSERT INTO yupdates VALUES (?)', (letter(client, n),))
        db.commit()
    return db

make(f'{here}/document-one.y', 'document-one', 7, 10).close()
# One that was copied while it was open: most of it is in the log.
open_one = make(f'{here}/draft.y', 'document-wal', 8, 10, wal=True)
for ending in '', '-wal':
    shutil.copy(f'{here}/draft.y{ending}', f'{here}/document-wal.y{ending}')
open_one.close()
for ending in '', '-wal', '-shm':
    if os.path.exists(f'{here}/draft.y{ending}'):
        os.remove(f'{here}/draft.y{ending}')
