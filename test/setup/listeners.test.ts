// The listeners of a Corefile's blocks: schemes, ports, and what blocks of one listener say of it.

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { formatProblem, Problems } from '../../src/corefile/problem.ts'
import { buildSetup } from '../../src/setup/build.ts'
import type { Setup } from '../../src/setup/setup.ts'
import { read } from '../corefile/read-corefile.ts'
import { makeAuthority } from '../support/certificates.ts'

const authority = makeAuthority()
const [one, two] = [authority.issue('one'), authority.issue('two')]

function setupOf(t: Test, text: string): { setup: Setup; complaints: string[] } {
  const folder = t.testdir({ 'c1.pem': one.cert, 'k1.pem': one.key, 'c2.pem': two.cert, 'k2.pem': two.key })
  const problems = new Problems()
  const setup = buildSetup(read(text), problems, { port: 1053, file: join(folder, 'Corefile'), env: {} })
  return { setup, complaints: problems.list.map(problem => formatProblem(problem).slice('Corefile:'.length)) }
}

const TLS1 = 'tls c1.pem k1.pem'
const TLS2 = 'tls c2.pem k2.pem'

t.test('schemes', async t => {
  const { setup, complaints } = setupOf(
    t,
    `. tls://. https://. {\n bind 127.0.0.1\n ${TLS1}\n https {\n max_connections 7\n }\n timeouts {\n idle 20s\n }\n whoami\n}`,
  )
  t.same(complaints, [])
  const common = { zones: [{ zone: '.', block: 0 }], timeouts: { idleTimeoutMs: 20_000 } }
  t.match(setup.listens, [
    { ...common, server: 'dns://127.0.0.1:1053', scheme: 'dns', port: 1053 },
    { ...common, server: 'tls://127.0.0.1:853', scheme: 'tls', port: 853, tls: { cert: { text: one.cert } } },
    { ...common, server: 'https://127.0.0.1:443', scheme: 'https', port: 443, connectionsMax: 7 },
  ])
  t.same([setup.listens[0]?.tls, setup.listens[0]?.connectionsMax], [undefined, undefined])
  t.same(structuredClone(setup.listens), setup.listens, 'plain data')
})

t.test('schemes that are not offered', async t => {
  for (const [scheme, instead] of [
    ['quic', 'serve tls:// or https://'],
    ['grpc', 'serve tls:// or https://'],
    ['https3', 'serve https://'],
  ]) {
    const { complaints } = setupOf(t, `${scheme}://example.org {\n ${TLS1}\n whoami\n}`)
    t.match(
      complaints[0],
      `1:1: error: ${scheme}:// is not offered: ${instead} (found "${scheme}://example.org"`,
    )
  }
})

t.test('blocks of one listener', async t => {
  const idle = (time: string): string => `timeouts {\n idle ${time}\n }`
  const blocks = (...bodies: string[]): string =>
    bodies.map((body, i) => `tls://z${i}.org {\n ${body}\n}`).join('\n')
  const cases: [title: string, text: string, complaints: RegExp[]][] = [
    ['one has a certificate', blocks(TLS1, 'whoami'), []],
    ['both have the same', blocks(TLS1, TLS1), []],
    ['two certificates', blocks(TLS1, TLS2), [/^5:2: error: tls:\/\/:853 has one tls for all its blocks, and Corefile:2:2 says otherwise/]],
    ['two ways to treat clients', blocks(TLS1, `${TLS1} {\n client_auth request\n }`), [/^5:2: error: tls:\/\/:853 has one tls /]],
    ['none has a certificate', blocks('whoami', 'whoami'), [/^1:1: warning: tls:\/\/ without a tls directive is not encrypted/]],
    ['two idle times', blocks(`${TLS1}\n ${idle('5s')}`, idle('6s')), [/^8:2: error: tls:\/\/:853 has one timeouts for all its blocks, and Corefile:3:2 says otherwise/]],
    ['the same idle time', blocks(`${TLS1}\n ${idle('5s')}`, idle('5s')), []],
    ['different ones of different listeners', `. {\n ${idle('5s')}\n}\n.:54 {\n ${idle('6s')}\n}`, []],
    ['a certificate that nobody sees', `. {\n ${TLS1}\n whoami\n}`, [/^2:2: warning: tls means nothing here: no key of this block begins with tls:\/\/ or https:\/\//]],
    ['bounds of HTTPS that nobody meets', `tls://. {\n ${TLS1}\n https\n}`, [/^3:2: warning: https means nothing here/]],
    ['a port with two schemes', `. {\n}\ntls://.:1053 {\n ${TLS1}\n}`, [/^3:1: error: port 1053 speaks dns:\/\/ already, for Corefile:1:1/]],
    ['a port with two schemes, on two addresses', `. {\n bind 127.0.0.1\n}\ntls://.:1053 {\n bind 127.0.0.2\n ${TLS1}\n}`, []],
  ] // biome-ignore format: a table
  for (const [title, text, expected] of cases) {
    const { complaints } = setupOf(t, text)
    t.equal(complaints.length, expected.length, `${title}: ${complaints.join('\n')}`)
    t.match(complaints, expected, title)
  }
  const { setup } = setupOf(t, blocks(`${TLS1}\n ${idle('5s')}`, 'timeouts {\n read 7s\n }'))
  t.same(setup.listens[0]?.timeouts, { firstReadTimeoutMs: 7000, idleTimeoutMs: 5000 }, 'they add up')
})
