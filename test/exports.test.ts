// Nothing stands in src/ for tests alone: what a file exports is used by the product or its scripts, in another file or its own.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '..')
const SRC = 'src'

const filesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .map(file => join(folder, file))

/** The code of a file: comments count for nothing. */
const codeOf = (file: string): string =>
  readFileSync(join(ROOT, file), 'utf8')
    .split('\n')
    .filter(line => !/^\s*(?:\/\/|\/?\*)/.test(line))
    .join('\n')

const DECLARED = /^export (?:async )?(?:const|let|function\*?|class|interface|type) (\w+)/gm
const NAMED = /(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s+from\s+'(\.[^']*\.ts)'/g
/** The whole of a module: some of its names are used, nobody says which. */
const WHOLE = /(?:\bimport\(|\bURL\(|\* as \w+ from|\bexport \* from)\s*'(\.[^']*\.ts)'/g

const src = filesIn(SRC)
const code = new Map([...src, ...filesIn('scripts')].map(file => [file, codeOf(file)]))

const named = new Set<string>()
const whole = new Set<string>()
for (const [file, text] of code) {
  const at = (path: string): string => normalize(join(dirname(file), path))
  for (const [, names = '', path = ''] of text.matchAll(NAMED)) {
    for (const name of names.split(',')) {
      const [first = ''] = name
        .trim()
        .replace(/^type /, '')
        .split(' as ')
      named.add(`${at(path)} ${first}`)
    }
  }
  for (const [, path = ''] of text.matchAll(WHOLE)) whole.add(at(path))
}

t.test('every export has a user in the product', async t => {
  let count = 0
  const unused: string[] = []
  for (const file of src) {
    const text = code.get(file)!
    for (const [, name = ''] of text.matchAll(DECLARED)) {
      count++
      if (whole.has(file) || named.has(`${file} ${name}`)) continue
      if ([...text.matchAll(new RegExp(`\\b${name}\\b`, 'g'))].length < 2) unused.push(`${file}: ${name}`)
    }
  }
  t.ok(count > 2 * src.length, `${count} exports of ${src.length} files`)
  t.strictSame(unused, [])
})
