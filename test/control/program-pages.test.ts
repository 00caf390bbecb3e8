// Which pages of the program are unmapped, and that whoever uses it does not see it.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { deflateSync, inflateSync } from 'node:zlib'
import t from 'tap'
import { CleanMappings, unmapProgramPages } from '../../src/control/program-pages.ts'
import { loadKoffi } from '../../src/shared/koffi.ts'
import { fileMib } from '../support/process-stat.ts'

const NODE = '/usr/local/bin/node'
const CLEAN = { Rss: 100, Private_Dirty: 0, Anonymous: 0, AnonHugePages: 0, Swap: 0, SwapPss: 0 }

/** Where the file's beginning is, and where its code is as many octets farther as in the file. */
const BEGINNING = '00400000-0074a000 r--p 00000000'
const CODE = '0074a000-03044000 r-xp 0034a000'

/** One mapping as the kernel writes it; of `permissions` alone it is where the code is. */
const mapping = (
  permissions: string,
  path: string,
  kib: Readonly<Record<string, number>> = CLEAN,
): readonly string[] => [
  `${permissions.length > 4 ? permissions : CODE.replace('r-xp', permissions)} 00:2f 1234 ${' '.repeat(20)}${path}`,
  ...Object.entries(kib).map(([name, value]) => `${name}: ${String(value).padStart(15)} kB`),
  'VmFlags: rd ex mr mw me sd',
]

const FOUND = { start: 0x74a000, end: 0x3044000, residentKib: 100 }

t.test('which mappings are clean', async t => {
  const cases: readonly (readonly [string, readonly string[], readonly unknown[]])[] = [
    ['code', mapping('r-xp', NODE), [FOUND]],
    ['constants', mapping('r--p', NODE), [FOUND]],
    [
      'dirty in the cache of the kernel, not here',
      mapping('r--p', NODE, { ...CLEAN, Private_Dirty: 100 }),
      [FOUND],
    ],
    ['variables', mapping('rw-p', NODE), []],
    ['code that can be written to', mapping('rwxp', NODE), []],
    ['shared with others', mapping('r--s', NODE), []],
    ['with a page of its own', mapping('r--p', NODE, { ...CLEAN, Anonymous: 4 }), []],
    ['with one that is swapped out', mapping('r-xp', NODE, { ...CLEAN, Swap: 4 }), []],
    ['nothing is resident', mapping('r-xp', NODE, { ...CLEAN, Rss: 0 }), []],
    ['a kernel that does not tell', mapping('r-xp', NODE, { Rss: 100, Swap: 0 }), []],
    ['a library', mapping('r-xp', '/usr/lib/libstdc++.so.6'), []],
    ['a file of a similar name', mapping('r-xp', `${NODE}.old`), []],
    ['of no file', mapping('r-xp', ''), []],
    ['the kernel’s', mapping('r-xp', '[vdso]'), []],
    ['several', [mapping('rw-p', NODE), mapping('r-xp', NODE), mapping('r--p', '/lib/x.so')].flat(), [FOUND]],
    ['not those of the one before', [...mapping('r-xp', NODE, {}), ...mapping('rw-p', NODE)], []],
    ['V8’s copy for a thread', mapping('7fb10fdc0000-7fb10ffc5000 r-xp 01627000', NODE), []],
    ['one that is mapped in front of it', mapping('00010000-00020000 r-xp 01627000', NODE), []],
    [
      'aligned to 2 MiB',
      mapping('03200000-03201000 r-xp 02e00000', NODE),
      [{ start: 0x3200000, end: 0x3201000, residentKib: 100 }],
    ],
    ['nothing', [], []],
  ]
  for (const [title, lines, found] of cases) {
    const mappings = new CleanMappings(NODE)
    for (const line of [...mapping(BEGINNING, NODE, {}), ...lines]) mappings.take(line)
    mappings.end()
    t.strictSame(mappings.found, found, title)
  }
  const mappings = new CleanMappings(NODE)
  for (const line of mapping('r-xp', NODE)) mappings.take(line)
  mappings.end()
  t.strictSame(mappings.found, [], 'of which the beginning is not mapped')
})

const library = (await loadKoffi())?.library
const skip = library ? false : 'koffi does not load here: pages stay mapped'

t.test('pages come back where they are used, on every thread', { skip }, async t => {
  const text = 'the same as before '.repeat(1000)
  const work = `const { deflateSync, inflateSync } = require('node:zlib')
    const { parentPort } = require('node:worker_threads')
    const timer = setInterval(() => { text = inflateSync(deflateSync(text)).toString() }, 0)
    let text = ${JSON.stringify(text)}
    parentPort.on('message', () => { clearInterval(timer); parentPort.postMessage(text); parentPort.close() })`
  const worker = new Worker(work, { eval: true })
  await once(worker, 'online')
  for (let round = 0; round < 3; round++) {
    const before = fileMib(process.pid)
    const unmapped = await unmapProgramPages(library!)
    const left = fileMib(process.pid)
    t.ok(unmapped > 1, `${unmapped} MiB`)
    if (round === 0) t.ok(left < before - 10, `${before} MiB before, ${left} MiB after`)
    t.equal(inflateSync(deflateSync(text)).toString(), text)
    t.equal(new Intl.NumberFormat('de').format(1234.5), '1.234,5')
  }
  worker.postMessage('end')
  t.strictSame(await once(worker, 'message'), [text])
})
