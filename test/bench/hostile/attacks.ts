// What is done to a server that another client uses meanwhile: each attack is one of those that DNS servers have been stopped by,
// from 127.0.0.2 and its neighbours. Sockets that an attack opens stay until it is over.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import { encodeQuestion } from '../../support/dns-client.ts'
import type { FakeApiServer } from '../../support/fake-api-server.ts'
import { slice } from '../../support/fake-objects.ts'

/** A server under attack, and what it watches. */
export interface Attacked {
  readonly dns: number
  readonly health: number
  readonly api: FakeApiServer
}

/** An attack. `health` says that the other client is a probe. */
export interface Attack {
  readonly title: string
  readonly asks: 'dns' | 'health'
  run(attacked: Attacked, sockets: Socket[]): Promise<void>
}

export const SMALL = 'web.default.svc.cluster.local'
export const LARGE = 'large.default.svc.cluster.local'
/** As many endpoints as fill 64 KiB. */
export const LARGE_ENDPOINTS = 4050
/** Names below it are asked of the upstream, which is silent about them. */
const SLOW = 'silent.test'

const frame = (packet: Uint8Array): Uint8Array =>
  Uint8Array.of(packet.length >> 8, packet.length & 255, ...packet)
const frames = (count: number, make: (i: number) => Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => frame(make(i))))
const slow = (i: number, more: object = {}): Uint8Array =>
  encodeQuestion({ name: `n${i}.${SLOW}`, ...more }, i & 0xffff)

/** Opens so many connections that send the octets and read nothing. */
async function unread(
  port: number,
  count: number,
  octets: Uint8Array,
  sockets: Socket[],
  clients = 1,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (i % clients)}` })
    sockets.push(socket)
    socket.on('error', () => undefined)
    await new Promise(resolve => socket.once('connect', resolve).once('close', resolve))
    socket.pause()
    socket.write(octets)
  }
}

export const ATTACKS: readonly Attack[] = [
  {
    title: '900 datagrams of 340 empty options each, for names that the upstream is silent about',
    asks: 'dns',
    async run({ dns }) {
      const socket = createSocket('udp4')
      socket.bind(0, '127.0.0.2')
      await once(socket, 'listening')
      const options = Array.from({ length: 340 }, () => ({ code: 65001, data: new Uint8Array(0) }))
      for (let i = 0; i < 900; i++) {
        socket.send(slow(i, { edns: { options } }), dns, '127.0.0.1')
        if (i % 50 === 49) await after(10)
      }
      await after(2000)
      socket.close()
    },
  },
  {
    title: '40 connections with 120 queries each, padded to 64 KiB, for such names',
    asks: 'dns',
    async run({ dns }, sockets) {
      const edns = { options: [{ code: 12, data: new Uint8Array(65_000) }] }
      await unread(
        dns,
        40,
        frames(120, i => slow(i, { edns })),
        sockets,
      )
      await after(4000)
    },
  },
  {
    title: '1,000 connections full of ordinary queries, of which no answer is read',
    asks: 'dns',
    async run({ dns }, sockets) {
      await unread(
        dns,
        1000,
        frames(12_000, i => encodeQuestion({ name: SMALL }, i)),
        sockets,
      )
      await after(2000)
    },
  },
  {
    title: '300 connections that ask for 64 KiB eight times each and read nothing',
    asks: 'dns',
    async run({ dns }, sockets) {
      await unread(
        dns,
        300,
        frames(8, i => encodeQuestion({ name: LARGE }, i)),
        sockets,
      )
      await after(2000)
    },
  },
  {
    title: 'two clients with 1,000 connections each, and a question that nobody answers on each',
    asks: 'dns',
    async run({ dns }, sockets) {
      await unread(
        dns,
        2000,
        frames(1, () => slow(1)),
        sockets,
        2,
      )
      await after(1000)
    },
  },
  {
    title: '300 connections with half a request for /health each',
    asks: 'health',
    async run({ health }, sockets) {
      await unread(health, 300, Buffer.from('GET /health HTTP/1.1\r\nHost: x\r\n'), sockets, 4)
      await after(3000)
    },
  },
  {
    title: 'one EndpointSlice with 100,000 equal addresses, changed three times',
    asks: 'dns',
    async run({ api }) {
      const endpoints = Array.from({ length: 1000 }, () => ({
        addresses: Array.from({ length: 100 }, () => '10.0.0.1'),
      }))
      for (let i = 0; i < 3; i++) {
        const ports = [{ name: 'http', port: 8080 + i, protocol: 'TCP' }]
        api.cluster.apply('endpointslices', slice('default', 'equal-1', 'equal', [], { endpoints, ports }))
        await after(2000)
      }
    },
  },
]
