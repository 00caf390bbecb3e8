// How many names the records of one namespace may bring about, those above them included: a name of a hundred labels costs as much
// as a hundred names.

import t from 'tap'
import type { RecordOptions } from '../../src/objects/options.ts'
import type { SlimRecords } from '../../src/objects/records.ts'
import { finish } from '../../src/shared/steps.ts'
import { ALL_OCTETS_MAX, NAMES_MAX, OCTETS_MAX, Records } from '../../src/table/records.ts'
import { TableWriter } from '../../src/table/writer.ts'

const SUFFIX = 'ext.test'
const options: RecordOptions = {
  kinds: ['DNSEndpoint'],
  own: ['cluster.local'],
  zones: ['example.org'],
  delegations: [
    { suffix: SUFFIX, to: ['*'] },
    { suffix: 'own.test', to: ['mine'] },
  ],
  ttlSeconds: 5,
}
const objectOf = (namespace: string, names: readonly string[]): SlimRecords => ({
  namespace,
  name: names[0]!,
  createdMs: 0,
  records: names.map(name => ({ name, type: 'A', ttlSeconds: 0, values: ['10.0.0.1'] })),
})
const deep = (labels: number, n: number): string => `${'a.'.repeat(labels - 1)}n${n}.${SUFFIX}`

function world() {
  const touched = new Set<string>()
  const refused: string[] = []
  const freed = new Set<string>()
  const records = new Records(
    options,
    name => touched.add(name),
    text => refused.push(text),
    () => undefined,
    namespace => freed.add(namespace),
  )
  return { records, touched, refused, freed }
}

t.test('names of a namespace are bounded, by their labels below the suffix', async t => {
  const { records, touched, refused } = world()
  const names = Array.from({ length: 1 + NAMES_MAX / 100 }, (_, n) => deep(100, n))
  const big = objectOf('evil', names)
  records.add('DNSEndpoint', big)
  t.match(refused, [/^DNSEndpoint evil\/.*: namespace evil has 20000 names already/])
  t.ok(touched.size <= NAMES_MAX + 2, `${touched.size} names are published`)
  records.add('DNSEndpoint', objectOf('good', [deep(1, 7)]))
  t.equal(refused.length, 1, 'others have what they ask for')
  records.remove('DNSEndpoint', big)
  records.add('DNSEndpoint', objectOf('evil', names.slice(0, -1)))
  t.equal(refused.length, 1, 'what is gone counts no more')
})

t.test('so is the memory of a namespace, and that of all of them', async t => {
  const { records, refused, freed } = world()
  const text = 'x'.repeat(4096)
  const big = (namespace: string, n: number): SlimRecords => ({
    namespace,
    name: `big${n}`,
    createdMs: 0,
    records: [{ name: deep(1, n), type: 'TXT', ttlSeconds: 0, values: Array<string>(31).fill(text) }],
  })
  const each = 31 * 4096
  const many = Math.ceil(OCTETS_MAX / each)
  const fill = (namespace: string): void => {
    for (let n = 0; n < many; n++) records.add('DNSEndpoint', big(namespace, n))
  }
  fill('evil')
  t.match(refused.at(-1), /: the records of namespace evil take 8 MiB already$/)
  t.ok(refused.length < 3, `${refused.length} of ${many} were too much`)
  for (let n = 1; n < ALL_OCTETS_MAX / OCTETS_MAX; n++) fill(`evil${n}`)
  fill('last')
  t.match(refused.at(-1), /: the records of all namespaces take 128 MiB already$/)
  t.equal(records.verdictOf(`DNSEndpoint last/big${many - 1}`)?.refusal, 'TooMany')
  freed.clear()
  records.remove('DNSEndpoint', big('evil1', 0))
  t.ok(freed.has('last'), 'who waits for room of all has his turn')
})

t.test('what a full namespace did not get, it gets when names come free', async t => {
  const { records, touched, freed } = world()
  const big = objectOf(
    'evil',
    Array.from({ length: NAMES_MAX / 100 - 1 }, (_, n) => deep(100, n)),
  )
  const [hundred, later, latest] = [900, 901, 902].map(n => objectOf('evil', [deep(100, n)]))
  const one = objectOf('evil', [deep(1, 903)])
  const state = (object: SlimRecords): string | undefined => {
    for (const name of touched) finish(records.publish(name, writer))
    touched.clear()
    const verdict = records.verdictOf(`DNSEndpoint evil/${object.name}`)
    return verdict?.refusal ?? verdict?.message
  }
  const writer = new TableWriter(1 << 24)
  for (const object of [big, hundred!, later!, latest!, one]) records.add('DNSEndpoint', object)
  t.match(state(hundred!), /has 1 A record/)
  for (const object of [later!, latest!, one]) t.equal(state(object), 'TooMany')
  t.same([...freed], [])
  records.remove('DNSEndpoint', later!)
  t.same([...freed], [], 'what had no names gives none back')
  records.remove('DNSEndpoint', hundred!)
  t.same([...freed], ['evil'])
  finish(records.claimWaiting('evil'))
  t.match(state(latest!), /has 1 A record/, 'who has waited longest is the first')
  t.equal(state(one), 'TooMany')
  t.equal(state(later!), undefined, 'what is gone is not claimed')
  records.remove('DNSEndpoint', latest!)
  finish(records.claimWaiting('evil'))
  t.match(state(one), /has 1 A record/)
  freed.clear()
  records.remove('DNSEndpoint', one)
  t.same([...freed], [], 'nobody waits any more')
})

t.test('what waits for names is looked at in steps, and not at all while there are none', async t => {
  const { records } = world()
  const big = objectOf(
    'evil',
    Array.from({ length: NAMES_MAX / 100 }, (_, n) => deep(100, n)),
  )
  records.add('DNSEndpoint', big)
  for (let n = 0; n < 5000; n++) records.add('DNSEndpoint', objectOf('evil', [deep(1, 1000 + n)]))
  const stepsOf = (): number => [...records.claimWaiting('evil')].length
  t.equal(stepsOf(), 0)
  records.remove('DNSEndpoint', big)
  const steps = stepsOf()
  t.ok(steps > 5, `${steps} steps`)
})

t.test('a name that its namespace may not have costs nothing', async t => {
  const { records, touched, refused } = world()
  records.add('DNSEndpoint', objectOf('evil', ['a.own.test', 'a.elsewhere.test']))
  t.equal(refused.length, 2)
  t.equal(touched.size, 0)
})

t.test('a set of many values is published in steps', async t => {
  const { records } = world()
  const values = Array.from({ length: 1000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
  const name = `n.${SUFFIX}`
  records.add('DNSEndpoint', {
    namespace: 'a',
    name: 'b',
    createdMs: 0,
    records: [{ name, type: 'A', ttlSeconds: 0, values }],
  })
  const steps = records.publish(name, new TableWriter(1 << 20))
  let count = 0
  while (!steps.next().done) count++
  t.ok(count > 20, `${count} steps`)
  t.equal(finish(records.publish(name, new TableWriter(1 << 20))), true)
})
