// What the tests of Corefile words share: a query, records in presentation format, and a serving thread that keeps what
// it logs and counts.

import { formatProblem, Problems } from '../../src/corefile/problem.ts'
import { LINE_MAX_OCTETS, LineWriter } from '../../src/observe/log-line.ts'
import type { Labels, Meters } from '../../src/observe/meters.ts'
import type { ServingLog } from '../../src/observe/thread-log.ts'
import type { BlockContext, ServingContext, Word } from '../../src/plugin/plugin.ts'
import { WaitingRoom } from '../../src/query/waiting.ts'
import type { Lasting } from '../../src/serving/blocks.ts'
import { COOKIE_SECRET_OCTETS, ServerCookies } from '../../src/serving/cookies.ts'
import { Packets } from '../../src/serving/packets.ts'
import { Sampler } from '../../src/serving/sampler.ts'
import type { Clock } from '../../src/shared/clock.ts'
import { ipFromBytes, parseIp } from '../../src/shared/ip.ts'
import { formatName, name } from '../../src/wire/name.ts'
import { type Rr, soaRdata, srvRdata, targetOf, txtRdata } from '../../src/wire/record.ts'
import { CLASS, parseType, TYPE, typeName } from '../../src/wire/rrtype.ts'
import { read } from '../corefile/read-corefile.ts'
import type { Query } from './query.ts'
import { seededRandom } from './random.ts'
import { failure, type Reply } from './reply.ts'
import { VirtualClock } from './virtual-clock.ts'

/** A question as `example.org. A`, asked over UDP from 10.0.0.7:40212 unless the rest says otherwise. */
export function query(question: string, rest: Partial<Query> = {}): Query {
  const [qname = '.', type = 'A'] = question.split(' ')
  return {
    id: 29008,
    question: { qname: name(qname), qtype: parseType(type)!, qclass: CLASS.IN },
    recursionDesired: true,
    authenticData: false,
    checkingDisabled: false,
    edns: undefined,
    transport: 'udp',
    client: { address: '10.0.0.7', port: 40212, family: 4 },
    local: { address: '10.96.0.10', port: 53, family: 4 },
    server: 'dns://:53',
    zone: '.',
    view: '',
    requestOctets: 41,
    replyMaxOctets: 512,
    receivedAtMs: 0,
    deadlineMs: 5000,
    budget: { lookupsLeft: 12 },
    metadata: new Map(),
    lookup: () => Promise.reject(new Error('this test looks nothing up')),
    ...rest,
  }
}

/** A record out of `www.example.org. 5 A 10.0.0.1`: A, AAAA, names, MX, SRV, TXT and an SOA with zeros. */
export function record(text: string): Rr {
  const [owner = '', ttl = '', type = '', ...data] = text.split(/\s+/)
  return {
    owner: name(owner),
    type: parseType(type)!,
    class: CLASS.IN,
    ttlSeconds: Number(ttl),
    rdata: rdata(type, data),
  }
}

function rdata(type: string, data: readonly string[]): Uint8Array {
  const [first = '', second = '', third = '', fourth = ''] = data
  switch (type) {
    case 'A':
    case 'AAAA':
      return parseIp(first)!.bytes
    case 'MX':
      return Uint8Array.of(0, Number(first), ...name(second))
    case 'SRV':
      return srvRdata(Number(first), Number(second), Number(third), name(fourth))
    case 'SOA':
      return soaRdata(name(first), name(second), [0, 0, 0, 0, 0])
    case 'TXT':
      return txtRdata(first)
    default:
      return name(first)
  }
}

/** The records in a short form: `A 10.0.0.1`, `CNAME b.org.`. */
export function shortForm(records: readonly Rr[]): string[] {
  return records.map(record => {
    const { type, rdata } = record
    if (type === TYPE.A || type === TYPE.AAAA) return `${typeName(type)} ${ipFromBytes(rdata).text}`
    if (type === TYPE.MX) return `MX ${formatName(rdata.subarray(2))}`
    if (type === TYPE.CNAME || type === TYPE.NS) return `${typeName(type)} ${formatName(targetOf(record))}`
    return typeName(type)
  })
}

/** A reply with these parts, NOERROR and empty otherwise. */
export const reply = (parts: Partial<Reply> = {}): Reply => ({ ...failure(0), ...parts })

/** What a thread logged and counted. */
export interface TestThread {
  readonly context: ServingContext
  readonly clock: VirtualClock
  readonly cookies: ServerCookies
  /** `[LEVEL] from: text`. */
  readonly lines: string[]
  /** `family{label=value}` and its value. */
  readonly counted: Map<string, number>
}

/** A serving thread of its own; `random` is 0 unless given. */
export function testThread(random: () => number = () => 0): TestThread {
  const clock = new VirtualClock()
  const lines: string[] = []
  const counted = new Map<string, number>()
  const log = recordingLog(lines)
  const meters = recordingMeters(counted)
  return {
    context: {
      clock,
      random,
      meters,
      log,
      tellOperator: ({ reason, text }) => lines.push(`${reason}: ${text}`),
      tables: new Map(),
      images: new Map(),
      ownAddresses: [],
      thread: 0,
      threads: 1,
      zones: ['.'],
      ownZones: [],
      addressOrder: 'given',
      handlers: [],
      udpMaxOctets: 1232,
    },
    clock,
    cookies: new ServerCookies(new Uint8Array(COOKIE_SECRET_OCTETS), clock),
    lines,
    counted,
  }
}

/** What a thread has for its roads. */
export const lasting = ({ cookies, clock }: TestThread, samples: Uint8Array[] = []): Lasting => ({
  cookies,
  room: new WaitingRoom(() => undefined),
  packets: new Packets(),
  sampler: samplerInto(samples, clock),
})

/** A sampler that looks at queries as a serving thread's does, into a list. */
export const samplerInto = (sent: Uint8Array[], clock: Clock = new VirtualClock()): Sampler => {
  const sampler: Sampler = new Sampler({
    clock,
    meters: recordingMeters(new Map()),
    random: seededRandom(1),
    send: octets => {
      sent.push(octets)
      sampler.acknowledge()
    },
  })
  return sampler
}

/** A log into a list. */
export function recordingLog(lines: string[]): ServingLog {
  const writer = new LineWriter()
  return {
    debug: true,
    isJson: false,
    write: (level, from, text) => {
      lines.push(from === '' ? `[${level}] ${text}` : `[${level}] ${from}: ${text}`)
    },
    line() {
      writer.begin(new Uint8Array(LINE_MAX_OCTETS), 0)
      return writer
    },
    endLine() {
      const end = writer.end()
      lines.push(`[INFO] ${Buffer.from(writer.octets.subarray(0, end - 1)).toString()}`)
    },
  }
}

/** Counters that add up in a map, keyed `family{label=value,…}`. */
export function recordingMeters(counted: Map<string, number>): Meters {
  const keyOf = (family: string, labels: Labels = {}): string => {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}=${value}`)
    return pairs.length === 0 ? family : `${family}{${pairs.join(',')}}`
  }
  const addTo = (key: string, n: number): void => {
    counted.set(key, (counted.get(key) ?? 0) + n)
  }
  return {
    counter: (family, labels) => ({ add: (n = 1) => addTo(keyOf(family, labels), n) }),
    gauge: (family, labels) => ({ set: value => counted.set(keyOf(family, labels), value) }),
    histogram: (family, labels) => ({ observe: () => addTo(keyOf(family, labels), 1) }),
  }
}

/** What a word made of the directives inside `. { TEXT }`, and its complaints without the file's name. */
export function parseWord<C>(
  word: Word<C>,
  text: string,
  block: Partial<BlockContext> = {},
): { readonly config: C | undefined; readonly complaints: readonly string[] } {
  const problems = new Problems()
  const directives = (read(`. {\n${text}\n}`).blocks[0]?.directives ?? []).filter(
    directive => directive.word.text === word.word,
  )
  const config = word.parse(directives, problems, {
    zones: ['.'],
    words: new Set([word.word]),
    directives: new Map(),
    directory: '.',
    env: {},
    ...block,
  })
  return {
    config,
    complaints: problems.list.map(problem => formatProblem(problem).slice('Corefile:'.length)),
  }
}
