import t from 'tap'
import {
  COMBINED_FORMAT,
  COMMON_FORMAT,
  compileFormat,
  expandFormat,
  type LogEntry,
} from '../../../src/plugin/log/format.ts'
import { DROP } from '../../../src/query/reply.ts'
import { query, record, reply } from '../../support/serving.ts'

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
  ['{/kubernetes/client-namespace}', entry, 'default'],
  ['{/empty}', entry, ''],
  ['{/nobody/set}', entry, '-'],
  ['', entry, ''],
  ['text', entry, 'text'],
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
    t.equal(compileFormat(format)(entry), text, format === '' ? 'an empty format' : format)
  }
})

t.test('the named formats', async t => {
  t.equal(expandFormat('> {common} <'), `> ${COMMON_FORMAT} <`)
  t.equal(expandFormat('{combined}{combined}'), `${COMBINED_FORMAT}${COMBINED_FORMAT}`)
  t.equal(expandFormat('{type}'), '{type}')
})
