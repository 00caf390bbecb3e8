// An upstream for tests that answers questions from a list of records in presentation form, over UDP and TCP, and NXDOMAIN
// for every other name; with `truncated` every UDP and TCP answer has TC set.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type Answer, decode, encode, type Packet, TRUNCATED_RESPONSE } from 'dns-packet'

export interface FixedUpstream {
  readonly port: number
  close(): Promise<void>
}

export async function startFixedUpstream(
  records: readonly string[],
  truncated: boolean,
): Promise<FixedUpstream> {
  const zone = records.map(parse)
  const tcp = createServer(socket => serveTcp(socket, query => reply(query, zone, truncated)))
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const address = tcp.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const udp = createSocket('udp4')
  udp.on('message', (octets, from) => udp.send(reply(octets, zone, truncated), from.port, from.address))
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  return {
    port,
    async close() {
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

function serveTcp(socket: Socket, answer: (query: Buffer) => Buffer): void {
  let rest = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0)
      const octets = answer(rest.subarray(2, end))
      const length = Buffer.alloc(2)
      length.writeUInt16BE(octets.length)
      socket.write(Buffer.concat([length, octets]))
      rest = rest.subarray(end)
    }
  })
}

/** `www.example.com. 300 IN A 192.0.2.1` */
function parse(text: string): Answer {
  const [name, ttl, , type, data] = text.split(/\s+/)
  return { name: name!.replace(/\.$/, ''), ttl: Number(ttl), type: type as 'A', data: data! }
}

function reply(octets: Buffer, zone: readonly Answer[], truncated: boolean): Buffer {
  const query: Packet = decode(octets)
  const asked = query.questions?.[0]
  const name = asked?.name.toLowerCase()
  const known = zone.filter(record => record.name.toLowerCase() === name)
  const answers = known.filter(record => record.type === asked?.type)
  const rcode = known.length > 0 ? 0 : 3
  return encode({
    type: 'response',
    id: query.id ?? 0,
    flags: 0x80 | 0x100 | (truncated ? TRUNCATED_RESPONSE : 0) | rcode,
    questions: query.questions ?? [],
    answers,
  })
}
