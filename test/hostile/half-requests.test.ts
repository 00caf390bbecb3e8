// Half requests (slow loris) to health, ready and metrics, which decide whether a Pod is sent queries and lives: whoever holds
// some hundred connections there keeps no probe out.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { serveCorefile } from '../support/served-corefile.ts'
import { unharmed } from './one-block.ts'

const HELD = 300
const ANSWER_MS = 1000
const PATHS = [
  ['health', '/health'],
  ['ready', '/ready'],
  ['metrics', '/metrics'],
] as const

/** What each connection sends, and whether it reads. */
const ways: readonly (readonly [title: string, octets: string])[] = [
  ['half a request', 'GET /health HTTP/1.1\r\nHost: x\r\n'],
  ['nothing', ''],
  ['requests whose answers are not read', 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(200)],
]

for (const [title, octets] of ways) {
  t.test(title, async t => {
    const served = await serveCorefile(
      t,
      ({ dns, health, ready, metrics }) =>
        `.:${dns} {\nbind 127.0.0.1\nhealth 127.0.0.1:${health}\nready 127.0.0.1:${ready}\nprometheus 127.0.0.1:${metrics}\nwhoami\n}\n`,
    )
    const timed = async (port: (typeof PATHS)[number][0], path: string): Promise<number> => {
      const startMs = performance.now()
      t.match(await served.get(port, path), /^200 /, path)
      return performance.now() - startMs
    }
    const alone: number[] = []
    for (let round = 0; round < 10; round++)
      for (const [port, path] of PATHS) alone.push(await timed(port, path))
    // A machine that is busy with other things makes both slow.
    const mostMs = Math.max(ANSWER_MS, 20 * Math.max(...alone))
    const sockets: Socket[] = []
    t.teardown(() => {
      for (const socket of sockets) socket.destroy()
    })
    for (let i = 0; i < HELD; i++) {
      for (const [port] of PATHS) {
        const socket = connect({
          port: served.ports[port],
          host: '127.0.0.1',
          localAddress: `127.0.0.${2 + (i % 4)}`,
        })
        sockets.push(socket)
        socket.on('error', () => undefined)
        await once(socket, 'connect')
        socket.pause()
        socket.write(octets)
      }
    }
    for (let round = 0; round < 5; round++) {
      for (const [port, path] of PATHS) {
        const elapsedMs = await timed(port, path)
        t.ok(elapsedMs < mostMs, `${path}: ${elapsedMs.toFixed(0)} ms of ${mostMs.toFixed(0)}`)
      }
    }
    await unharmed(t, served)
  })
}
