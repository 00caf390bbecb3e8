import t from 'tap'
import { LINE_MAX_OCTETS, LineWriter } from '../../../src/observe/log-line.ts'
import {
  COMBINED_FORMAT,
  COMMON_FORMAT,
  compileFormat,
  expandFormat,
} from '../../../src/plugin/log/format.ts'
import type { Query } from '../../support/query.ts'
import { DROP, type Outcome } from '../../support/reply.ts'
import { onRoad } from '../../support/road.ts'
import { query, record, reply } from '../../support/words.ts'

/** One query with what became of it. */
interface LogEntry {
  readonly query: Query
  readonly outcome: Outcome
  readonly durationMs: number
}

/** What the format makes of it. */
async function written(format: string, { query, outcome, durationMs }: LogEntry): Promise<string> {
  const { write } = compileFormat(format)
  const line = new LineWriter()
  line.begin(new Uint8Array(LINE_MAX_OCTETS), 0)
  await onRoad(
    query,
    packet => write(line, packet, durationMs, 'NODATA'),
    () => outcome,
  )
  return Buffer.from(line.octets.subarray(0, line.at)).toString()
}

const entry: LogEntry = {
  query: query('Example.ORG. A', {
    metadata: new Map([
      ['kubernetes/client-namespace', 'default'],
      ['empty', ''],
    ]),
  }),
  outcome: reply({ recursionAvailable: true, answer: [record('example.org. 30 A 10.0.0.1')] }),
  durationMs: 37.990251,
}
const v6: LogEntry = {
  query: query('a\\.b.example. AAAA', {
    client: { address: '::1', port: 50759, family: 6 },
    local: { address: 'fd00::a', port: 53, family: 6 },
    transport: 'tcp',
    recursionDesired: false,
    checkingDisabled: true,
    edns: { payloadSize: 1232, dnssecOk: true, options: [] },
  }),
  outcome: reply({ rcode: 3, authoritative: true, truncated: true, authenticData: true }),
  durationMs: 0.5,
}
const dropped: LogEntry = { ...entry, outcome: DROP, durationMs: 0 }
const tls: LogEntry = { ...entry, query: query('. TYPE300', { transport: 'tls' }) }
const small: LogEntry = {
  ...entry,
  query: query('. NS', { edns: { payloadSize: 100, dnssecOk: false, options: [] } }),
  outcome: reply({ rcode: 14 }),
}
const from = (address: string): LogEntry => ({
  ...entry,
  query: query('. NS', { client: { address, port: 1, family: address.includes(':') ? 6 : 4 } }),
})
const after = (durationMs: number): LogEntry => ({ ...entry, durationMs })

// CoreDNS plugin/pkg/replacer, each placeholder with the text it writes.
const cases: [format: string, entry: LogEntry, text: string][] = [
  ['{type}', entry, 'A'],
  ['{type}', tls, 'TYPE300'],
  ['{name}', entry, 'example.org.'],
  ['{name}', v6, 'a\\.b.example.'],
  ['{class}', entry, 'IN'],
  ['{proto}', entry, 'udp'],
  ['{proto}', v6, 'tcp'],
  ['{proto}', tls, 'tcp'],
  ['{size}', entry, '41'],
  ['{remote}', entry, '10.0.0.7'],
  ['{remote}', v6, '[::1]'],
  ['{remote}', from('255.100.9.0'), '255.100.9.0'],
  ['{remote}', from('::'), '[::]'],
  ['{remote}', from('fd00:0:0:1::'), '[fd00:0:0:1::]'],
  ['{remote}', from('2001:db8:0:ffff:abc:12:0:1'), '[2001:db8:0:ffff:abc:12:0:1]'],
  ['{remote}', from('2001:db8::ffff:0:0:1'), '[2001:db8::ffff:0:0:1]'],
  ['{remote}', from('fe80::1%7'), '[fe80::1%7]'],
  ['{local}', entry, '10.96.0.10'],
  ['{local}', v6, '[fd00::a]'],
  ['{port}', v6, '50759'],
  ['{>id}', entry, '29008'],
  ['{>opcode}', entry, '0'],
  ['{>do}', entry, 'false'],
  ['{>do}', v6, 'true'],
  ['{>bufsize}', entry, '512'],
  ['{>bufsize}', v6, '65535'],
  ['{>bufsize}', small, '512'],
  ['{rcode}', entry, 'NOERROR'],
  ['{rcode}', v6, 'NXDOMAIN'],
  ['{rcode}', small, '14'],
  ['{rcode}', dropped, '-'],
  ['{>rflags}', entry, 'qr,rd,ra'],
  ['{>rflags}', v6, 'qr,aa,tc,ad,cd'],
  ['{>rflags}', dropped, '-'],
  ['{rsize}', entry, '56'],
  ['{rsize}', dropped, '0'],
  ['{duration}', entry, '0.037990251s'],
  ['{duration}', v6, '0.0005s'],
  ['{duration}', dropped, '0s'],
  ['{duration}', after(5000), '5s'],
  ['{duration}', after(0.0001), '0.0000001s'],
  ['{duration}', after(61_234.5), '61.2345s'],
  ['{/kubernetes/client-namespace}', entry, 'default'],
  ['{/empty}', entry, ''],
  ['{/nobody/set}', entry, '-'],
  ['{/log/type} {/log/class}', entry, 'NODATA denial'],
  ['', entry, ''],
  ['text', entry, 'text'],
  ['a\n{type}\r', entry, 'a\\nA\\u000d'],
  ['{ {type} }', entry, '{ A }'],
  ['a } {type}', entry, 'a } A'],
  ['{type}{type}', entry, 'AA'],
  ['{nothing} {>nothing} {type', entry, '{nothing} {>nothing} {type'],
  ['{TYPE}', entry, '{TYPE}'],
  [
    COMMON_FORMAT,
    entry,
    '10.0.0.7:40212 - 29008 "A IN example.org. udp 41 false 512" NOERROR qr,rd,ra 56 0.037990251s',
  ],
  [
    COMBINED_FORMAT,
    v6,
    '[::1]:50759 - 29008 "AAAA IN a\\.b.example. tcp 41 true 65535" NXDOMAIN qr,aa,tc,ad,cd 29 0.0005s "0"',
  ],
]

t.test('every placeholder', async t => {
  for (const [format, entry, text] of cases) {
    t.equal(await written(format, entry), text, format === '' ? 'an empty format' : format)
  }
})

t.test('the named formats', async t => {
  t.equal(expandFormat('> {common} <'), `> ${COMMON_FORMAT} <`)
  t.equal(expandFormat('{combined}{combined}'), `${COMBINED_FORMAT}${COMBINED_FORMAT}`)
  t.equal(expandFormat('{type}'), '{type}')
})
