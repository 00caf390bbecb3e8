// The directive's text, and what it means; what is wrong is told at its word.

import t from 'tap'
import {
  defaultRule,
  type RuleConfig,
  type To,
  type UpstreamAddress,
} from '../../../src/plugin/forward/config.ts'
import { forwardWord } from '../../../src/plugin/forward/forward.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { parseWord } from '../../support/words.ts'

const authority = makeAuthority()
const own = authority.issue('client')
const directory = t.testdir({
  'resolv.conf': 'nameserver 10.0.0.2\nsearch example.org\n',
  'empty.conf': '# nothing yet\n',
  'ca.pem': authority.cert,
  'cert.pem': own.cert,
  'key.pem': own.key,
})
const parse = (text: string): ReturnType<typeof parseWord<{ readonly rules: readonly RuleConfig[] }>> =>
  parseWord(forwardWord, text, { directory })
const at = (address: string, port = 53, rest: Partial<To> = {}): To =>
  ({
    kind: 'address',
    protocol: 'dns',
    address,
    port,
    serverName: undefined,
    ...rest,
  }) as To
const tls = { protocol: 'tls' } as const
const https = { protocol: 'https' } as const

/** A host name that stands behind `forward .`. */
const host = (name: string, rest: Omit<UpstreamAddress, 'address'>): To => ({
  kind: 'host',
  host: name,
  at: { file: 'Corefile', line: 2, column: 11 },
  addresses: [],
  ...rest,
})

const tos: readonly [string, To][] = [
  ['10.0.0.1', at('10.0.0.1')],
  ['10.0.0.1:5353', at('10.0.0.1', 5353)],
  ['dns://10.0.0.1', at('10.0.0.1')],
  ['fd00::1', at('fd00::1')],
  ['[fd00::1]', at('fd00::1')],
  ['[fd00::1]:5353', at('fd00::1', 5353)],
  ['fe80::1%eth0', at('fe80::1%eth0')],
  ['[fe80::1%eth0]:5353', at('fe80::1%eth0', 5353)],
  ['tls://9.9.9.9', at('9.9.9.9', 853, tls)],
  ['tls://9.9.9.9:8853', at('9.9.9.9', 8853, tls)],
  ['tls://9.9.9.9%dns.quad9.net', at('9.9.9.9', 853, { ...tls, serverName: 'dns.quad9.net' })],
  ['tls://9.9.9.9%dns.quad9.net:8853', at('9.9.9.9', 8853, { ...tls, serverName: 'dns.quad9.net' })],
  [
    'tls://[2620:fe::fe%dns.quad9.net]:8853',
    at('2620:fe::fe', 8853, { ...tls, serverName: 'dns.quad9.net' }),
  ],
  ['tls://2620:fe::fe%dns.quad9.net', at('2620:fe::fe', 853, { ...tls, serverName: 'dns.quad9.net' })],
  ['TLS://9.9.9.9', at('9.9.9.9', 853, tls)],
  ['https://9.9.9.9', at('9.9.9.9', 443, https)],
  ['https://[fd00::1]:8443', at('fd00::1', 8443, https)],
  ['https://9.9.9.9%dns.quad9.net', at('9.9.9.9', 443, { ...https, serverName: 'dns.quad9.net' })],
  [
    'https://dns.example.org',
    host('dns.example.org', { protocol: 'https', port: 443, serverName: undefined }),
  ],
  [
    'resolv.conf',
    {
      kind: 'file',
      path: `${directory}/resolv.conf`,
      upstreams: [{ protocol: 'dns', address: '10.0.0.2', port: 53, serverName: undefined }],
    },
  ],
  ['ns.example.org', host('ns.example.org', { protocol: 'dns', port: 53, serverName: undefined })],
  ['ns.example.org:5353', host('ns.example.org', { protocol: 'dns', port: 5353, serverName: undefined })],
  [
    'tls://dns.example.org%other.org',
    host('dns.example.org', { ...tls, port: 853, serverName: 'other.org' }),
  ],
]

for (const [text, to] of tos) {
  t.test(`TO ${text}`, async t => {
    t.strictSame(parse(`forward . ${text}`), { config: { rules: [defaultRule('.', [to])] }, complaints: [] })
  })
}

const options: readonly [string, Partial<RuleConfig>][] = [
  ['', {}],
  ['except Example.org 10.0.0.0/8\nexcept x.org', { except: ['example.org.', '10.in-addr.arpa.', 'x.org.'] }],
  ['policy round_robin', { policy: 'round_robin' }],
  ['force_tcp\nprefer_udp', { forceTcp: true, preferUdp: true }],
  ['max_fails 0', { maxFails: 0 }],
  ['max_concurrent 1000', { concurrentMax: 1000 }],
  ['max_connect_attempts 0', { attemptsMax: 0 }],
  ['expire 1m\nmax_age 2m\nmax_idle_conns 3', { expireMs: 60_000, maxAgeMs: 120_000, idleConnectionsMax: 3 }],
  ['read_timeout 500ms', { readTimeoutMs: 500 }],
  ['health_check 1s', { healthCheck: { intervalMs: 1000, recursionDesired: true, domain: '.' } }],
  [
    'health_check 0s no_rec domain x.org',
    { healthCheck: { intervalMs: 50, recursionDesired: false, domain: 'x.org' } },
  ],
  ['failover SERVFAIL refused', { failover: [2, 5] }],
  ['next NXDOMAIN noerror\nnext SERVFAIL', { next: [3, 0, 2] }],
  ['next_on_nodata\nfailfast_all_unhealthy_upstreams', { nextOnNodata: true, failfast: true }],
  ['source_address 127.0.0.9', { sourceAddress: '127.0.0.9' }],
  [
    'resolver 10.0.0.1 10.0.0.2:5353 [fd00::1]:53',
    { resolvers: ['10.0.0.1', '10.0.0.2:5353', '[fd00::1]:53'] },
  ],
  ['tls', { tls: { cert: undefined, key: undefined, ca: undefined } }],
  ['tls ca.pem', { tls: { cert: undefined, key: undefined, ca: authority.cert } }],
  ['tls cert.pem key.pem', { tls: { cert: own.cert, key: own.key, ca: undefined } }],
  ['tls cert.pem key.pem ca.pem', { tls: { cert: own.cert, key: own.key, ca: authority.cert } }],
  ['doh_method GET', { dohMethod: 'GET' }],
]

for (const [text, parts] of options) {
  t.test(text || 'no option', async t => {
    const { config, complaints } = parse(`forward . 10.0.0.1 {\n${text}\n}`)
    t.strictSame(complaints, [])
    t.strictSame(config, { rules: [{ ...defaultRule('.', [at('10.0.0.1')]), ...parts }] })
    t.strictSame(structuredClone(config), config)
  })
}

const wrong: readonly [string, RegExp | string][] = [
  ['forward', /^2:1: error: forward needs the names to forward/],
  ['forward .', /^2:1: error: forward needs an upstream/],
  ['forward exa..mple 10.0.0.1', /^2:9: error: .*empty label/],
  ['forward . https://10.0.0.1/dns-query', /^2:11: error: the path is always \/dns-query and not written/],
  [
    'forward . https://9.9.9.9%a.org {\ntls_servername b.org\n}',
    /^2:11: error: the server name is given both/,
  ],
  ['forward . grpc://10.0.0.1', /^2:11: error: upstreams over grpc are not offered/],
  ['forward . 10.0.0.1:99999', /^2:11: error: the port must be/],
  ['forward . 10.0.0.300', /^2:11: error: this is not an IP address, a file or a host name/],
  ['forward . /no/such/file', /^2:11: error: cannot read this file: ENOENT/],
  ['forward . "a b"', /^2:11: error: this is not an IP address, a file or a host name/],
  ['forward . tls://', /^2:11: error: this is not an upstream/],
  ['forward . empty.conf', /^2:1: error: no nameserver in any of the files/m],
  [
    `forward . ${Array.from({ length: 16 }, (_, i) => `10.0.0.${i}`).join(' ')}`,
    /error: more than 15 upstreams.*10\.0\.0\.15/,
  ],
  ['forward . tls://9.9.9.9%a.org {\ntls_servername b.org\n}', /^2:11: error: the server name is given both/],
  ['forward . 10.0.0.1 {\nmax_age 5s\n}', /^2:1: error: max_age .* must not be less than expire/],
  ['forward . 10.0.0.1 {\npolicy fastest\n}', /^3:8: error: .*allowed: random, round_robin, sequential/],
  ['forward . 10.0.0.1 {\nexcept\n}', /^3:1: error: except needs a name/],
  ['forward . 10.0.0.1 {\nforce_tcp yes\n}', /^3:11: error: force_tcp takes no arguments/],
  ['forward . 10.0.0.1 {\nmax_fails -1\n}', /^3:11: error: .*an integer from 0/],
  ['forward . 10.0.0.1 {\nread_timeout 0s\n}', /^3:14: error: the time to answer must be at least/],
  [
    'forward . 10.0.0.1 {\nhealth_check 1s norec\n}',
    /^3:17: error: .*allowed: no_rec, domain.*did you mean "no_rec"/,
  ],
  ['forward . 10.0.0.1 {\nhealth_check 1s domain a..b\n}', /^3:24: error: this is not a domain name/],
  ['forward . 10.0.0.1 {\nhealth_check 1s domain\n}', /^3:1: error: health_check needs a name/],
  ['forward . 10.0.0.1 {\nfailover NOERROR\n}', /^3:10: error: this is not a response code for failover/],
  ['forward . 10.0.0.1 {\nnext NXDOMAN\n}', /^3:6: error: .*did you mean "NXDOMAIN"/],
  ['forward . 10.0.0.1 {\ntls a b c d\n}', /^3:11: error: tls takes at most/],
  ['forward . 10.0.0.1 {\ntls no.pem\n}', /^3:5: error: cannot read this file/],
  [
    'forward . 10.0.0.1 {\ntls cert.pem ca.pem\n}',
    /^3:1: error: the files do not hold a certificate and its key/,
  ],
  ['forward . 10.0.0.1 {\nsource_address here\n}', /^3:16: error: .*is not an IP address/],
  [
    'forward . 10.0.0.1 {\nresolver here\n}',
    /^3:10: error: this is not an IP address with or without a port/,
  ],
  ['forward . 10.0.0.1 {\ndoh_method PUT\n}', /^3:12: error: .*allowed: POST, GET/],
  [
    'forward . 10.0.0.1 {\nmax_concurent 5\n}',
    /^3:1: error: unknown property of forward .*did you mean "max_concurrent"/,
  ],
]

for (const [text, complaint] of wrong) {
  t.test(text.replaceAll('\n', ' '), async t => {
    const { complaints } = parse(text)
    t.match(complaints.join('\n'), complaint)
  })
}

t.test('all mistakes are told at once', async t => {
  const { config, complaints } = parse('forward . 10.0.0.1:0 grpc://x {\npolicy x\nmax_fails y\n}\nforward')
  t.equal(config, undefined)
  t.equal(complaints.length, 6)
})

t.test('warnings', async t => {
  t.match(parse('forward 10.0.0.0/12 10.0.0.1').complaints, [/warning: this network covers 16 reverse zones/])
  const { config, complaints } = parse('forward . empty.conf 10.0.0.1')
  t.match(complaints, [/^2:11: warning: no nameserver in this file yet/])
  t.equal(config?.rules[0]?.to.length, 2)
})

t.test('several directives', async t => {
  const { config } = parse('forward b.org 10.0.0.2\nforward a.org 10.0.0.1\nforward . 10.0.0.3')
  t.strictSame(
    config?.rules.map(({ from }) => from),
    ['b.org.', 'a.org.', '.'],
  )
})
