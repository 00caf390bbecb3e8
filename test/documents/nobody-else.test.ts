// docs/nobody-else.md: each command of its table, asked of the configuration that it names, says what stands beside it, and the
// words of the first table are in that Corefile.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type ExplainRequest, explain } from '../../src/explain/explain.ts'
import { LocalWorld } from '../../src/explain/local.ts'
import { reportText } from '../../src/explain/print.ts'
import { documentNamed, ROOT } from './document.ts'

const { text } = documentNamed('docs/nobody-else.md')
const FILE = join(ROOT, 'config', 'nobody-else', 'Corefile')

/** `seamark explain NAME [TYPE] --from CLIENT`. */
function requestOf(command: string): ExplainRequest {
  const [words = '', from = ''] = command.replace('seamark explain ', '').split(' --from ')
  const [name = '', type = ''] = words.split(' ')
  return { name, type, from }
}

t.test('what each command says', async t => {
  const rows = [...text.matchAll(/^\| `(seamark explain [^`]+)` \| (.+) \|$/gm)]
  t.ok(rows.length >= 10)
  const world = await LocalWorld.open({ file: FILE, port: 53 })
  if (typeof world === 'string') throw new Error(world)
  t.teardown(() => world.stop())
  for (const [, command = '', said = ''] of rows) {
    const report = await explain(requestOf(command), world)
    const printed = reportText(report)
    t.ok(printed.replace(/\s+/g, ' ').includes(said), `${command}: ${said}`)
  }
})

t.test('the Corefile has every word of the table', async t => {
  const corefile = readFileSync(FILE, 'utf8')
  const table = text.slice(text.indexOf('| what |'), text.indexOf('## The objects'))
  const words = [...table.matchAll(/^\| .+? \| `(\w+)/gm)].map(([, word = '']) => word)
  t.same([...new Set(words)].sort(), [
    'autopath',
    'ipv6',
    'k8s_records',
    'policy',
    'ratelimit',
    'stubdomains',
    'topology',
  ])
  for (const word of words) t.match(corefile, new RegExp(`^ +${word}\\b`, 'm'), word)
})
