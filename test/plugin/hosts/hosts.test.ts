// How `hosts` is written.

import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { HostsConfig } from '../../../src/plugin/hosts/config.ts'
import { hostsWord } from '../../../src/plugin/hosts/hosts.ts'
import { FILE_MAX_OCTETS } from '../../../src/plugin/hosts/load.ts'
import { parseWord } from '../../support/words.ts'

const DEFAULTS: Omit<HostsConfig, 'loaded'> = {
  file: '/etc/hosts',
  zones: ['.'],
  inline: [],
  ttlSeconds: 3600,
  reverse: true,
  reloadMs: 5000,
  fallthrough: [],
  fallthroughUnsupported: false,
}

const manyNames = (count: number): string => Array.from({ length: count }, (_, i) => `n${i}`).join(' ')

t.test('options', async t => {
  const directory = t.testdir({ names: '' })
  const file = join(directory, 'names')
  const cases: [text: string, config: Partial<HostsConfig>][] = [
    ['hosts', {}],
    ['hosts names', { file }],
    [`hosts ${file} Example.ORG 10.0.0.0/8`, { file, zones: ['example.org.', '10.in-addr.arpa.'] }],
    ['hosts {\nttl 60\nreload 15s\nfallthrough\n}', { ttlSeconds: 60, reloadMs: 15_000, fallthrough: ['.'] }],
    ['hosts {\nttl 65535\nreload 0s\nno_reverse\n}', { ttlSeconds: 65_535, reloadMs: 0, reverse: false }],
    ['hosts {\nreload 1ms\nttl 1\n}', { reloadMs: 100, ttlSeconds: 1 }],
    [
      'hosts {\n10.0.0.1 a.example   B.example\nfe80::1%eth0 *.c.example\nfallthrough example.org\nttl 9\n}',
      {
        inline: ['10.0.0.1 a.example B.example', 'fe80::1%eth0 *.c.example'],
        fallthrough: ['example.org.'],
        ttlSeconds: 9,
      },
    ],
    [
      'hosts {\nfallthrough_unsupported\nfallthrough\n}',
      { fallthroughUnsupported: true, fallthrough: ['.'] },
    ],
  ]
  for (const [text, config] of cases) {
    const result = parseWord(hostsWord, text, { directory })
    t.same(result.complaints, [], text)
    const { loaded, ...read } = result.config!
    t.strictSame(read, { ...DEFAULTS, ...config }, text)
    t.ok(loaded.image.byteLength > 0)
    t.strictSame(structuredClone(read), read, 'plain data')
  }
})

t.test('mistakes', async t => {
  const directory = t.testdir({ names: '', folder: {}, many: `10.0.0.1 ${manyNames(1_000_001)}`, large: '' })
  truncateSync(join(directory, 'large'), FILE_MAX_OCTETS + 1)
  const cases: [text: string, complaint: RegExp][] = [
    ['hosts\nhosts', /^3:1: error: hosts is given twice/],
    ['hosts gone', /^2:7: warning: the hosts file \S+gone does not exist \(found "gone"\)/],
    ['hosts folder', /^2:7: warning: the hosts file \S+folder is not a file/],
    ['hosts names {\nttl 0\n}', /^3:5: error: the TTL in seconds must be an integer from 1 to 65535/],
    ['hosts {\nttl 65536\n}', /^3:5: error: the TTL/],
    ['hosts {\nttl\n}', /^3:1: error: ttl needs the TTL in seconds/],
    ['hosts {\nreload -1s\n}', /^3:8: error: the time between two looks at the file must be at least/],
    ['hosts {\nreload 5\n}', /^3:8: error: the time between two looks at the file must be a duration/],
    ['hosts {\nno_reverse yes\n}', /^3:12: error: no_reverse takes no arguments/],
    ['hosts {\nfallthrough_unsupported\n}', /^2:1: error: fallthrough_unsupported needs fallthrough/],
    [
      'hosts {\nfallthrough\n10.0.0.1 a.example\n}',
      /^4:1: error: lines of addresses must stand before fallthrough/,
    ],
    [
      'hosts {\nfallthrough\nttt 5\n}',
      /^4:1: error: unknown property of hosts \(found "ttt"; allowed: fallthrough, .*did you mean "ttl"/,
    ],
    [
      'hosts {\nfalltrough\n}',
      /^3:1: warning: neither an option of hosts nor an address: does nothing .*did you mean "fallthrough"/,
    ],
    ['hosts {\n10.0.0.1\n}', /^3:1: warning: an address without names does nothing/],
    ['hosts {\n10.0.0.1 a..example\n}', /^3:10: warning: this is no domain name/],
    [
      'hosts /etc/hosts example.org {\n10.0.0.1 a.example.net\n}',
      /^3:10: warning: this name is in no zone of hosts/,
    ],
    ['hosts {\n10.0.0.1 a.example {\nx\n}\n}', /^3:1: error: 10\.0\.0\.1 takes no block/],
  ]
  cases.push(
    ['hosts large', /^2:7: error: the hosts file \S+large has 67108865 octets, more than 67108864/],
    ['hosts many', /^2:7: error: the hosts file \S+many has more than 1000000 entries/],
  )
  for (const [text, complaint] of cases) {
    const { complaints } = parseWord(hostsWord, text, { directory })
    t.equal(complaints.length, 1, `${text.slice(0, 99)}: ${complaints.join(' / ')}`)
    t.match(complaints[0], complaint)
  }
})
