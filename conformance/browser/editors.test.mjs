// Editors that people really use, on the Hocuspocus provider, in a page from
// another origin: two tabs type at once, see each other's carets, lose the
// network and get it back, and find everything again after a reload.
// Screenshots go to FJORD_OUT.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Fjord, dataDirectory, freshRoom, needsFjord } from '../js/lib/servers.mjs'
import { atOnce, longest, until } from '../js/lib/wait.mjs'
import { serveEditors } from './bundle.mjs'
import { launch, openPage, watch } from './people.mjs'

const out = process.env.FJORD_OUT ?? 'out'
mkdirSync(out, { recursive: true })

const carets = { tiptap: '.collaboration-carets__label', prosemirror: '.ProseMirror-yjs-cursor > div' }

/** Somebody in a tab with an editor. */
class Tab {
  static async open (browser, { base, url, kind, room, who, color }) {
    const tab = new Tab()
    tab.kind = kind
    tab.page = await openPage(browser, { viewport: { width: 820, height: 560 } })
    tab.sins = watch(tab.page, [new URL(base).host, new URL(url).host])
    await tab.page.goto(base + '?' + new URLSearchParams({ editor: kind, url, room, who, color, token: 'anything' }))
    await tab.status('saved')
    return tab
  }

  get editor () { return this.page.locator('.ProseMirror').first() }

  status (value) { return this.page.locator(`#status[data-status=${value}]`).waitFor() }

  /** The text as it is typed: without others' carets. */
  text () {
    return this.editor.evaluate((editor, labels) => {
      const copy = editor.cloneNode(true)
      for (const caret of copy.querySelectorAll('.collaboration-carets__caret, .ProseMirror-yjs-cursor, ' + labels)) caret.remove()
      // One paragraph a line; what ProseMirror adds to show an empty one is none.
      return [...copy.children].map((block) => block.textContent.replaceAll('\u2060', '')).join('\n')
    }, carets[this.kind])
  }

  people () { return this.page.locator('#people .person').allInnerTexts() }
  carets () { return this.page.locator(carets[this.kind]).allInnerTexts() }

  async type (text, { at = 'End', delay } = {}) {
    await this.editor.click()
    await this.page.keyboard.press(`Control+${at}`)
    await this.page.keyboard.type(text, { delay })
  }

  shot (name) { return this.page.screenshot({ path: join(out, `${this.kind}-${name}.png`) }) }
}

test('editors on the Hocuspocus provider, in two tabs', { skip: needsFjord, timeout: longest, concurrency: 2 }, async (t) => {
  await Promise.all(Object.keys(carets).map((kind) => t.test(kind, async (t) => {
    const base = await serveEditors(t)
    const fjord = await Fjord.start(t, { data: dataDirectory(), args: ['--allow-origin', new URL(base).origin] })
    const browser = await launch(t)
    const room = freshRoom(kind)
    const enter = (who, color) => Tab.open(browser, { base, url: fjord.url, kind, room, who, color })
    const ada = await enter('Ada', '#0b6e4f')
    const bea = await enter('Bea', '#b5446e')
    const same = (what) => until(what, async () => await ada.text() === await bea.text())

    await t.test('both type at once', async () => {
      await ada.type('Minutes of the harbour board')
      await ada.page.keyboard.press('Enter')
      await until('Bea has the title', async () => (await bea.text()).includes('harbour board'))
      await bea.type('Bea: the crane is out of order.')
      await bea.page.keyboard.press('Enter')
      await until('Ada has the line', async () => (await ada.text()).includes('out of order.'))
      // One at the top, one at the end, letter by letter.
      await Promise.all([ada.type('Draft. ', { at: 'Home', delay: 15 }), bea.type('The ferry moves to pier two on Monday.', { delay: 10 })])
      await same('both read the same')
      const text = await ada.text()
      for (const words of ['Draft. Minutes of the harbour board', 'Bea: the crane is out of order.', 'The ferry moves to pier two on Monday.']) assert.ok(text.includes(words), `${words} | ${text}`)
      await ada.status('saved')
      await bea.status('saved')
    })

    await t.test('a word is bold for both, and undo takes back only what is one\'s own', async () => {
      await ada.page.keyboard.press('Control+b')
      await ada.page.keyboard.type('urgent ')
      await ada.page.keyboard.press('Control+b')
      await until('Bea sees it bold', async () => (await bea.editor.locator('strong').allInnerTexts()).join().includes('urgent'))
      await bea.type(' Agreed.')
      await same('both read the same')
      // What a busy machine types slowly is taken back in several steps.
      await until('it is gone for Ada', async () => !(await ada.text()).includes('urgent') || ada.page.keyboard.press('Control+z'))
      await until('it is gone for Bea', async () => !(await bea.text()).includes('urgent'))
      assert.ok((await bea.text()).includes('Agreed.'))
    })

    await t.test('both see who is here, and where', async () => {
      await until('the lists are right', async () => String((await ada.people()).sort()) === 'Ada,Bea' && String((await bea.people()).sort()) === 'Ada,Bea')
      await ada.editor.click()
      await until("Ada's caret is at Bea's", async () => String(await bea.carets()) === 'Ada')
      await bea.editor.click()
      await until("Bea's caret is at Ada's", async () => String(await ada.carets()) === 'Bea')
      await Promise.all([ada.shot('ada'), bea.shot('bea')])
    })

    await t.test('the network goes, both write on, and it comes back', async () => {
      await fjord.process.kill()
      await Promise.all([ada.status('offline'), bea.status('offline')])
      await ada.type(' Ada, offline.')
      await bea.type('Bea, offline. ', { at: 'Home' })
      await ada.shot('offline')
      await fjord.start()
      await Promise.all([ada.status('saved'), bea.status('saved')])
      await same('both read the same again')
      const text = await bea.text()
      assert.ok(text.includes('Ada, offline.') && text.includes('Bea, offline.'), text)
    })

    await t.test('a reload keeps the text, and leaves no ghost', async () => {
      const before = await ada.text()
      await ada.page.reload()
      await ada.status('saved')
      await until('the text is there', async () => await ada.text() === before)
      await until('there is one of each', async () => String((await bea.people()).sort()) === 'Ada,Bea' && String((await ada.people()).sort()) === 'Ada,Bea')
      await ada.page.context().close()
      await until('Ada is gone', async () => String(await bea.people()) === 'Bea', { within: atOnce })
      await until('and her caret', async () => (await bea.carets()).length === 0)
      // Alone with the server, all tabs new.
      await bea.page.context().close()
      const cy = await enter('Cy', '#1f5fa8')
      await until('Cy has the text', async () => await cy.text() === before)
      await cy.shot('again')
      assert.deepEqual(cy.sins, [])
    })

    assert.deepEqual({ ada: ada.sins, bea: bea.sins }, { ada: [], bea: [] })
  })))
})
