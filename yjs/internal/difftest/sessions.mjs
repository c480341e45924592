// Sessions as applications have them: what people do to a document whose parts come
// and go. Each returns all updates in the order in which a server hears them.
import * as Y from 'yjs'
import { Random } from './random.mjs'

const words = 'the quick brown fox jumps over a lazy dog and writes some more'.split(' ')

// People are three clients who hear of one another after every so many steps.
class People {
  constructor (seed, every) {
    this.rnd = new Random(seed)
    this.every = every
    this.steps = 0
    this.updates = []
    this.docs = [1, 2, 3].map(i => {
      const doc = new Y.Doc()
      doc.clientID = 1000000007 * i % 4294967291
      return doc
    })
    this.said = this.docs.map(doc => {
      const said = []
      doc.on('update', (update, origin) => { if (origin !== this) said.push(update) })
      return said
    })
  }

  sentence () { return Array.from({ length: 4 + this.rnd.int(8) }, () => this.rnd.pick(words)).join(' ') + '.' }

  // do lets somebody do something, in one transaction.
  do (work) {
    const doc = this.rnd.pick(this.docs)
    doc.transact(() => work(doc))
    if (++this.steps % this.every === 0) this.exchange()
  }

  exchange () {
    this.said.forEach((said, from) => {
      for (const update of said.splice(0)) {
        this.updates.push(update)
        this.docs.forEach((doc, to) => { if (to !== from) Y.applyUpdate(doc, update, this) })
      }
    })
  }
}

const paragraph = (fragment, at, words) => {
  const element = new Y.XmlElement('paragraph')
  element.insert(0, [new Y.XmlText(words)])
  fragment.insert(at, [element])
}

const any = (p, type, work) => { if (type.length > 0) work(p.rnd.int(type.length)) }

// Half of the paragraphs are deleted again; what is typed comes letter by letter.
const paragraphs = (p, n) => {
  const body = doc => doc.getXmlFragment('x')
  while (n-- > 0) {
    p.do(doc => paragraph(body(doc), p.rnd.int(4) > 0 ? body(doc).length : p.rnd.int(body(doc).length + 1), ''))
    for (const c of p.sentence()) {
      p.do(doc => any(p, body(doc), at => {
        const text = body(doc).get(Math.max(at, body(doc).length - 2)).get(0)
        text.insert(text.length, c)
      }))
    }
    if (p.rnd.chance(0.5)) p.do(doc => any(p, body(doc), at => body(doc).delete(at, 1)))
  }
}

// As an editor does it that cuts a paragraph in two: the second half is deleted here
// and inserted there; and joins two in the same way.
const split = (p, n) => {
  const body = doc => doc.getXmlFragment('x')
  p.do(doc => paragraph(body(doc), 0, p.sentence()))
  p.exchange()
  while (n-- > 0) {
    p.do(doc => {
      const at = p.rnd.int(body(doc).length)
      const text = body(doc).get(at).get(0)
      if (body(doc).length < 40 || p.rnd.chance(0.5)) {
        const cut = p.rnd.int(text.length + 1)
        const half = text.toString().slice(cut)
        text.delete(cut, half.length)
        paragraph(body(doc), at + 1, half + p.rnd.pick(words))
      } else if (at > 0) {
        const before = body(doc).get(at - 1).get(0)
        before.insert(before.length, text.toString())
        body(doc).delete(at, 1)
      }
    })
  }
}

// Things on a board, moved by overwriting two keys.
const board = (p, n) => {
  const things = doc => doc.getMap('m')
  const pick = (doc, work) => { if (things(doc).size > 0) work(p.rnd.pick([...things(doc).keys()])) }
  while (n-- > 0) {
    p.do(doc => things(doc).set('thing' + n, new Y.Map(Object.entries({ x: 0, y: 0, type: 'note', colour: '#ffcc00' }))))
    for (let k = 0; k < 20; k++) {
      p.do(doc => pick(doc, key => {
        things(doc).get(key).set('x', p.rnd.int(2000))
        things(doc).get(key).set('y', p.rnd.int(2000))
      }))
    }
    if (p.rnd.chance(0.6)) p.do(doc => pick(doc, key => things(doc).delete(key)))
  }
}

// A list whose entries are ticked off and go.
const list = (p, n) => {
  const entries = doc => doc.getArray('a')
  while (n-- > 0) {
    p.do(doc => entries(doc).push([new Y.Map(Object.entries({ text: p.sentence(), done: false }))]))
    p.do(doc => any(p, entries(doc), at => entries(doc).get(at).set('done', true)))
    if (p.rnd.chance(0.8)) p.do(doc => any(p, entries(doc), at => entries(doc).delete(at, 1)))
  }
}

// Cards that are moved: deleted here, made anew there.
const cards = (p, n) => {
  const columns = doc => [doc.getArray('a'), doc.getArray('q')]
  const card = text => new Y.Map([['title', 'a card'], ['body', new Y.Text(text)]])
  for (let k = 0; k < 40; k++) p.do(doc => columns(doc)[0].push([card(p.sentence())]))
  p.exchange()
  while (n-- > 0) {
    p.do(doc => {
      const [from, to] = p.rnd.shuffle(columns(doc))
      any(p, from, at => {
        const text = from.get(at).get('body').toString()
        from.delete(at, 1)
        to.insert(p.rnd.int(to.length + 1), [card(text)])
      })
    })
  }
}

const keys = (p, n) => { while (n-- > 0) p.do(doc => doc.getMap('m').set('key' + p.rnd.int(20), p.sentence())) }

const attributes = (p, n) => {
  const body = doc => doc.getXmlFragment('x')
  p.do(doc => { for (let k = 0; k < 20; k++) paragraph(body(doc), 0, p.sentence()) })
  p.exchange()
  while (n-- > 0) p.do(doc => body(doc).get(p.rnd.int(20)).setAttribute(p.rnd.pick(['align', 'level']), p.rnd.pick(['left', 'right', 'none'])))
}

const pushes = (p, n) => { while (n-- > 0) p.do(doc => doc.getArray('a').push([n])) }

const text = (p, n) => {
  while (n-- > 0) {
    p.do(doc => {
      const t = doc.getText('t')
      if (t.length > 20 && p.rnd.chance(0.2)) t.delete(p.rnd.int(t.length - 9), 1 + p.rnd.int(9))
      else t.insert(p.rnd.int(t.length + 1), p.rnd.pick(words) + ' ')
    })
  }
}

const kinds = {
  'paragraphs, half of them deleted': [paragraphs, 1, 1],
  'paragraphs split and joined': [split, 3, 1],
  'things moved on a board': [board, 1, 1],
  'the same, twenty steps at once': [board, 1, 20],
  'a list, ticked off': [list, 3, 1],
  'cards moved': [cards, 3, 1],
  'keys overwritten': [keys, 10, 1],
  'the same, two hundred steps at once': [keys, 10, 200],
  'attributes overwritten': [attributes, 10, 1],
  'numbers pushed': [pushes, 10, 1],
  'words in a text': [text, 10, 1]
}

// sessions returns all of them, n being how long they are.
export const sessions = n => Object.entries(kinds).map(([name, [play, more, every]], i) => {
  const people = new People(i + 1, every)
  play(people, n * more)
  people.exchange()
  return { name, updates: people.updates }
})
