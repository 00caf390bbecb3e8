import { hostname } from 'node:os'
import t from 'tap'
import { nsidWord } from '../../src/plugin/nsid.ts'
import { DROP, type Outcome } from '../../src/query/reply.ts'
import { answering } from '../support/answering.ts'
import { parseWord, reply } from '../support/serving.ts'

const NSID = 3
const asking = (...codes: number[]) => ({
  edns: {
    payloadSize: 1232,
    dnssecOk: false,
    options: codes.map(code => ({ code, data: new Uint8Array(0) })),
  },
})

/** The text of the NSID option in the reply to a query with these options. */
async function nsid(text: string, codes: readonly number[], next?: Outcome): Promise<string | undefined> {
  const outcome = await answering(nsidWord, text, next).outcome('example.org. A', asking(...codes))
  if (outcome === DROP) return 'drop'
  const data = outcome.options?.find(({ code }) => code === NSID)?.data
  return data && Buffer.from(data).toString()
}

t.test('which server answers', async t => {
  const cases: [text: string, data: string][] = [
    ['nsid', hostname()],
    ['nsid node-1', 'node-1'],
    ['nsid Use The Force', 'Use The Force'],
    ['nsid "two  spaces" tëst', 'two  spaces tëst'],
    ['nsid ""', ''],
  ]
  for (const [text, data] of cases) {
    t.equal(await nsid(text, [NSID]), data, text)
    t.equal(await nsid(text, [10, NSID]), data, `${text}, beside another option`)
  }
  t.equal(await nsid('nsid', []), undefined, 'not asked for')
  t.equal(await nsid('nsid', [8]), undefined, 'something else asked for')
  t.equal(await nsid('nsid', [NSID], DROP), 'drop', 'silence stays silence')
})

t.test('the options of other plugins stay', async t => {
  const other = { code: 65001, data: Uint8Array.of(1) }
  const at = answering(nsidWord, 'nsid x', reply({ options: [other] }))
  const outcome = await at.outcome('example.org. A', asking(NSID))
  t.match(outcome, { options: [other, { code: NSID }] })
})

t.test('without EDNS', async t => {
  const at = answering(nsidWord, 'nsid x')
  t.match(await at.outcome('example.org. A'), { options: undefined })
})

t.test('mistakes', async t => {
  const wrong: [text: string, complaint: RegExp][] = [
    ['nsid a\nnsid b', /^3:1: error: nsid is given twice/],
    [`nsid ${'x'.repeat(201)}`, /^2:6: error: the data of nsid is longer than 200 octets/],
    ['nsid {\nx\n}', /^2:1: error: nsid takes no block/],
  ]
  for (const [text, complaint] of wrong) t.match(parseWord(nsidWord, text).complaints[0], complaint, text)
})
