// Flags of queries on their way, and of replies.

import t from 'tap'
import { headerWord } from '../../src/plugin/header.ts'
import { answering } from '../support/answering.ts'
import { DROP, refused } from '../support/reply.ts'
import { parseWord, query, reply } from '../support/words.ts'
import { writeReply } from '../support/write-reply.ts'

/** The flags of the message that the outcome becomes, of a reply that a plugin wrote with AA. */
async function flags(block: string, rest = {}, outcome = reply({ plugin: 'hosts', authoritative: true })) {
  const at = answering(headerWord, `header {\n${block}\n}`, outcome)
  const given = await at.outcome('a.example. A', rest)
  if (given === DROP) return 'drop'
  const octets = writeReply(query('a.example. A', rest), given)
  // Whatever the client desires, an upstream is asked with RD, unless the directive says otherwise.
  const asked = at.passed[0]!.asksRecursion ? ' asked with rd' : ''
  const bit = (on: number, flag: string): string => (on === 0 ? '' : flag)
  return [bit(octets[2]! & 4, 'aa'), bit(octets[2]! & 1, 'rd'), bit(octets[3]! & 128, 'ra')]
    .filter(flag => flag !== '')
    .join(' ')
    .concat(asked)
}

t.test('flags', async t => {
  const cases: [block: string, flags: string, flagsWithoutRd: string][] = [
    ['response set ra', 'aa rd ra asked with rd', 'aa ra asked with rd'],
    ['response clear aa', 'rd asked with rd', ' asked with rd'],
    ['response set aa', 'aa rd asked with rd', 'aa asked with rd'],
    ['response clear aa rd', ' asked with rd', ' asked with rd'],
    ['response set rd', 'aa rd asked with rd', 'aa rd asked with rd'],
    ['query clear rd', 'aa', 'aa'],
    ['query set rd', 'aa rd asked with rd', 'aa rd asked with rd'],
    ['query set aa ra', 'aa rd asked with rd', 'aa asked with rd'],
    ['query clear rd\nresponse set rd', 'aa rd', 'aa rd'],
    ['response set ra\nresponse clear ra', 'aa rd asked with rd', 'aa asked with rd'],
    ['RESPONSE Set RA', 'aa rd ra asked with rd', 'aa ra asked with rd'],
  ]
  for (const [block, withRd, withoutRd] of cases) {
    t.equal(await flags(block), withRd, block)
    t.equal(await flags(block, { recursionDesired: false }), withoutRd, `${block}, asked without RD`)
  }
})

t.test('replies that no plugin wrote keep their flags but RD, which is as the plugins saw it', async t => {
  t.equal(await flags('response set ra aa', {}, refused()), 'rd asked with rd')
  t.equal(await flags('query clear rd\nresponse set rd ra', {}, refused()), '')
})

t.test('silence stays silence', async t => {
  t.equal(await answering(headerWord, 'header {\nresponse set ra\n}', DROP).outcome('a.example. A'), DROP)
})

t.test('the configuration', async t => {
  const text = 'header {\nquery clear rd\nresponse set ra aa\nresponse clear ra\n}'
  const { config, complaints } = parseWord(headerWord, text)
  t.same(complaints, [])
  t.strictSame(config, { query: { rd: false }, response: { ra: false, aa: true } })
})

t.test('mistakes', async t => {
  const cases: [text: string, complaint: RegExp][] = [
    ['header', /^2:1: error: header needs a block with a line such as: response set ra/],
    ['header {\n}', /^2:1: error: header needs a block/],
    ['header ra', /^2:1: error: header needs a block/],
    ['header {\nresponses set ra\n}', /^3:1: error: unknown property of header .*did you mean "response"/],
    ['header {\nresponse put ra\n}', /^3:10: error: this is neither set nor clear \(found "put"/],
    ['header {\nresponse set ad\n}', /^3:14: error: this is not a flag \(found "ad"; allowed: aa, ra, rd/],
    ['header {\nresponse set\n}', /^3:1: error: response needs a flag/],
    ['header {\nresponse\n}', /^3:1: error: response needs set or clear/],
    [
      'header {\nresponse set ra\n}\nheader {\nresponse set aa\n}',
      /^5:1: warning: only the first header of a server block counts/,
    ],
  ]
  for (const [text, complaint] of cases) t.match(parseWord(headerWord, text).complaints[0], complaint, text)
})
