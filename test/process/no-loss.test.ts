// No query is lost: 2,000 a second, of cluster and forwarded names, through ten reloads, a bad one, and a rolling replacement
// by a second instance: as in a cluster, new queries go to the second one when the first says that it is not ready.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { encodeQuestion } from '../support/dns-client.ts'
import { startFixedUpstream } from '../support/fixed-upstream.ts'
import { freePort, type Seamark, startSeamark } from '../support/seamark.ts'

const EXAMPLES = join(import.meta.dirname, '..', '..', 'config', 'examples')
const NAMES = ['kubia-service.default.svc.cluster.local', 'www.example.com', 'nope.default.svc.cluster.local']
const TICK_MS = 5
const QUERIES_PER_TICK = 10
const RELOADS = 10
const PATIENCE_MS = 3000

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
    const port = this.#socket.address().port.toString(16).toUpperCase().padStart(4, '0')
    const line = readFileSync('/proc/net/udp', 'latin1')
      .split('\n')
      .find(one => one.includes(`:${port} 00000000:0000`))
    return Number(line?.trim().split(/\s+/).at(-1) ?? 0)
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
  const [dns, ready, health] = [await freePort(), await freePort(), await freePort()]
  const [dns2, ready2, health2] = [await freePort(), await freePort(), await freePort()]
  const corefile = (ttl: number, dnsPort: number, readyPort: number, healthPort: number): string =>
    `.:${dnsPort} {\n  bind 127.0.0.1\n  errors\n  health 127.0.0.1:${healthPort} {\n    lameduck 3s\n  }\n` +
    `  ready 127.0.0.1:${readyPort}\n  kubernetes cluster.local {\n    manifests ${EXAMPLES}\n    ttl ${ttl}\n  }\n` +
    `  forward . 127.0.0.1:${upstream.port}\n  cache 30\n  loadbalance\n}\n`
  const folder = test.testdir({
    first: corefile(30, dns, ready, health),
    second: corefile(30, dns2, ready2, health2),
  })
  const first = await startSeamark(join(folder, 'first'), dns)
  const asker = new Asker(dns)
  asker.start()
  const before = residentMiB(first)

  for (let i = 1; i <= RELOADS; i++)
    await reload(first, join(folder, 'first'), corefile(i, dns, ready, health), i)
  writeFileSync(join(folder, 'first'), 'broken {\n')
  first.child.kill('SIGUSR1')
  await first.printed('Restart failed')
  test.ok(
    residentMiB(first) < before + 60,
    `memory stays flat: ${before} MiB before, ${residentMiB(first)} MiB after`,
  )

  const second = await startSeamark(join(folder, 'second'), dns2)
  const ended = first.stop('SIGTERM')
  await notReady(ready)
  asker.target = dns2
  test.equal(await ended, 0, 'the first ends with status 0')
  const lost = await asker.stop()
  test.equal(lost, 0, `${asker.asked} queries, ${asker.answered} answered`)
  test.ok(asker.asked > 1000, 'enough was asked')
  test.equal(await second.stop(), 0)
})

async function reload(server: Seamark, file: string, text: string, times: number): Promise<void> {
  writeFileSync(file, text)
  server.child.kill('SIGUSR1')
  await server.printed(new RegExp(`(?:[^]*?Reloading complete){${times}}`))
}

/** Resolves when /ready no longer says 200: what a cluster waits for before it sends queries elsewhere. */
async function notReady(port: number): Promise<void> {
  for (;;) {
    const status = await fetch(`http://127.0.0.1:${port}/ready`).then(
      response => response.status,
      () => 0,
    )
    if (status !== 200) return
    await once(AbortSignal.timeout(20), 'abort')
  }
}

function residentMiB(server: Seamark): number {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
}
