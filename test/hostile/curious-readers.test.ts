// Anybody in the cluster can ask /ready?verbose and read the extended errors of replies. They say what is wrong, and are
// shown no secret: no value of the environment, no line of an imported file, nothing of a kubeconfig or of what gives credentials.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import t from 'tap'
import { makeAuthority } from '../support/certificates.ts'
import { query } from '../support/dns-client.ts'
import { extendedError } from '../support/extended-error.ts'
import { type FileText, serveCorefile } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { unharmed } from './one-block.ts'

const SECRET = 'hunter2-of-the-environment.example'
const withSecret = (command: readonly string[]): readonly string[] => ['env', `SECRET=${SECRET}`, ...command]

/** A user whose program ends with 1. */
const program = (script: string): string =>
  JSON.stringify({
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      interactiveMode: 'Never',
      command: '/bin/sh',
      args: ['-c', script],
    },
  })

const kubeconfig = (user: string): string =>
  `apiVersion: v1
kind: Config
current-context: a
contexts: [{ name: a, context: { cluster: a, user: a } }]
clusters: [{ name: a, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: a, user: ${user} }]
`

const corefile =
  (more: string): FileText =>
  ({ dns, ready, metrics }) =>
    `.:${dns} {
        bind 127.0.0.1
        ready 127.0.0.1:${ready}
        prometheus 127.0.0.1:${metrics}
        whoami
        ${more}
      }`

t.test('a Corefile that is refused', async t => {
  const files = { more: 'imported-hunter2\n' }
  const served = await serveCorefile(t, corefile(''), { wrap: withSecret, files })
  const { server, write, get } = served
  const cases: [what: string, more: string, shown: RegExp, log: RegExp][] = [
    ['a word of it', 'nonsense', /Corefile:6:9: error: .*nonsense/, /nonsense/],
    ['a variable', 'forward . {$SECRET}/', /Corefile:6:\d+: error: refused; the log says why/, /hunter2-of/],
    ['an import', 'import more', /more:1:1: error: refused; the log says why/, /imported-hunter2/],
  ]
  for (const [what, more, shown, log] of cases) {
    const before = server.output().length
    write(corefile(more))
    server.child.kill('SIGUSR1')
    await until(what, () => log.test(server.output().slice(before)))
    const verbose = await get('ready', '/ready?verbose')
    t.match(verbose, shown, what)
    t.notMatch(verbose, /hunter2/, what)
  }
  await unharmed(t, served)
})

t.test('a program that should give credentials for the API server fails', async t => {
  const served = await serveCorefile(
    t,
    corefile('kubernetes cluster.local {\n kubeconfig config\n startup_timeout 1ms\n}'),
    { files: { config: kubeconfig(program('echo hunter2 >&2; exit 1')) } },
  )
  await until('it is logged', () => /exit status 1: hunter2/.test(served.server.output()))
  const verbose = await served.get('ready', '/ready?verbose')
  t.match(verbose, /^503 kubernetes\n.*waiting for .*no credentials; the log says why/)
  t.notMatch(verbose, /hunter2/)
  await unharmed(t, served)
})

t.test('an extended error', async t => {
  const server = createServer(makeAuthority().issue('dns.example')).listen(0, '127.0.0.1')
  server.on('error', () => undefined).on('tlsClientError', () => undefined)
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const served = await serveCorefile(
    t,
    corefile(`forward . tls://127.0.0.1:${port} {\n tls_servername {$SECRET}\n}`),
    {
      wrap: withSecret,
    },
  )
  const reply = await query(served.port, { name: 'a.test', edns: true })
  t.match(extendedError(reply.edns), /^23 all upstreams failed: 127\.0\.0\.1/)
  t.notMatch(Buffer.from(reply.bytes).toString('latin1'), /hunter2/)
  await unharmed(t, served)
})
