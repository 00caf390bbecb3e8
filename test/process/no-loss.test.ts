// No query is lost: 2,000 a second, of cluster and forwarded names, through ten reloads, a bad one, and a rolling replacement
// by a second instance: as in a cluster, new queries go to the second one when the first says that it is not ready.

import { createSocket } from 'node:dgram'
import { join } from 'node:path'
import t from 'tap'
import { encodeQuestion, query } from '../support/dns-client.ts'
import { startFixedUpstream } from '../support/fixed-upstream.ts'
import { droppedAt, residentMib } from '../support/process-stat.ts'
import type { Seamark } from '../support/seamark.ts'
import { type FileText, makePlace, type Ports, serveCorefile } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { a, nameOf, replyTo, soa, UpstreamStub } from '../support/upstream-stub.ts'

const EXAMPLES = join(import.meta.dirname, '..', '..', 'config', 'examples')
const NAMES = ['kubia-service.default.svc.cluster.local', 'www.example.com', 'nope.default.svc.cluster.local']
const TICK_MS = 5
const QUERIES_PER_TICK = 10
const RELOADS = 10
const PATIENCE_MS = 10_000

/** Asks at a steady rate, and knows what was never answered. */
class Asker {
  target: number
  asked = 0
  answered = 0
  readonly #socket = createSocket('udp4')
  readonly #pending = new Set<number>()
  #timer: NodeJS.Timeout | undefined
  #empty: (() => void) | undefined

  constructor(target: number) {
    this.target = target
    this.#socket.on('message', octets => {
      if (this.#pending.delete(octets.readUInt16BE(0))) this.answered++
      if (this.#pending.size === 0) this.#empty?.()
    })
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (let i = 0; i < QUERIES_PER_TICK; i++) this.#ask()
    }, TICK_MS)
  }

  #ask(): void {
    const id = this.asked++ & 0xffff
    this.#pending.add(id)
    const question = encodeQuestion({ name: NAMES[this.asked % NAMES.length]!, edns: true }, id)
    this.#socket.send(question, this.target, '127.0.0.1')
  }

  /** Answers that the kernel threw away because this process, on a busy machine, did not read them. */
  get unread(): number {
    return droppedAt(this.#socket.address().port)
  }

  /** Asks no more, waits for what is under way; the number of lost queries. */
  async stop(): Promise<number> {
    clearInterval(this.#timer)
    const patience = new Promise<void>(resolve => setTimeout(resolve, PATIENCE_MS))
    const empty = new Promise<void>(resolve => {
      this.#empty = resolve
      if (this.#pending.size === 0) resolve()
    })
    await Promise.race([patience, empty])
    const lost = this.#pending.size - this.unread
    this.#socket.close()
    return lost
  }
}

t.test('reloads, a bad reload and a rolling replacement lose nothing', async test => {
  const upstream = await startFixedUpstream(['www.example.com. 300 IN A 192.0.2.53'], false)
  test.teardown(upstream.close)
  const corefile =
    (ttl: number): FileText =>
    ({ dns, ready, health }) =>
      `.:${dns} {\n  bind 127.0.0.1\n  errors\n  health 127.0.0.1:${health} {\n    lameduck 3s\n  }\n` +
      `  ready 127.0.0.1:${ready}\n  kubernetes cluster.local {\n    manifests ${EXAMPLES}\n    ttl ${ttl}\n  }\n` +
      `  forward . 127.0.0.1:${upstream.port}\n  cache 30\n  loadbalance\n}\n`
  const { server: first, ports, reload, write } = await serveCorefile(test, corefile(30))
  const asker = new Asker(ports.dns)
  asker.start()
  const before = residentOf(first)

  for (let i = 1; i <= RELOADS; i++) await reload(corefile(i))
  write('broken {\n')
  first.child.kill('SIGUSR1')
  await first.printed('Restart failed')
  test.ok(
    residentOf(first) < before + 60,
    `memory stays flat: ${before} MiB before, ${residentOf(first)} MiB after`,
  )

  const secondPlace = await makePlace(test, corefile(30))
  const second = await secondPlace.start()
  const ended = first.stop('SIGTERM')
  await until('the first is not ready', async () => (await readiness(ports.ready)) !== 200)
  asker.target = secondPlace.ports.dns
  test.equal(await ended, 0, 'the first ends with status 0')
  const lost = await asker.stop()
  test.equal(lost, 0, `${asker.asked} queries, ${asker.answered} answered`)
  test.ok(asker.asked > 1000, 'enough was asked')
  test.equal(await second.stop(), 0)
})

/** What a cluster waits for before it sends queries elsewhere: the status of /ready, 0 where nobody answers. */
const readiness = (port: number): Promise<number> =>
  fetch(`http://127.0.0.1:${port}/ready`).then(
    response => response.status,
    () => 0,
  )

const residentOf = (server: Seamark): number => Math.round(residentMib(server.child.pid!))

t.test('what waits for an upstream when another configuration comes is answered as ever', async t => {
  const held: (() => void)[] = []
  const stub = await UpstreamStub.start((asked, back) => {
    const missing = nameOf(asked).endsWith('.search.test.')
    const reply = replyTo(
      asked,
      missing ? { rcode: 3, authority: [soa('test', 30)] } : { answer: [a(nameOf(asked), 30)] },
    )
    held.push(() => back.send(reply))
  })
  t.teardown(() => stub.pause())
  const corefile = ({ dns }: Ports): string =>
    `.:${dns} {
      bind 127.0.0.1
      autopath search
      forward tcp.test ${stub.to} {
        force_tcp
      }
      forward . ${stub.to}
    }`
  const files = { search: 'search search.test other.test\n' }
  const { port, reload } = await serveCorefile(t, corefile, { files })
  // Of the last one something is asked once more after the reload.
  const names = ['udp.test', 'over.tcp.test', 'www.search.test']
  const asking = Promise.all(names.map(name => query(port, { name })))
  await until('the questions', () => held.length === names.length)
  await reload(ports => `${corefile(ports)}\n# changed`)
  for (const answer of held.splice(0)) answer()
  await until('the next one of the search path', () => held.length === 1)
  held[0]!()
  t.strictSame(
    (await asking).map(({ rcode }) => rcode),
    names.map(() => 'NOERROR'),
  )
})
