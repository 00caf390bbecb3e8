// One address and port at work: what its scheme opens, what a reload changes of it, certificates that are rotated, and the
// bound of connections over HTTPS.

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Responder } from '../../src/listen/responder.ts'
import { StreamMemory } from '../../src/listen/stream-memory.ts'
import { FILES_INTERVAL_MS } from '../../src/listen/tls-files.ts'
import { Site, type SiteContext } from '../../src/serving/address.ts'
import { SwitchResponder } from '../../src/serving/switch.ts'
import { readConfiguration } from '../../src/setup/configuration.ts'
import type { ListenSetup } from '../../src/setup/setup.ts'
import { ask, Counts, echo, FakeResponder } from '../listen/fake-responder.ts'
import { makeAuthority } from '../support/certificates.ts'
import { exchangeUdp, TcpClient } from '../support/dns-client.ts'
import { dialTls, exchangeHttps, exchangeTls } from '../support/encrypted-client.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { testThread } from '../support/words.ts'

const authority = makeAuthority()

interface Bench {
  readonly context: SiteContext
  readonly thread: ReturnType<typeof testThread>
  readonly counts: Counts
  readonly responder: Responder
}

function bench(rest: Partial<SiteContext> = {}): Bench {
  const thread = testThread()
  const counts = new Counts()
  const { clock, log, meters } = thread.context
  const context: SiteContext = {
    clock,
    log,
    meters,
    count: counts.count,
    memory: new StreamMemory(2 ** 26, counts.count),
    ticketSecret: Buffer.alloc(32),
    thread: 0,
    threads: 1,
    passed: [],
    ...rest,
  }
  return { context, thread, counts, responder: new FakeResponder() }
}

/** The first listener of a Corefile's block. */
function listenOf(folder: string, key: string, body: string): ListenSetup {
  const text = `${key} {\n  bind 127.0.0.1\n${body}\n}\n`
  const { setup, problems } = readConfiguration({ file: join(folder, 'Corefile'), text, port: 53 })
  if (!setup.listens[0] || problems.some(({ severity }) => severity === 'error'))
    throw new Error(JSON.stringify(problems))
  return setup.listens[0]
}

function certificates(t: Test): string {
  const { cert, key } = authority.issue('one')
  return t.testdir({ 'tls.crt': cert, 'tls.key': key })
}

async function open(t: Test, listen: ListenSetup, { context, responder }: Bench): Promise<Site> {
  const site = await Site.open(listen, new SwitchResponder(responder), context)
  if (typeof site === 'string') throw new Error(site)
  t.teardown(() => site.close())
  return site
}

const TLS = 'tls tls.crt tls.key'
const nameAt = async (port: number): Promise<string> => {
  const socket = await dialTls(port, 'dot', { ca: authority.cert, host: 'localhost' })
  const name = `${socket.getPeerCertificate().subject.CN}`
  socket.destroy()
  return name
}

t.test('what a scheme opens', async t => {
  const folder = certificates(t)
  for (const [scheme, kinds] of [
    ['dns', [/^udp-/, 'tcp']],
    ['tls', ['tls']],
    ['https', ['https']],
  ] as const) {
    const port = await freePort()
    const site = await open(
      t,
      listenOf(folder, `${scheme}://.:${port}`, scheme === 'dns' ? '' : TLS),
      bench(),
    )
    t.match(
      site.listeners.map(({ kind }) => kind),
      kinds,
      scheme,
    )
    t.equal(site.listeners.length, kinds.length)
    if (scheme !== 'dns')
      await t.rejects(exchangeUdp(port, ask('web'), { timeoutMs: 500 }), { code: 'refused' })
  }
})

t.test('a port in use', async t => {
  const folder = certificates(t)
  const port = await freePort()
  const listen = listenOf(folder, `tls://.:${port}`, TLS)
  const other = { ...listenOf(folder, `https://.:${port}`, TLS), address: '192.0.2.1' }
  await open(t, listen, bench())
  const { context, responder } = bench()
  t.equal(
    await Site.open(other, new SwitchResponder(responder), context),
    `listening on 192.0.2.1:${port} over HTTPS: this machine has no such address (EADDRNOTAVAIL), which ${other.place} asks for`,
  )
})

t.test('a certificate that is rotated', async t => {
  const folder = certificates(t)
  const port = await freePort()
  const parts = bench()
  const { thread, counts } = parts
  await open(t, listenOf(folder, `tls://.:${port}`, `${TLS}\ntimeouts {\nidle 1h\n}`), parts)
  const before = TcpClient.over(await dialTls(port, 'dot'), 'the first connection')
  t.teardown(() => before.destroy())
  before.send(ask('web'))
  await before.receive()
  t.equal(await nameAt(port), 'one')
  const { cert, key } = authority.issue('two')
  writeFileSync(join(folder, 'tls.crt'), cert)
  thread.clock.advance(FILES_INTERVAL_MS)
  await until('looked', () => counts.of('tls-files-unusable') === 1)
  t.match(
    thread.lines.at(-1),
    /^\[WARNING\] plugin\/tls: \S*tls\.crt or what belongs to it cannot be used: the key is another certificate's; tls:\/\/\S+ keeps the former$/,
  )
  t.equal(await nameAt(port), 'one')
  writeFileSync(join(folder, 'tls.key'), key)
  thread.clock.advance(FILES_INTERVAL_MS)
  await until('taken', () => counts.of('tls-files-changed') === 1)
  t.match(
    thread.lines.at(-1),
    /^\[INFO\] plugin\/tls: \S*tls\.crt has changed: new connections to tls:\/\/\S+ get it$/,
  )
  t.equal(await nameAt(port), 'two')
  before.send(ask('web'))
  t.same(await before.receive(), echo(ask('web')), 'connections go on')
})

t.test('only the first thread tells', async t => {
  const folder = certificates(t)
  const port = await freePort()
  const parts = bench({ thread: 1, threads: 2 })
  await open(t, listenOf(folder, `tls://.:${port}`, TLS), parts)
  writeFileSync(join(folder, 'tls.key'), '')
  parts.thread.clock.advance(FILES_INTERVAL_MS)
  await until('looked', () => parts.counts.of('tls-files-unusable') === 1)
  t.same(parts.thread.lines, [])
})

t.test('a reload', async t => {
  const folder = certificates(t)
  const port = await freePort()
  const parts = bench()
  const { cert, key } = authority.issue('two')
  writeFileSync(join(folder, 'two.crt'), cert)
  writeFileSync(join(folder, 'two.key'), key)
  const site = await open(t, listenOf(folder, `tls://.:${port}`, TLS), parts)
  const socket = await dialTls(port, 'dot')
  t.teardown(() => socket.destroy())
  socket.resume()
  site.adjust(listenOf(folder, `tls://.:${port}`, 'tls two.crt two.key\ntimeouts {\nread 1s\n}'))
  t.equal(await nameAt(port), 'two')
  t.same(await exchangeTls(port, ask('web')), echo(ask('web')))
  parts.thread.clock.advance(1500)
  await once(socket, 'end')
  t.ok(parts.counts.of('tcp-first-read-timeout') > 0, 'the new time holds for the old connection')
  writeFileSync(join(folder, 'tls.key'), '')
  parts.thread.clock.advance(2 * FILES_INTERVAL_MS)
  t.equal(parts.counts.of('tls-files-unusable'), 0, 'nobody looks at the former files')
})

t.test('connections over HTTPS are counted by listener', async t => {
  const folder = certificates(t)
  for (const [body, threads, most] of [
    ['https {\nmax_connections 3\n}', 1, 3],
    ['https {\nmax_connections 3\n}', 2, 2],
  ] as const) {
    const port = await freePort()
    const parts = bench({ threads })
    const site = await open(t, listenOf(folder, `https://.:${port}`, `${TLS}\n${body}`), parts)
    for (let i = 0; i < most + 1; i++) {
      const socket = await dialTls(port, 'h2')
      t.teardown(() => socket.destroy())
    }
    await until('one went', () => parts.counts.of('tcp-evicted-idle') === 1)
    const [listener] = site.listeners
    t.match(listener, { kind: 'https' })
  }
  const port = await freePort()
  const parts = bench()
  await open(t, listenOf(folder, `https://.:${port}`, TLS), parts)
  const { status, body } = await exchangeHttps(port, ask('web'))
  t.same([status, body], [200, echo(ask('web'))])
  t.equal((await exchangeHttps(port, new Uint8Array(3))).status, 400)
  const label = (code: number): string =>
    `coredns_dns_https_responses_total{server=https://127.0.0.1:${port},status=${code}}`
  t.same(
    [200, 400].map(code => parts.thread.counted.get(label(code))),
    [1, 1],
  )
})
