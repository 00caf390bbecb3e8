// Replies that are made of records and of what other names are found to have.

import t from 'tap'
import type { Handler } from '../../src/plugin/plugin.ts'
import { type Part, takeFound, writeDraft } from '../../src/query/draft.ts'
import { formatName, name } from '../../src/wire/name.ts'
import { RCODE } from '../../src/wire/rcode.ts'
import { TYPE } from '../../src/wire/rrtype.ts'
import { SECTION } from '../../src/wire/walk.ts'
import { DROP, type Reply } from '../support/reply.ts'
import { askHandler } from '../support/road.ts'
import { query, record, reply, shortForm } from '../support/words.ts'

const { ANSWER, AUTHORITY, ADDITIONAL } = SECTION
const plain = (section: number, text: string): Part => ({ section, record: record(text) })
const looked = (section: number, text: string): Part => ({ section, qname: name(text), qtype: TYPE.A })

async function drafted(parts: readonly Part[], found: (asked: string) => Partial<Reply>) {
  const asked: string[] = []
  const handler: Handler = {
    handle: packet =>
      writeDraft(packet, {
        rcode: RCODE.NOERROR,
        plugin: 1,
        bits2: 0,
        endsInAlias: false,
        reasonOf: () => ({ code: 0, text: 'why' }),
        parts,
        found: [],
        truncated: false,
      }),
    found: takeFound,
  }
  const lookup = async (qname: Uint8Array): Promise<Reply> => {
    asked.push(formatName(qname))
    return reply(found(formatName(qname)))
  }
  const outcome = await askHandler(handler, query('x. A', { lookup }), () => DROP)
  if (outcome === DROP) throw new Error('silence')
  const sections = [outcome.answer, outcome.authority, outcome.additional].map(shortForm)
  return { asked, sections, truncated: outcome.truncated, reason: outcome.extendedError?.text }
}

t.test('what is found stands where it was looked for, of answers alone', async t => {
  const parts = [
    plain(ANSWER, 'x. 5 CNAME a.'),
    looked(ANSWER, 'a.'),
    plain(ANSWER, 'x. 5 CNAME b.'),
    looked(ANSWER, 'b.'),
    plain(AUTHORITY, 'x. 5 NS n.'),
    looked(ADDITIONAL, 'n.'),
  ]
  const { asked, sections, truncated, reason } = await drafted(parts, asked => ({
    answer: [record(`${asked} 5 A 10.0.0.${asked.charCodeAt(0)}`)],
    authority: [record('z. 5 NS y.')],
  }))
  t.same(asked, ['a.', 'b.', 'n.'])
  t.same(sections, [['CNAME a.', 'A 10.0.0.97', 'CNAME b.', 'A 10.0.0.98'], ['NS n.'], ['A 10.0.0.110']])
  t.notOk(truncated)
  t.equal(reason, 'why')
})

t.test('an answer that was cut makes one that is, an additional record does not', async t => {
  const cut = (): Partial<Reply> => ({ truncated: true })
  t.ok((await drafted([looked(ANSWER, 'a.'), looked(ANSWER, 'b.')], cut)).truncated)
  t.notOk((await drafted([plain(ANSWER, 'x. 5 A 10.0.0.1'), looked(ADDITIONAL, 'a.')], cut)).truncated)
})

t.test('nothing to look up is written at once', async t => {
  t.same((await drafted([plain(ANSWER, 'x. 5 A 10.0.0.1')], () => ({}))).asked, [])
  t.same((await drafted([], () => ({}))).sections, [[], [], []])
})
