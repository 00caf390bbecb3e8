// The directive's text and the files it names; what certificates do is judged in test/listen.

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type TlsConfig, tlsWord } from '../../src/plugin/tls.ts'
import { makeAuthority } from '../support/certificates.ts'
import { parseWord } from '../support/words.ts'

const authority = makeAuthority()
const server = authority.issue('dns')
const FILES = {
  'cert.pem': server.cert,
  'key.pem': server.key,
  'other.pem': authority.issue('other').key,
  'ca.pem': authority.cert,
  'empty.pem': '',
  'garbage.pem': 'garbage',
}

t.test('files and options', async t => {
  const directory = t.testdir(FILES)
  const file = (name: keyof typeof FILES): TlsConfig['cert'] => ({
    text: FILES[name],
    path: join(directory, name),
  })
  const plain: TlsConfig = {
    cert: file('cert.pem'),
    key: file('key.pem'),
    ca: undefined,
    clientAuth: 'nocert',
    keylog: undefined,
  }
  const cases: [text: string, config: TlsConfig][] = [
    ['tls cert.pem key.pem', plain],
    [`tls ${directory}/cert.pem ${directory}/key.pem`, plain],
    ['tls cert.pem key.pem ca.pem', { ...plain, ca: file('ca.pem') }],
    ['tls cert.pem key.pem {\nclient_auth request\n}', { ...plain, clientAuth: 'request' }],
    [
      'tls cert.pem key.pem ca.pem {\nclient_auth require_and_verify\n}',
      { ...plain, ca: file('ca.pem'), clientAuth: 'require_and_verify' },
    ],
  ]
  for (const [text, config] of cases) {
    t.strictSame(parseWord(tlsWord, text, { directory }), { config, complaints: [] }, text)
  }
})

t.test('keylog', async t => {
  const directory = t.testdir(FILES)
  const { config, complaints } = parseWord(tlsWord, 'tls cert.pem key.pem {\nkeylog keys\n}', { directory })
  const path = join(directory, 'keys')
  t.equal(config?.keylog, path)
  t.ok(existsSync(path), 'it can be written')
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.match(complaints, [/^3:8: warning: whoever reads this file can read all encrypted queries/])
  const missing = parseWord(tlsWord, 'tls cert.pem key.pem {\nkeylog no/keys\n}', { directory })
  t.match(missing.complaints, [/^3:8: error: cannot write this file: ENOENT/])
})

t.test('mistakes', async t => {
  const directory = t.testdir(FILES)
  const unusable = 'the files do not hold a certificate and its key'
  const cases: [text: string, complaint: RegExp][] = [
    ['tls', /^2:1: error: certificates by ACME are not offered: write the files of a Secret/],
    ['tls {\nacme dns.example.org\n}', /^2:1: error: certificates by ACME are not offered/],
    ['tls cert.pem', /^2:1: error: tls needs its key/],
    ['tls cert.pem key.pem ca.pem ca.pem', /^2:29: error: too many arguments for tls/],
    ['tls none.pem key.pem', /^2:5: error: cannot read this file: ENOENT/],
    ['tls cert.pem none.pem', /^2:14: error: cannot read this file: ENOENT/],
    ['tls cert.pem key.pem none.pem', /^2:22: error: cannot read this file: ENOENT/],
    ['tls cert.pem other.pem', new RegExp(`^2:1: error: ${unusable}: the key is another certificate's`)],
    ['tls key.pem cert.pem', new RegExp(`^2:1: error: ${unusable}`)],
    ['tls empty.pem key.pem', new RegExp(`^2:1: error: ${unusable}`)],
    ['tls cert.pem empty.pem', new RegExp(`^2:1: error: ${unusable}`)],
    ['tls cert.pem key.pem garbage.pem', new RegExp(`^2:1: error: ${unusable}`)],
    ['tls cert.pem key.pem {\nclient_auth maybe\n}', /^3:13: error: this is not a way to treat clients \(found "maybe"; allowed: nocert, request, require, verify_if_given, require_and_verify/],
    ['tls cert.pem key.pem {\nmin_version 1.3\n}', /^3:1: error: unknown property of tls \(found "min_version"; allowed: client_auth, keylog/],
    ['tls cert.pem key.pem ca.pem\ntls cert.pem key.pem', /^2:1: warning: only the last tls of a server block counts, as in CoreDNS: that at Corefile:3:1/],
  ] // biome-ignore format: a table
  for (const [text, complaint] of cases) {
    const { complaints } = parseWord(tlsWord, text, { directory })
    t.equal(complaints.length, 1, text)
    t.match(complaints[0], complaint, text)
  }
})
