// The law of imports: which folder of src/ may know which. A folder knows only what stands below it, so no two know one
// another; within a folder no file leads back to itself. Types count, and so do files that are loaded when they are needed.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'

const SRC = join(import.meta.dirname, '..', 'src')
/** The files at the top of src/: the command line. */
const TOP = 'the top'

const LAW: Readonly<Record<string, readonly string[]>> = {
  [TOP]: ['control', 'diff', 'explain', 'nodecache', 'setup', 'observe', 'plugin', 'shared'],
  control: [
    'explain',
    'serving',
    'cluster',
    'setup',
    'corefile',
    'listen',
    'observe',
    'plugin',
    'shared',
    'table',
    'wire',
  ],
  diff: ['manifest', 'objects', 'shared', 'wire'],
  explain: [
    'serving',
    'cluster',
    'setup',
    'corefile',
    'listen',
    'objects',
    'observe',
    'plugin',
    'query',
    'shared',
    'table',
    'wire',
  ],
  serving: ['setup', 'listen', 'observe', 'plugin', 'query', 'shared', 'table', 'wire'],
  nodecache: ['listen', 'observe', 'shared'],
  cluster: ['manifest', 'watch', 'objects', 'observe', 'plugin', 'shared', 'table'],
  setup: ['corefile', 'plugin', 'shared'],
  plugin: ['corefile', 'listen', 'objects', 'observe', 'query', 'shared', 'table', 'wire'],
  listen: ['query', 'shared', 'wire'],
  query: ['shared', 'wire'],
  manifest: ['objects', 'shared'],
  watch: ['objects', 'shared'],
  table: ['objects', 'shared', 'wire'],
  objects: ['shared'],
  corefile: ['shared', 'wire'],
  observe: ['shared', 'wire'],
  wire: ['shared'],
  shared: [],
}

/** One file that names another, both as paths in src/. */
interface Import {
  readonly from: string
  readonly to: string
}

/** `import`, `export … from`, `import()` and `new URL()` of a file beside: all of them name it between quotes. */
const NAMED = /(?:\bfrom|\bimport|\bimport\(|\bURL\()\s*'(\.[^']*\.ts)'/g

const importsOf = (from: string): Import[] =>
  [...readFileSync(join(SRC, from), 'utf8').matchAll(NAMED)].map(([, to = '']) => ({
    from,
    to: relative(SRC, join(SRC, dirname(from), to)),
  }))

const folderOf = (file: string): string => (file.includes('/') ? file.slice(0, file.indexOf('/')) : TOP)

/** What breaks the law: both files and the rule. */
function breaches(imports: readonly Import[]): string[] {
  return imports.flatMap(({ from, to }) => {
    const [knowing, known] = [folderOf(from), folderOf(to)]
    if (knowing === known || LAW[knowing]?.includes(known)) return []
    const allowed = LAW[knowing]?.join(', ') || 'nothing'
    return [`${from} imports ${to}: ${knowing} may know ${allowed}`]
  })
}

/** The circles that imports make, each as a line of files that ends where it begins. */
function circles(imports: readonly Import[]): string[] {
  const next = Map.groupBy(imports, ({ from }) => from)
  const done = new Set<string>()
  const found: string[] = []
  const walk = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file)
    if (at >= 0) found.push(`${[...path.slice(at), file].join(' → ')}: no file leads back to itself`)
    if (at >= 0 || done.has(file)) return
    for (const { to } of next.get(file) ?? []) walk(to, [...path, file])
    done.add(file)
  }
  for (const file of next.keys()) walk(file, [])
  return found
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
const imports = files.flatMap(importsOf)

t.test('every import is one that its folder may make', async t => {
  t.ok(imports.length > files.length, `${imports.length} imports of ${files.length} files`)
  t.strictSame(breaches(imports), [])
})

t.test('no circle, types included', async t => {
  t.strictSame(circles(imports), [])
})

t.test('every import names a file', async t => {
  const known = new Set(files)
  t.strictSame(
    imports.filter(({ to }) => !known.has(to)),
    [],
  )
})

t.test('a comment names files that are there', async t => {
  const named = /(?<![\w./-])(?:\.\.?\/)*(?:[\w-]+\/)*[\w-]+\.ts\b/g
  const missing = files.flatMap(file => {
    const comments = readFileSync(join(SRC, file), 'utf8')
      .split('\n')
      .filter(line => /^\s*(?:\/\/|\/?\*)/.test(line))
    // From the file's own folder, from src/ or from the project's.
    const from = [join(SRC, dirname(file)), SRC, join(SRC, '..')]
    return [...comments.join('\n').matchAll(named)]
      .filter(([name]) => !from.some(folder => existsSync(join(folder, name))))
      .map(([name]) => `${file} names ${name}`)
  })
  t.strictSame(missing, [])
})

t.test('a large word has a folder of one plan', async t => {
  const words = new Set(files.filter(file => /^plugin\/\w+\//.test(file)).map(file => file.split('/')[1]!))
  t.ok(words.size > 10, `${words.size} folders`)
  for (const word of words)
    for (const part of [word, 'config', 'doc', 'parse', 'handler'])
      t.ok(files.includes(`plugin/${word}/${part}.ts`), `plugin/${word}/${part}.ts`)
})

t.test('files stay small: past 400 lines two ideas share a house', async t => {
  /** One machine, as its head says. */
  const larger = new Map([['watch/reflector.ts', 450]])
  const linesOf = (file: string): number => readFileSync(join(SRC, file), 'utf8').split('\n').length - 1
  t.strictSame(
    files.filter(file => linesOf(file) > (larger.get(file) ?? 430)),
    [],
  )
})

t.test('the law itself leads downwards, and knows every folder', async t => {
  const order = Object.keys(LAW)
  for (const [folder, known] of Object.entries(LAW)) {
    for (const each of known)
      t.ok(order.indexOf(each) > order.indexOf(folder), `${each} stands below ${folder}`)
  }
  t.strictSame(order.toSorted(), [...new Set(files.map(folderOf))].toSorted())
})

t.test('the law allows nothing that nobody needs', async t => {
  const made = new Set(imports.map(({ from, to }) => `${folderOf(from)} → ${folderOf(to)}`))
  const allowed = Object.entries(LAW).flatMap(([folder, known]) => known.map(each => `${folder} → ${each}`))
  t.strictSame(
    allowed.filter(arrow => !made.has(arrow)),
    [],
  )
})

t.test('a breach names both files and the rule', async t => {
  t.strictSame(breaches([{ from: 'query/query.ts', to: 'plugin/acl.ts' }]), [
    'query/query.ts imports plugin/acl.ts: query may know shared, wire',
  ])
  t.strictSame(breaches([{ from: 'shared/ip.ts', to: 'main.ts' }]), [
    'shared/ip.ts imports main.ts: shared may know nothing',
  ])
  t.strictSame(
    circles([
      { from: 'wire/name.ts', to: 'wire/scan.ts' },
      { from: 'wire/scan.ts', to: 'wire/name.ts' },
    ]),
    ['wire/name.ts → wire/scan.ts → wire/name.ts: no file leads back to itself'],
  )
})

t.test('src/README.md shows the law', async t => {
  const readme = readFileSync(join(SRC, 'README.md'), 'utf8')
  const shown = [...readme.matchAll(/^ {4}(the top|\w+) +→ ?(.*)$/gm)].map(([, folder = '', known = '']) => [
    folder,
    known.split(' ').filter(each => each !== ''),
  ])
  t.strictSame(shown, Object.entries(LAW))
})
