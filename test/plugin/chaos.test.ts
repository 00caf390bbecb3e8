import { hostname } from 'node:os'
import t from 'tap'
import { chaosWord } from '../../src/plugin/chaos.ts'
import { VERSION } from '../../src/shared/version.ts'
import { name } from '../../src/wire/name.ts'
import { CLASS, TYPE } from '../../src/wire/rrtype.ts'
import { answering } from '../support/answering.ts'
import { parseWord } from '../support/words.ts'

/** The texts that a question of class CH gets, or what else becomes of it. */
async function texts(text: string, qname: string, qtype: number = TYPE.TXT, qclass: number = CLASS.CH) {
  const question = { qname: name(qname), qtype, qclass }
  const at = answering(chaosWord, text)
  const outcome = await at.outcome(qname, { question })
  if (typeof outcome !== 'object' || outcome.plugin !== 'chaos') return at.ask(qname, { question })
  t.same([outcome.rcode, outcome.authoritative], [0, false])
  return outcome.answer.map(({ owner, class: ownClass, ttlSeconds, rdata }) => {
    t.same([owner, ownClass, ttlSeconds], [question.qname, CLASS.CH, 0])
    return Buffer.from(rdata.subarray(1)).toString('utf8')
  })
}

t.test('who the server is', async t => {
  const cases: [text: string, qname: string, texts: string[] | string][] = [
    ['chaos', 'version.bind.', [`Seamark-${VERSION}`]],
    ['chaos', 'VERSION.Server.', [`Seamark-${VERSION}`]],
    ['chaos', 'authors.bind.', []],
    ['chaos', 'hostname.bind.', [hostname()]],
    ['chaos', 'id.server.', [hostname()]],
    ['chaos "Tëst 1" bob alice bob', 'version.bind.', ['Tëst 1']],
    ['chaos "Test 1" bob alice bob', 'authors.bind.', ['alice', 'bob']],
    ['chaos 1\nchaos 2', 'version.bind.', ['1']],
    [`chaos ${'x'.repeat(300)}`, 'version.bind.', ['x'.repeat(255)]],
    ['chaos', 'other.bind.', 'REFUSED'],
  ]
  for (const [text, qname, expected] of cases) t.same(await texts(text, qname), expected, `${text}: ${qname}`)
})

t.test('other questions', async t => {
  t.same(await texts('chaos', 'version.bind.', TYPE.A), 'REFUSED', 'another type')
  t.same(await texts('chaos', 'version.bind.', TYPE.TXT, CLASS.HS), 'REFUSED', 'another class')
  t.same(await texts('chaos', 'version.bind.', TYPE.TXT, CLASS.IN), 'next', 'class IN')
})

t.test('mistakes', async t => {
  const authors = Array.from({ length: 201 }, (_, i) => `a${i}`).join(' ')
  t.match(
    parseWord(chaosWord, `chaos 1 ${authors}`).complaints[0],
    /error: more than 200 authors \(found "a200"/,
  )
  t.match(parseWord(chaosWord, 'chaos 1\nchaos 2').complaints, [/^3:1: warning: only the first chaos/])
  t.match(parseWord(chaosWord, 'chaos {\nx\n}').complaints[0], /^2:1: error: chaos takes no block/)
})
