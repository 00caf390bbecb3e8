// One question to a server, over UDP and, where the reply is cut, over TCP; what it says, in words that compare.

import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { ipFromBytes } from '../shared/ip.ts'
import { decodeMessage, type Message, queryMessage } from '../wire/message.ts'
import { formatName, name, parseName } from '../wire/name.ts'
import { rcodeName } from '../wire/rcode.ts'
import type { Rr } from '../wire/record.ts'
import { CLASS, parseType, RDATA_LAYOUT, TYPE, typeName } from '../wire/rrtype.ts'
import type { Asked } from './questions.ts'

const UDP_PAYLOAD_OCTETS = 1232

/** A server by its address. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** `10.96.0.10`, `127.0.0.1:1053`, `[fd00::a]:53`. */
export const placeText = ({ host, port }: Place): string =>
  port === 53 ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`

/** What a server says. */
export interface Said {
  /** A response code by its name; '' where no reply came. */
  readonly rcode: string
  /** The records of the answer, `A 10.0.0.1`, `web.shop. CNAME …` for other owners: sorted, without TTLs. */
  readonly records: readonly string[]
  readonly tookMs: number
}

let lastId = 0

function encode({ name: text, type }: Asked, id: number): Uint8Array {
  const question = { qname: name(text), qtype: parseType(type)!, qclass: CLASS.IN }
  return queryMessage(id, question, UDP_PAYLOAD_OCTETS)
}

/** Asks; no reply within the time is one with an empty code. */
export async function ask(place: Place, asked: Asked, timeoutMs: number): Promise<Said> {
  lastId = (lastId + 1) & 0xffff
  const query = encode(asked, lastId)
  const began = performance.now()
  let reply = await overUdp(place, query, timeoutMs)
  if (reply?.truncated) reply = await overTcp(place, query, timeoutMs)
  const tookMs = performance.now() - began
  if (reply === undefined) return { rcode: '', records: [], tookMs }
  const records = reply.answer.map(record => recordText(record, asked.name)).sort()
  return { rcode: rcodeName(reply.rcode), records, tookMs }
}

/** The reply to the query, or undefined for another message. */
function replyTo(query: Uint8Array, octets: Uint8Array): Message | undefined {
  const message = decodeMessage(octets)
  const isIt = message?.response === true && octets[0] === query[0] && octets[1] === query[1]
  return isIt ? message : undefined
}

function overUdp({ host, port }: Place, query: Uint8Array, timeoutMs: number): Promise<Message | undefined> {
  const { promise, resolve } = Promise.withResolvers<Message | undefined>()
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  const timer = setTimeout(resolve, timeoutMs, undefined)
  socket.on('message', octets => {
    const reply = replyTo(query, octets)
    if (reply) resolve(reply)
  })
  // Nobody listens there, or the network says that it cannot be reached.
  socket.once('error', () => resolve(undefined))
  socket.connect(port, host, () => socket.send(query, error => error && resolve(undefined)))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.close()
  })
}

function overTcp({ host, port }: Place, query: Uint8Array, timeoutMs: number): Promise<Message | undefined> {
  const { promise, resolve } = Promise.withResolvers<Message | undefined>()
  const socket = connect(port, host)
  const timer = setTimeout(resolve, timeoutMs, undefined)
  let octets = Buffer.alloc(0)
  socket.on('data', part => {
    octets = Buffer.concat([octets, part])
    if (octets.length >= 2 && octets.length >= 2 + octets.readUInt16BE(0))
      resolve(replyTo(query, octets.subarray(2, 2 + octets.readUInt16BE(0))))
  })
  socket.once('error', () => resolve(undefined))
  socket.once('end', () => resolve(undefined))
  socket.write(Buffer.concat([Buffer.from([query.length >> 8, query.length & 255]), query]))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

function recordText({ owner, type, rdata }: Rr, asked: string): string {
  const name = formatName(owner).toLowerCase()
  const data = `${typeName(type)} ${dataText(type, rdata)}`
  return name === formatName(parseName(asked)!).toLowerCase() ? data : `${name} ${data}`
}

/** Record data in presentation form where it is addresses, numbers and names; else as unknown types have it (RFC 3597). */
function dataText(type: number, rdata: Uint8Array): string {
  if ((type === TYPE.A && rdata.length === 4) || (type === TYPE.AAAA && rdata.length === 16))
    return ipFromBytes(rdata).text
  const layout = RDATA_LAYOUT.get(type)
  if (layout === undefined || layout.includes('s'))
    return `\\# ${rdata.length} ${Buffer.from(rdata).toString('hex')}`
  const words: string[] = []
  let at = 0
  const number = (octets: number): void => {
    words.push(String(Buffer.from(rdata).readUIntBE(at, octets)))
    at += octets
  }
  for (const part of layout) {
    if (part !== 'n') for (let left = Number(part); left > 0; left -= 2) number(2)
    else {
      const from = at
      while (at < rdata.length && rdata[at] !== 0) at += rdata[at]! + 1
      at++
      words.push(formatName(rdata.subarray(from, at)).toLowerCase())
    }
  }
  // The serial of an SOA is a server's own.
  if (type === TYPE.SOA) at += 4
  while (at + 4 <= rdata.length) number(4)
  return words.join(' ')
}
