import { hostname } from 'node:os'
import t from 'tap'
import type { TapConfig } from '../../../src/plugin/dnstap/config.ts'
import { dnstapWord } from '../../../src/plugin/dnstap/dnstap.ts'
import { VERSION } from '../../../src/shared/version.ts'
import { parseWord } from '../../support/words.ts'

const plain: TapConfig = {
  endpoint: { protocol: 'unix', path: '/tmp/dnstap.sock' },
  text: '/tmp/dnstap.sock',
  full: false,
  queue: 1,
  identity: hostname(),
  version: `Seamark-${VERSION}`,
  extra: '',
  skipVerify: false,
  types: ['CLIENT_QUERY', 'CLIENT_RESPONSE', 'FORWARDER_QUERY', 'FORWARDER_RESPONSE'],
}

t.test('the directive, as CoreDNS 1.14.7 takes it', async t => {
  const cases: [line: string, expected: Partial<TapConfig>][] = [
    ['dnstap /tmp/dnstap.sock', {}],
    ['dnstap /tmp/dnstap.sock full', { full: true }],
    ['dnstap /tmp/dnstap.sock full 1024 2048', { full: true, queue: 2048 }],
    ['dnstap /tmp/dnstap.sock half 1 4', { queue: 4 }],
    ['dnstap unix:///tmp/dnstap.sock', { text: 'unix:///tmp/dnstap.sock' }],
    [
      'dnstap tcp://example.com:6000 full',
      {
        text: 'tcp://example.com:6000',
        full: true,
        endpoint: { protocol: 'tcp', host: 'example.com', port: 6000 },
      },
    ],
    [
      'dnstap tls://[::1]:6000 {\nskipverify\n}',
      { text: 'tls://[::1]:6000', skipVerify: true, endpoint: { protocol: 'tls', host: '::1', port: 6000 } },
    ],
    [
      'dnstap /tmp/dnstap.sock {\nidentity a\nversion b\nextra "upstream: {/forward/upstream}"\n}',
      { identity: 'a', version: 'b', extra: 'upstream: {/forward/upstream}' },
    ],
    ['dnstap /tmp/dnstap.sock {\nmessage_types CLIENT_RESPONSE\n}', { types: ['CLIENT_RESPONSE'] }],
  ]
  for (const [line, expected] of cases) {
    const { config, complaints } = parseWord(dnstapWord, line)
    t.same(config?.taps, [{ ...plain, ...expected }], line)
    t.same(complaints, [], line)
  }
  t.equal(parseWord(dnstapWord, 'dnstap /a\ndnstap /b').config?.taps.length, 2)
})

t.test('what is wrong', async t => {
  const cases: [line: string, complaint: RegExp][] = [
    ['dnstap', /2:1: error: dnstap needs a socket/],
    ['dnstap tcp://example.com', /2:8: error: this is no socket/],
    ['dnstap tls://', /2:8: error: this is no socket/],
    [`dnstap /${'a'.repeat(107)}`, /2:8: error: this is no socket: a path of at most 107 octets/],
    ['dnstap unix://', /2:8: error: this is no socket/],
    ['dnstap listen tcp://127.0.0.1:6000', /2:8: error: dnstap listen is not offered/],
    ['dnstap listen /a {\ntls cert key\n}', /2:8: error: dnstap listen is not offered/],
    ['dnstap /a full 0', /2:16: error: the write buffer in MiB must be an integer from 1 to 1024/],
    ['dnstap /a full 1 4097', /2:18: error: the queue must be an integer from 1 to 4096/],
    ['dnstap /a full 1 1 1', /2:20: error: too many arguments/],
    ['dnstap /a {\nidentity\n}', /3:1: error: identity needs an identity/],
    ['dnstap /a {\nmessage_types\n}', /3:1: error: message_types needs a type/],
    ['dnstap /a {\nmessage_types CLIENT\n}', /3:15: error: this is not a type of message/],
    ['dnstap /a {\ntls a b\n}', /3:1: error: unknown property of dnstap/],
  ]
  for (const [line, complaint] of cases) {
    const { complaints } = parseWord(dnstapWord, line)
    t.match(complaints[0], complaint, line)
    t.equal(complaints.length, 1, line)
  }
})
