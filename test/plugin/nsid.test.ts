import { hostname } from 'node:os'
import t from 'tap'
import { nsidWord } from '../../src/plugin/nsid.ts'
import { decodeMessage } from '../support/dns-message.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import { ServerBlock } from '../support/server-block.ts'
import { parseWord } from '../support/words.ts'

const NSID = 3
const COOKIE = { code: 10, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }
const ECS = { code: 8, data: Uint8Array.of(0, 1, 0, 0) }
const ASKED = { code: NSID, data: new Uint8Array(0) }

/** What the options of the reply are, by their codes, to a query with these options; undefined is silence. */
async function optionsOf(
  lines: string,
  name: string,
  options?: readonly (typeof ASKED)[],
  udpSize = 1232,
): Promise<Map<number, Uint8Array> | undefined> {
  const block = new ServerBlock(`${lines}\nkubernetes cluster.local`)
  const packet = encodeQuestion({ name, ...(options && { edns: { options, udpSize } }) }, 1)
  const reply = block.fast(packet) ?? (await block.slow(packet))
  await block.stop()
  return reply && new Map(decodeMessage(reply).edns?.options.map(({ code, data }) => [code, data]))
}

const NAMES = [
  ['web.demo.svc.cluster.local', 'out of the table'],
  ['nope.demo.svc.cluster.local', 'out of the table, with a reason'],
  ['example.org', 'of a plugin'],
] as const

t.test('which server answers', async t => {
  const cases: [text: string, data: string][] = [
    ['nsid', hostname()],
    ['nsid node-1', 'node-1'],
    ['nsid Use The Force', 'Use The Force'],
    ['nsid "two  spaces" tëst', 'two  spaces tëst'],
    ['nsid ""', ''],
  ]
  for (const [text, data] of cases) {
    for (const [name, what] of NAMES) {
      const alone = await optionsOf(text, name, [ASKED])
      t.equal(Buffer.from(alone!.get(NSID)!).toString(), data, `${text}, ${what}`)
      const beside = await optionsOf(text, name, [COOKIE, ASKED])
      t.equal(Buffer.from(beside!.get(NSID)!).toString(), data, `${text}, ${what}, beside a cookie`)
      t.equal(beside!.get(10)?.length, 24, 'which is answered, too')
    }
  }
})

t.test('who does not ask is not told', async t => {
  for (const [name, what] of NAMES) {
    t.notOk((await optionsOf('nsid x', name))!.has(NSID), `${what}, without EDNS`)
    t.notOk((await optionsOf('nsid x', name, []))!.has(NSID), what)
    t.notOk((await optionsOf('nsid x', name, [ECS]))!.has(NSID), `${what}, something else asked for`)
    t.notOk((await optionsOf('', name, [ASKED]))!.has(NSID), `${what}, without the directive`)
  }
  t.equal(
    await optionsOf('nsid x\nacl {\ndrop\n}', 'example.org', [ASKED]),
    undefined,
    'silence stays silence',
  )
})

t.test('beside a cookie and the longest question, in 512 octets', async t => {
  const label = 'x'.repeat(63)
  for (const zone of ['svc.cluster.local', 'example.org']) {
    const name = [label, label, label, 'y'.repeat(60 - zone.length), zone].join('.')
    const cases: [octets: number, isTold: boolean][] = [
      [198, true],
      [199, false],
    ]
    for (const [octets, isTold] of cases) {
      const options = (await optionsOf(`nsid ${'n'.repeat(octets)}`, name, [COOKIE, ASKED], 512))!
      t.equal(options.get(10)?.length, 24, `${zone}: the cookie`)
      t.equal(options.get(NSID)?.length, isTold ? octets : undefined, `${zone}: ${octets} octets of NSID`)
    }
  }
})

t.test('mistakes', async t => {
  const wrong: [text: string, complaint: RegExp][] = [
    ['nsid a\nnsid b', /^3:1: error: nsid is given twice/],
    [`nsid ${'x'.repeat(201)}`, /^2:6: error: the data of nsid is longer than 200 octets/],
    ['nsid {\nx\n}', /^2:1: error: nsid takes no block/],
  ]
  for (const [text, complaint] of wrong) t.match(parseWord(nsidWord, text).complaints[0], complaint, text)
})
