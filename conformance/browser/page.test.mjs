// The editor page, in a real browser: two people, each in a context of their
// own (own storage, own connection), on one server. Screenshots go to
// FJORD_OUT.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Client } from '../js/lib/client.mjs'
import { Fjord, dataDirectory, freshRoom, needsFjord } from '../js/lib/servers.mjs'
import { atOnce, longest, until } from '../js/lib/wait.mjs'
import { launch, openPage, watch } from './people.mjs'

const out = process.env.FJORD_OUT ?? 'out'
mkdirSync(out, { recursive: true })

/** Opens the page as a person with a name, and watches what it must not do. */
const enter = async (browser, fjord, room, name, options = {}) => {
  const page = await openPage(browser, { viewport: { width: 1200, height: 760 }, ...options })
  const { host } = new URL(fjord.url)
  const sins = watch(page, [host])
  await page.goto(`http://${host}/?room=${encodeURIComponent(room)}`)
  await page.locator('.me summary').click()
  await page.locator('#name').fill(name)
  await page.locator('.me summary').click()
  await page.locator('#status[data-status=synced]').waitFor()
  return { page, sins, text: () => page.locator('.cm-content').evaluate((content) => content.innerText) }
}

const type = async ({ page }, text) => {
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type(text)
}

const people = ({ page }) => page.locator('#people .name').allInnerTexts()
const status = ({ page }, value) => page.locator(`#status[data-status=${value}]`).waitFor()

test('two people write in one room', { skip: needsFjord, timeout: longest }, async (t) => {
  const fjord = await Fjord.start(t, { data: dataDirectory() })
  const browser = await launch(t)
  const room = 'field notes'
  const ada = await enter(browser, fjord, room, 'Ada')
  const bea = await enter(browser, fjord, room, 'Bea')

  await t.test('what one types, the other sees', async () => {
    await type(ada, '# Field notes from the fjord\n\nWe reached the head of the inlet at dawn. The water was *completely* still, and the far wall stood in it twice: once in stone, once in light.\n\n')
    await until('Bea sees it', async () => (await bea.text()).includes('once in light.'))
    await type(bea, '## What we saw\n\nTwo **porpoises**, a sea eagle, and three boats under `62.1° N`. ')
    await until('Ada sees it', async () => (await ada.text()).includes('sea eagle'))
    await status(ada, 'saved')
    await status(bea, 'saved')
  })

  await t.test('both see who is here, and where', async () => {
    await until('the lists are right', async () => String(await people(ada)) === 'Ada (you),Bea' && String(await people(bea)) === 'Bea (you),Ada')
    await until("Bea's caret is at Ada's", async () => (await ada.page.locator('.peer-name').allInnerTexts()).includes('Bea'))
    await until("Ada's caret is at Bea's", async () => (await bea.page.locator('.peer-name').allInnerTexts()).includes('Ada'))
    // A selection shows too.
    await ada.page.locator('.cm-content').click()
    await ada.page.keyboard.press('Control+Home')
    for (let n = 0; n < 'Field notes'.length + 2; n++) await ada.page.keyboard.press('Shift+ArrowRight')
    await until("Ada's selection is at Bea's", async () => {
      const [selection, title] = await Promise.all([bea.page.locator('.peer-selection').first().boundingBox(), bea.page.locator('.cm-line').first().boundingBox()])
      return selection.width > 100 && selection.y >= title.y - 2 && selection.y + selection.height <= title.y + title.height + 2
    })
    await until('the two colours differ', async () => {
      const faces = await ada.page.locator('#people .face').evaluateAll((all) => all.map((face) => getComputedStyle(face).backgroundColor))
      return new Set(faces).size === 2
    })
  })

  await t.test('a stranger with a hostile name is text, and nothing but text', async (t) => {
    const stranger = await Client.open(t, { url: fjord.url, room: encodeURIComponent(room) })
    stranger.awareness.setLocalStateField('user', { name: '<img src=x onerror=alert(1)>', color: 'red; background: url(//example.org/x)' })
    stranger.awareness.setLocalStateField('cursor', { anchor: { nonsense: true }, head: null })
    await until('the name is shown as it is', async () => (await people(ada)).includes('<img src=x onerror=alert(1)>'))
    stranger.close()
    await until('the stranger is gone', async () => (await people(ada)).length === 2, { within: atOnce })
  })

  await t.test('it looks right', async () => {
    await type(bea, 'The eagle came back')
    await until('Ada sees it', async () => (await ada.text()).includes('came back'))
    await Promise.all([
      ada.page.screenshot({ path: join(out, 'page-ada.png') }),
      bea.page.screenshot({ path: join(out, 'page-bea.png') })
    ])
    const cy = await enter(browser, fjord, room, 'Cy', { viewport: { width: 420, height: 760 }, colorScheme: 'dark' })
    await until('Cy sees the text', async () => (await cy.text()).includes('came back'))
    await type(bea, ' at noon.')
    await until('and the caret', async () => (await cy.page.locator('.peer-name').allInnerTexts()).includes('Bea'))
    await cy.page.locator('.me summary').click()
    await cy.page.screenshot({ path: join(out, 'page-small-dark.png') })
    assert.deepEqual(cy.sins, [])
    await cy.page.context().close()
    await until('Cy is gone', async () => (await people(ada)).length === 2, { within: atOnce })
  })

  await t.test('the status tells the truth while the server is away', async () => {
    await fjord.process.kill()
    await status(ada, 'offline')
    await type(ada, '\nWritten while the server was away.')
    await status(ada, 'waiting')
    await ada.page.screenshot({ path: join(out, 'page-offline.png') })
    await fjord.start()
    await status(ada, 'saved')
    await until('Bea has it', async () => (await bea.text()).includes('was away'))
    await status(bea, 'saved')
  })

  await t.test('undo takes back only what is one\'s own', async () => {
    await type(ada, ' Ada was here.')
    await until('Bea has it', async () => (await bea.text()).includes('Ada was here.'))
    await type(bea, ' Bea too.')
    await until('Ada has it', async () => (await ada.text()).includes('Bea too.'))
    await ada.page.keyboard.press('Control+z')
    await until("Ada's words are gone", async () => !(await bea.text()).includes('Ada was here.'))
    assert.match(await bea.text(), /Bea too\./)
  })

  await t.test('neither page did what it must not', () => {
    assert.deepEqual({ ada: ada.sins, bea: bea.sins }, { ada: [], bea: [] })
  })
})

test('the room field leads to another room', { skip: needsFjord, timeout: longest }, async (t) => {
  const fjord = await Fjord.start(t, { data: dataDirectory() })
  const browser = await launch(t)
  const ada = await enter(browser, fjord, freshRoom('first'), 'Ada')
  await type(ada, 'in the first room')
  await status(ada, 'saved')
  await ada.page.locator('#room').fill('a/b c?d#é')
  await ada.page.keyboard.press('Enter')
  await status(ada, 'synced')
  assert.equal(await ada.page.locator('#room').inputValue(), 'a/b c?d#é')
  assert.deepEqual(await people(ada), ['Ada (you)'], 'the name was not kept')
  await type(ada, 'in the second room')
  const peer = await Client.open(t, { url: fjord.url, room: ['a', 'b c?d#é'].map(encodeURIComponent).join('/') })
  await until('both are in the same room', () => peer.doc.getText('codemirror').toString() === 'in the second room')
  assert.deepEqual(ada.sins, [])

  await t.test('a name that cannot be is explained', async () => {
    await ada.page.goto(`${fjord.url.replace('ws', 'http')}/?room=${'x'.repeat(256)}`)
    await status(ada, 'closed')
    assert.match(await ada.page.locator('#editor').innerText(), /255 bytes/)
  })
})

test('a page with a token comes in where a server wants one', { skip: needsFjord, timeout: longest }, async (t) => {
  const data = dataDirectory()
  const secret = join(data, '..', `${basename(data)}.secret`)
  writeFileSync(secret, 'known to the issuer and to the server', { mode: 0o600 })
  t.after(() => rmSync(secret))
  const fjord = await Fjord.start(t, { data, args: ['--auth', `jwt:${secret}`] })
  const browser = await launch(t)
  const page = await openPage(browser)
  const { host } = new URL(fjord.url)
  const b64 = (text) => Buffer.from(text).toString('base64url')
  const text = b64('{"alg":"HS256"}') + '.' + b64(JSON.stringify({ sub: 'ada', exp: Math.floor(Date.now() / 1000) + 3600, rooms: [{ id: 'notes', perm: 'rw' }] }))
  const token = text + '.' + createHmac('sha256', 'known to the issuer and to the server').update(text).digest('base64url')

  await page.goto(`http://${host}/?room=notes`)
  await status({ page }, 'offline')
  await page.goto(`http://${host}/?room=notes#token=${token}`)
  await status({ page }, 'synced')
  assert.equal(page.url(), `http://${host}/?room=notes`, 'the token has left the address')
  await type({ page }, 'let in')
  await status({ page }, 'saved')
  await page.reload()
  await status({ page }, 'synced')
  assert.match(await page.locator('.cm-content').innerText(), /let in/)
})
