// The DNS server beyond the cluster: answers a few names with fixed addresses and everything else with NXDOMAIN, over
// UDP and TCP. It repeats the question's octets, so that any name, however odd, comes back as it was asked.

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { decodeMessage } from '../support/dns-client.ts'
import { freePorts, type Scope } from './processes.ts'

const TTL_SECONDS = 60
const TYPE_A = 1
const NXDOMAIN = 3

/** Names (lower case, final dot) and their IPv4 addresses. */
export const UPSTREAM_NAMES: Readonly<Record<string, readonly string[]>> = {
  'cn.bing.com.': ['202.89.233.100', '202.89.233.101'],
  'www.example.net.': ['192.0.2.80'],
}

/** The reply to one query; undefined where it is none. */
export function upstreamReply(query: Uint8Array): Uint8Array | undefined {
  if (query.length < 17 || (query[2]! & 0x80) !== 0) return undefined
  let at = 12
  while (query[at]) at += query[at]! + 1
  const question = Buffer.from(query.subarray(12, at + 5))
  const [asked] = decodeMessage(Buffer.concat([query.subarray(0, 6), Buffer.alloc(6), question])).question
  const name = asked!.split(' ')[0]!.toLowerCase()
  const addresses = UPSTREAM_NAMES[name]
  const answers = question.readUInt16BE(question.length - 4) === TYPE_A && addresses ? addresses : []
  const header = Buffer.from(query.subarray(0, 12))
  header[2] = 0x80 | (query[2]! & 1)
  header[3] = 0x80 | (addresses ? 0 : NXDOMAIN)
  header.writeUInt16BE(answers.length, 6)
  header.writeUInt32BE(0, 8)
  const records = answers.map(address => {
    const record = Buffer.alloc(16)
    record.writeUInt16BE(0xc00c, 0)
    record.writeUInt16BE(TYPE_A, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(TTL_SECONDS, 6)
    record.writeUInt16BE(4, 10)
    record.set(address.split('.').map(Number), 12)
    return record
  })
  return Buffer.concat([header, question, ...records])
}

/** Starts it on a free port of 127.0.0.1 and gives the port. */
export async function startUpstream(scope: Scope): Promise<number> {
  const [port] = (await freePorts(1)) as [number]
  const udp: UdpSocket = createSocket('udp4')
  udp.on('message', (query, { address, port: from }) => {
    const reply = upstreamReply(query)
    if (reply) udp.send(reply, from, address)
  })
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  const tcp: Server = createServer(socket => {
    let received = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0)
        const reply = upstreamReply(received.subarray(2, end))
        received = received.subarray(end)
        if (!reply) return void socket.destroy()
        const length = Buffer.alloc(2)
        length.writeUInt16BE(reply.length)
        socket.write(Buffer.concat([length, reply]))
      }
    })
    socket.setTimeout(10_000, () => socket.destroy())
  })
  await once(tcp.listen(port, '127.0.0.1'), 'listening')
  scope.add('upstream', () => {
    udp.close()
    tcp.close()
  })
  return port
}
