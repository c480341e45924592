// Builds the page: node build.mjs DIR. Everything that a browser needs comes
// to lie in DIR, with the content's hash in the names, beside the licences of
// all that was bundled. The same source and package-lock.json give the same
// bytes, so DIR is committed (Go embeds it) and check.mjs can prove it fresh.

import { build } from 'esbuild'
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const out = resolve(process.argv[2] ?? join(here, '../internal/page/dist'))

/** @returns {string[]} the folders, under node_modules, of the packages that were bundled */
const bundledPackages = (metafile) => {
  const folders = new Set()
  for (const input of Object.keys(metafile.inputs)) {
    const found = input.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//)
    if (found) folders.add(found[1])
  }
  return [...folders].sort()
}

const licenceOf = async (folder) => {
  const { name, version, license } = JSON.parse(await readFile(join(here, folder, 'package.json'), 'utf8'))
  const file = (await readdir(join(here, folder))).find((entry) => /^licen[cs]e(\.|$)/i.test(entry))
  if (!file || !license) throw new Error(`${name}: no licence found: it can't be shipped like this`)
  const text = (await readFile(join(here, folder, file), 'utf8')).replace(/\r\n/g, '\n').trim()
  return `${name} ${version} (${license})\n\n${text}\n`
}

const rule = `\n${'-'.repeat(72)}\n\n`
const notices = async (metafile, legalComments) => {
  const texts = [
    'The page is Apache-2.0, as Fjord itself. It bundles these packages:\n',
    ...await Promise.all(bundledPackages(metafile).map(licenceOf))
  ]
  if (legalComments.trim() !== '') texts.push(`Notices from the bundled sources:\n\n${legalComments.trim()}\n`)
  return texts.join(rule)
}

const { outputFiles, metafile } = await build({
  absWorkingDir: here,
  entryPoints: { page: 'src/main.js', style: 'src/style.css' },
  outdir: 'out', // never written: only the paths in outputFiles begin with it
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome111', 'firefox113', 'safari16.4'],
  charset: 'utf8',
  legalComments: 'external',
  metafile: true,
  write: false
})

const contents = (suffix) => outputFiles.filter(({ path }) => path.endsWith(suffix)).map(({ text }) => text).join('\n')
const files = new Map()
const hashed = (stem, extension, text) => {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  const name = `${stem}.${hash}.${extension}`
  files.set(name, text)
  return `/-/${name}`
}
const names = {
  script: hashed('page', 'js', contents('page.js')),
  style: hashed('style', 'css', contents('style.css')),
  icon: hashed('icon', 'svg', await readFile(join(here, 'src/icon.svg'), 'utf8')),
  notices: hashed('third-party-notices', 'txt', await notices(metafile, contents('.LEGAL.txt')))
}
const template = await readFile(join(here, 'src/index.html'), 'utf8')
files.set('index.html', template.replace(/\{\{(script|style|icon|notices)\}\}/g, (_, key) => names[key]))

await rm(out, { recursive: true, force: true })
await mkdir(out, { recursive: true })
for (const [name, text] of files) await writeFile(join(out, name), text)
for (const [name, text] of files) console.log(`${String(Buffer.byteLength(text)).padStart(8)}  ${name}`)
