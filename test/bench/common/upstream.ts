// The upstream of the benchmarks: every name exists, with one address of either family, but those whose first label begins
// with `gone`, which are name errors, with the SOA that lets them be cached (RFC 2308 5). It answers from the query's octets
// and knows no more DNS than that.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Scope } from '../../e2e/processes.ts'

const TYPE_A = 1
const TYPE_SOA = 6
const TYPE_AAAA = 28
const NXDOMAIN = 3
/** An hour. */
const TTL = [0, 0, 14, 16]
const ADDRESS_V4 = [192, 0, 2, 53]
const ADDRESS_V6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 53]
/** Both names are the question's; serial 1, all times an hour. */
const SOA = [0xc0, 12, 0xc0, 12, 0, 0, 0, 1, ...TTL, ...TTL, ...TTL, ...TTL]
/** Receive buffer: a burst of a whole run's first questions fits. */
const BUFFER_OCTETS = 4 << 20

/** The reply to one query; undefined where it is none. */
export function upstreamReply(query: Uint8Array): Uint8Array | undefined {
  if (query.length < 17 || (query[2]! & 0x80) !== 0) return undefined
  let end = 12
  while (query[end]) end += query[end]! + 1
  end += 5
  if (end > query.length) return undefined
  const type = (query[end - 4]! << 8) | query[end - 3]!
  const label = Buffer.from(query.buffer, query.byteOffset + 13, 4).toString('latin1')
  const gone = label.toLowerCase() === 'gone'
  const address = type === TYPE_A ? ADDRESS_V4 : type === TYPE_AAAA ? ADDRESS_V6 : []
  const data = gone ? SOA : address
  const record =
    data.length === 0 ? [] : [0xc0, 12, 0, gone ? TYPE_SOA : type, 0, 1, ...TTL, 0, data.length, ...data]
  const reply = new Uint8Array(end + record.length)
  reply.set(query.subarray(0, end))
  reply.set(record, end)
  reply[2] = 0x80 | (query[2]! & 0x79)
  reply[3] = 0x80 | (gone ? NXDOMAIN : 0)
  reply.fill(0, 6, 12)
  // The count of the answer's records, or of the authority's.
  if (record.length > 0) reply[gone ? 9 : 7] = 1
  return reply
}

/** Starts it on a free port of 127.0.0.1 and gives the port. `silent`: it hears everything and says nothing. */
export async function startUpstream(scope: Scope, silent = false): Promise<number> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_OCTETS })
  socket.on('message', (query, { address, port }) => {
    const reply = silent ? undefined : upstreamReply(query)
    if (reply) socket.send(reply, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  scope.add('upstream', () => void socket.close())
  return socket.address().port
}
