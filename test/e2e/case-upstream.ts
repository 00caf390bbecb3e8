// The upstream of one case (corefile-case.ts): answers from its lines over UDP and TCP, follows its own CNAMEs, NODATA with
// an SOA for another type, NXDOMAIN with an SOA for another name.

import { encode, type Answer as Record } from 'dns-packet'
import { decodeMessage } from '../support/dns-client.ts'
import { replyTo, type Script, type StubRecord, UpstreamStub } from '../support/upstream-stub.ts'
import type { Scope } from './processes.ts'

const RCODES: Readonly<{ [word: string]: number }> = {
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
}
const CHAIN_MAX = 8
const SOA = '. 60 SOA ns.upstream.test. hostmaster.upstream.test. 1 7200 1800 86400 60'

interface Known {
  readonly records: readonly (StubRecord & { readonly target: string })[]
  /** A code to answer with, SILENT for none at all. */
  readonly word: string
}

/** Starts it on a free port of 127.0.0.1 and gives the port. */
export async function startCaseUpstream(scope: Scope, lines: readonly string[]): Promise<number> {
  const stub = await UpstreamStub.start(answerFrom(readLines(lines)))
  scope.add('upstream', () => stub.pause())
  return stub.port
}

function readLines(lines: readonly string[]): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>()
  for (const line of lines) {
    const [owner = '', second = ''] = line.split(/\s+/)
    const key = owner.toLowerCase()
    const before = known.get(key) ?? { records: [], word: '' }
    if (/^\d+$/.test(second)) known.set(key, { ...before, records: [...before.records, readRecord(line)] })
    else known.set(key, { ...before, word: second })
  }
  return known
}

/** `OWNER TTL TYPE DATA…`, encoded by dns-packet, which shares no code with the server. */
function readRecord(line: string): StubRecord & { readonly target: string } {
  const [owner = '', ttl = '', type = '', ...data] = line.match(/"[^"]*"|\S+/g) ?? []
  const octets = encode({ type: 'response', answers: [packetRecord(type, data)] })
  // Behind a header: the root as owner, type, class, TTL, length.
  const rdata = Uint8Array.from(octets.subarray(12 + 1 + 10))
  return { owner, type, ttlSeconds: Number(ttl), rdata, target: data.at(-1)?.toLowerCase() ?? '' }
}

function packetRecord(type: string, data: readonly string[]): Record {
  const [first = '', second = '', third = '', fourth = ''] = data
  const base = { name: '.', ttl: 0 }
  const bare = (name: string): string => name.replace(/\.$/, '') || '.'
  switch (type) {
    case 'MX':
      return { ...base, type, data: { preference: Number(first), exchange: bare(second) } }
    case 'SRV': {
      const [priority, weight, port] = [Number(first), Number(second), Number(third)]
      return { ...base, type, data: { priority, weight, port, target: bare(fourth) } }
    }
    case 'TXT':
      return { ...base, type, data: data.map(text => text.replace(/^"|"$/g, '')) }
    case 'SOA': {
      const [serial, refresh, retry, expire, minimum] = data.slice(2).map(Number)
      return {
        ...base,
        type,
        data: { mname: bare(first), rname: bare(second), serial, refresh, retry, expire, minimum },
      } as Record
    }
    case 'A':
    case 'AAAA':
      return { ...base, type, data: first }
    case 'CNAME':
    case 'DNAME':
    case 'NS':
    case 'PTR':
      return { ...base, type, data: bare(first) }
    default:
      throw new Error(`the case's upstream cannot encode ${type}`)
  }
}

const answerFrom =
  (known: ReadonlyMap<string, Known>): Script =>
  (asked, back) => {
    const [name = '', , type = ''] = asked.what.split(' ')
    const first = known.get(name.toLowerCase())
    if (first?.word === 'SILENT') return
    if (first && first.word !== '') return back.send(replyTo(asked, { rcode: RCODES[first.word] ?? 2 }))
    const answer: StubRecord[] = []
    let at = first
    for (let links = 0; at && links < CHAIN_MAX; links++) {
      const wanted = at.records.filter(record => record.type === type)
      answer.push(...wanted)
      const alias: (StubRecord & { readonly target: string }) | undefined =
        wanted.length === 0 ? at.records.find(record => record.type === 'CNAME') : undefined
      if (!alias) break
      answer.push(alias)
      at = known.get(alias.target)
    }
    const denies = !at?.records.some(record => record.type === type)
    // The data of the root's SOA, owned by the root: the upstream has one zone.
    const authority = denies ? [{ ...readRecord(SOA), owner: '.' }] : []
    const reply = replyTo(asked, { rcode: at ? 0 : 3, answer, authority })
    const udpSize = decodeMessage(asked.octets).edns?.udpSize ?? 512
    if (asked.transport === 'udp' && reply.length > udpSize) back.send(replyTo(asked, { tc: true }))
    else back.send(reply)
  }
