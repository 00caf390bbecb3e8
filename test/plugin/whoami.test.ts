import t from 'tap'
import { whoamiWord } from '../../src/plugin/whoami.ts'
import { ipFromBytes } from '../../src/shared/ip.ts'
import { formatName, name } from '../../src/wire/name.ts'
import { CLASS, TYPE, typeName } from '../../src/wire/rrtype.ts'
import { answering } from '../support/answering.ts'
import type { Query } from '../support/query.ts'
import type { Outcome } from '../support/reply.ts'
import { parseWord } from '../support/words.ts'

const six: Partial<Query> = { client: { address: 'fd00::7', port: 1, family: 6 }, transport: 'tcp' }
const whoami = (question: string, rest: Partial<Query>): Promise<Outcome> =>
  answering(whoamiWord, 'whoami').outcome(question, rest)
const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(58)}.`

t.test('what the client learns', async t => {
  const cases: [what: string, question: string, rest: Partial<Query>, records: string[]][] = [
    ['UDP over IPv4', 'Example.org. A', {}, ['Example.org. A 10.0.0.7', '_udp.Example.org. SRV 40212']],
    ['TCP over IPv6', 'example.org. TXT', six, ['example.org. AAAA fd00::7', '_tcp.example.org. SRV 1']],
    ['TLS', 'a. A', { transport: 'tls' }, ['a. A 10.0.0.7', '_tcp.a. SRV 40212']],
    ['the root', '. NS', {}, ['. A 10.0.0.7', '_udp. SRV 40212']],
    ['a name with no room for a label', `${long} A`, {}, [`${long} A 10.0.0.7`]],
  ]
  for (const [what, question, rest, records] of cases) {
    const outcome = await whoami(question, rest)
    if (typeof outcome !== 'object') throw new Error('silence')
    const { answer, additional, authoritative, rcode, plugin } = outcome
    t.same([answer, authoritative, rcode, plugin], [[], true, 0, 'whoami'], what)
    t.same(
      additional.map(({ owner, type, rdata, ttlSeconds, class: qclass }) => {
        t.same([ttlSeconds, qclass], [0, 1])
        const data = type === TYPE.SRV ? (rdata[4]! << 8) | rdata[5]! : ipFromBytes(rdata).text
        return `${formatName(owner)} ${typeName(type)} ${data}`
      }),
      records,
      what,
    )
  }
})

t.test('in the class that was asked', async t => {
  const question = { qname: name('a.'), qtype: TYPE.TXT, qclass: CLASS.CH }
  const outcome = await whoami('a.', { question })
  t.match(outcome, { additional: [{ class: CLASS.CH }, { class: CLASS.CH }] })
})

t.test('the directive', async t => {
  t.same(parseWord(whoamiWord, 'whoami').complaints, [])
  t.match(parseWord(whoamiWord, 'whoami me').complaints[0], /2:8: error: whoami takes no arguments/)
})
