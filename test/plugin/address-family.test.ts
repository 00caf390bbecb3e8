// ipv6 and ipv4: whose addresses are denied at once, what is taken out of other replies, and what is left alone.

import t from 'tap'
import { PARKED } from '../../src/listen/responder.ts'
import { takeHint } from '../../src/plugin/address-family.ts'
import { ipv4Word } from '../../src/plugin/ipv4.ts'
import { ipv6Word } from '../../src/plugin/ipv6.ts'
import { parseRecord } from '../../src/wire/presentation/record.ts'
import type { Rr } from '../../src/wire/record.ts'
import { answering } from '../support/answering.ts'
import { decodeMessage } from '../support/dns-message.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import type { Reply } from '../support/reply.ts'
import { ServerBlock } from '../support/server-block.ts'
import { parseWord, record, reply } from '../support/words.ts'

/** The data of an HTTPS record in presentation form. */
const octetsOf = (text: string): Uint8Array => (parseRecord(`a.example. 5 IN HTTPS ${text}`) as Rr).rdata

const WEB = 'web.demo.svc.cluster.local'

/** What comes of a question in a block: its code, and the records of each section. */
async function ask(block: ServerBlock, name: string, type: string): Promise<string> {
  const question = encodeQuestion({ name, type, edns: true })
  const octets = block.ask(question)
  if (octets === undefined) return 'silence'
  const { rcode, records } = decodeMessage(octets)
  const { answer, authority } = records
  return [rcode, ...answer.map(({ type, data }) => `${type} ${data}`), ...authority.map(({ name, type }) => `${type} of ${name}`)].join(', ') // biome-ignore format: one list
}

t.test('who is denied at once', async t => {
  const cases: [text: string, question: string, answer: string][] = [
    ['ipv6 off', 'a.example. AAAA', 'NOERROR  | . 300 SOA'],
    ['ipv6 off', 'a.example. A', 'next'],
    ['ipv6 off', 'a.example. TXT', 'next'],
    ['ipv6 on', 'a.example. AAAA', 'next'],
    ['ipv6 cluster-only', 'a.example. AAAA', 'NOERROR  | . 300 SOA'],
    ['ipv6 off example.', 'A.EXAMPLE. AAAA', 'NOERROR  | example. 300 SOA'],
    ['ipv6 off example.', 'aexample. AAAA', 'next'],
    ['ipv6 off\nipv6 on v6.example.', 'a.v6.example. AAAA', 'next'],
    ['ipv6 on\nipv6 off v6.example.', 'v6.example. AAAA', 'NOERROR  | v6.example. 300 SOA'],
    ['ipv4 off', 'a.example. A', 'NOERROR  | . 300 SOA'],
    ['ipv4 off', 'a.example. AAAA', 'next'],
  ] // biome-ignore format: a table
  for (const [text, question, answer] of cases) {
    const word = text.startsWith('ipv6') ? ipv6Word : ipv4Word
    t.equal(await answering(word, text).ask(question), answer, `${text}: ${question}`)
  }
})

t.test('names of the cluster: its own denials, and its own addresses with cluster-only', async t => {
  const soa = 'SOA of cluster.local.'
  const cases: [text: string, name: string, type: string, answer: string][] = [
    ['ipv4 off', WEB, 'A', `NOERROR, ${soa}`],
    ['ipv4 off', `missing.demo.svc.cluster.local`, 'A', `NXDOMAIN, ${soa}`],
    ['ipv4 off', WEB, 'SRV', 'NOERROR, SRV 0 100 80 web.demo.svc.cluster.local.'],
    ['ipv4 cluster-only', WEB, 'A', 'NOERROR, A 10.0.0.1'],
    ['ipv4 cluster-only', 'www.example.org', 'A', 'NOERROR, SOA of .'],
    ['ipv6 off', WEB, 'A', 'NOERROR, A 10.0.0.1'],
    ['ipv6 off', WEB, 'AAAA', `NOERROR, ${soa}`],
  ] // biome-ignore format: a table
  for (const [text, name, type, answer] of cases) {
    const block = new ServerBlock(`${text}\nkubernetes cluster.local`)
    t.equal(await ask(block, name, type), answer, `${text}: ${name} ${type}`)
    await block.stop()
  }
})

t.test('what is taken out of other replies', async t => {
  const a = record('a.example. 5 A 192.0.2.1')
  const aaaa = record('a.example. 5 AAAA 2001:db8::1')
  const exempt = record('a.v6.example. 5 AAAA 2001:db8::1')
  const mx = record('example. 5 MX 10 a.example.')
  const cases: [question: string, parts: Partial<Reply>, answer: string][] = [
    ['a.example. ANY', { answer: [a, aaaa] }, 'NOERROR a.example. 5 A'],
    ['example. MX', { answer: [mx], additional: [a, aaaa] }, 'NOERROR example. 5 MX |  | a.example. 5 A'],
    ['example. MX', { answer: [mx], additional: [exempt] }, 'NOERROR example. 5 MX |  | a.v6.example. 5 AAAA'],
    ['example. NS', { additional: [aaaa] }, 'NOERROR'],
    ['example. SRV', { additional: [aaaa, a] }, 'NOERROR  |  | a.example. 5 A'],
  ] // biome-ignore format: a table
  for (const [question, parts, answer] of cases) {
    const at = answering(ipv6Word, 'ipv6 off\nipv6 on v6.example.', reply({ plugin: 'file', ...parts }))
    t.equal(await at.ask(question), answer, question)
  }
})

t.test('who validated the reply has not validated what is left of it', async t => {
  const aaaa = record('a.example. 5 AAAA 2001:db8::1')
  const outcome = (additional: Reply['additional']) =>
    answering(ipv6Word, 'ipv6 off', reply({ plugin: 'file', authenticData: true, additional })).outcome(
      'example. MX',
    )
  t.match(await outcome([aaaa]), { authenticData: false })
  t.match(await outcome([]), { authenticData: true })
})

t.test('hints of HTTPS and SVCB records', async t => {
  const cases: [before: string, key: number, after: string][] = [
    ['1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1', 6, '1 . alpn=h2 ipv4hint=192.0.2.1'],
    ['1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1', 4, '1 . alpn=h2 ipv6hint=2001:db8::1'],
    ['1 svc.example. ipv6hint=2001:db8::1,2001:db8::2 dohpath=/q{?dns}', 6, '1 svc.example. dohpath=/q{?dns}'],
    ['1 . mandatory=ipv6hint ipv6hint=2001:db8::1', 6, '1 .'],
    ['1 . mandatory=alpn,ipv6hint alpn=h2 ipv6hint=2001:db8::1', 6, '1 . mandatory=alpn alpn=h2'],
    ['1 . port=8443', 6, '1 . port=8443'],
    ['0 other.example.', 6, '0 other.example.'],
  ] // biome-ignore format: a table
  for (const [before, key, after] of cases) {
    const data = octetsOf(before)
    t.same([...data.subarray(0, takeHint(data, key))], [...octetsOf(after)], `${before} without ${key}`)
  }
  for (const broken of [[], [0], [0, 1, 0, 0, 6, 0, 16, 1], [0, 1, 0, 0, 6], [0, 1, 3]]) {
    const data = Uint8Array.from(broken)
    t.equal(takeHint(data, 6), broken.length, 'broken data stays')
    t.same([...data], broken)
  }
})

t.test('a reply with a hint gets to the client without it', async t => {
  const https = {
    ...record('a.example. 5 A 192.0.2.1'),
    type: 65,
    rdata: octetsOf('1 . alpn=h2 ipv6hint=2001:db8::1'),
  }
  const outcome = await answering(ipv6Word, 'ipv6 off', reply({ plugin: 'next', answer: [https] })).outcome('a.example. HTTPS') // biome-ignore format: one line
  t.match(outcome, { answer: [{ type: 65, rdata: octetsOf('1 . alpn=h2') }] })
})

t.test(
  'dns64 finds the addresses that ipv4 off keeps from clients, and leaves the cluster alone',
  async t => {
    const lines =
      'ipv4 off\ndns64 {\nallow_ipv4\nexcept\n}\nkubernetes cluster.local\nhosts {\n192.0.2.33 www.example.org\nfallthrough\n}'
    const block = new ServerBlock(lines)
    const late = async (name: string, type: string): Promise<string> => {
      const octets = await block.slow(encodeQuestion({ name, type }))
      const { rcode, records } = decodeMessage(octets!)
      return [rcode, ...records.answer.map(({ data }) => data)].join(' ')
    }
    t.equal(await late('www.example.org', 'AAAA'), 'NOERROR 64:ff9b::c000:221')
    t.equal(await late('www.example.org', 'A'), 'NOERROR')
    t.equal(await ask(block, WEB, 'AAAA'), 'NOERROR, SOA of cluster.local.')
    await block.stop()
  },
)

t.test(
  'an alias tells nobody what its target may not, and search paths end alike for both families',
  async t => {
    const block = new ServerBlock(`ipv6 off six.example cluster.local walked.example
    autopath @query
    template IN ANY alias.test {
      answer "{{ .Name }} 60 IN CNAME a.six.example."
    }
    template IN ANY free.test {
      answer "{{ .Name }} 60 IN CNAME a.free.example."
    }
    hosts {
      192.0.2.6 a.six.example www.walked.example
      2001:db8::6 a.six.example a.free.example www.walked.example
      fallthrough
    }
    kubernetes cluster.local`)
    const late = async (name: string, type: string): Promise<string> => {
      const { rcode, records } = decodeMessage((await block.late(encodeQuestion({ name, type })))!)
      const { answer, authority } = records
      return [rcode, ...answer.map(({ type, data }) => `${type} ${data}`), ...authority.map(({ name, type }) => `${type} of ${name}`)].join(', ') // biome-ignore format: one list
    }
    const walked = 'www.walked.example.demo.svc.cluster.local'
    const rows: [name: string, type: string, answer: string][] = [
    ['alias.test', 'AAAA', 'NOERROR, CNAME a.six.example., SOA of six.example.'],
    ['alias.test', 'A', 'NOERROR, CNAME a.six.example., A 192.0.2.6'],
    ['free.test', 'AAAA', 'NOERROR, CNAME a.free.example., AAAA 2001:db8::6'],
    [walked, 'A', 'NOERROR, CNAME www.walked.example., A 192.0.2.6'],
    [walked, 'AAAA', 'NOERROR, CNAME www.walked.example., SOA of cluster.local.'],
    [WEB, 'AAAA', 'NOERROR, SOA of cluster.local.'],
    ['nobody.demo.svc.cluster.local', 'AAAA', 'NXDOMAIN, SOA of cluster.local.'],
  ] // biome-ignore format: a table
    for (const [name, type, answer] of rows) t.equal(await late(name, type), answer, `${name} ${type}`)
    await block.stop()
  },
)

t.test('mistakes', async t => {
  const cases: [text: string, complaint: RegExp][] = [
    ['ipv6', /^2:1: error: ipv6 needs off, cluster-only or on/],
    ['ipv6 no', /^2:6: error: this is not off, cluster-only or on \(found "no"; allowed: off, cluster-only, on/],
    ['ipv6 off a.example\nipv6 on a.example', /^3:1: error: ipv6 is given twice for this zone \(found "a.example."/],
    ['ipv6 cluster-only', /^2:1: warning: without kubernetes in this server block ipv6 cluster-only is ipv6 off/],
    ['ipv6 off {\n}', /^2:1: error: ipv6 takes no block/],
  ] // biome-ignore format: a table
  for (const [text, complaint] of cases) t.match(parseWord(ipv6Word, text).complaints[0], complaint, text)
})

t.test('what another query left behind that went to wait: a query is answered by its own', t => {
  const block = new ServerBlock(
    'ipv6 cluster-only\ncache\ntemplate IN HTTPS example.org {\nanswer "{{ .Name }} 60 IN HTTPS 1 ."\n}',
    undefined,
    'forward . 127.0.0.1:9',
  )
  const ask = block.repeater()
  const [answered, waits, next] = [
    ['www.example.org', 'HTTPS'],
    ['a.example.net', 'A'],
    ['b.example.org', 'HTTPS'],
  ].map(([name, type]) => encodeQuestion({ name: name!, type: type! }))
  const length = ask(answered!)
  t.ok(length > 0)
  t.equal(ask(waits!), PARKED)
  t.equal(ask(next!), length - 2)
  return block.stop()
})
