// HOT: a query's own fields in a JSON line, behind its message: what a collector filters and counts by without parsing text.
//
//   "client_ip":"10.0.0.7","client_port":40212,"id":29008,"qname":"example.org.","qtype":"A","qclass":"IN","proto":"udp",
//   "request_bytes":41,"do":false,"bufsize":4096,"rcode":"NOERROR","rflags":"qr,rd,ra","response_bytes":68,
//   "duration_seconds":0.037990251

import type { LineWriter } from '../../observe/log-line.ts'
import type { Packet } from '../../query/packet.ts'
import { readU16 } from '../../wire/header.ts'
import { rcodeName } from '../../wire/rcode.ts'
import { className, typeName } from '../../wire/rrtype.ts'
import { uncompressedOctets } from '../../wire/ttls.ts'
import { writeName } from './fields.ts'
import { bufferSize, writeFlags } from './format.ts'

const NS_PER_MS = 1e6
const encoder = new TextEncoder()
const raw = (text: string): Uint8Array => encoder.encode(text)

const CLIENT_IP = raw(',"client_ip":')
const CLIENT_PORT = raw(',"client_port":')
const ID = raw(',"id":')
const QNAME = raw(',"qname":')
const QTYPE = raw(',"qtype":')
const QCLASS = raw(',"qclass":')
const PROTO = raw(',"proto":')
const REQUEST_BYTES = raw(',"request_bytes":')
const DO_TRUE = raw(',"do":true')
const DO_FALSE = raw(',"do":false')
const BUFSIZE = raw(',"bufsize":')
const RCODE = raw(',"rcode":')
const NO_RCODE = raw(',"rcode":null')
const RFLAGS = raw(',"rflags":')
const RESPONSE_BYTES = raw(',"response_bytes":')
const DURATION = raw(',"duration_seconds":')
const END = raw('}')

/** Ends the message of a JSON line and the object, with the fields of the query and of what became of it between them. */
export function writeJsonFields(line: LineWriter, packet: Packet, durationMs: number): void {
  const { scan, transport, isDropped } = packet
  line.endString()
  string(line, CLIENT_IP, packet.client.address)
  number(line, CLIENT_PORT, readU16(packet.from, packet.fromAt + 2))
  number(line, ID, scan.id)
  line.text(QNAME)
  line.beginString()
  writeName(line, scan.folded)
  line.endString()
  string(line, QTYPE, typeName(scan.qtype))
  string(line, QCLASS, className(scan.qclass))
  string(line, PROTO, transport === 'udp' ? 'udp' : 'tcp')
  number(line, REQUEST_BYTES, packet.requestOctets)
  line.text(scan.dnssecOk ? DO_TRUE : DO_FALSE)
  number(line, BUFSIZE, bufferSize(packet))
  if (isDropped) line.text(NO_RCODE)
  else {
    const { out, outAt, length } = packet
    string(line, RCODE, rcodeName(packet.rcode))
    line.text(RFLAGS)
    line.beginString()
    writeFlags(line, packet)
    line.endString()
    number(line, RESPONSE_BYTES, uncompressedOctets(out, outAt, outAt + length))
  }
  line.text(DURATION)
  line.string(`${Math.round(durationMs * NS_PER_MS) / 1e9}`)
  line.text(END)
}

function string(line: LineWriter, field: Uint8Array, value: string): void {
  line.text(field)
  line.beginString()
  line.string(value)
  line.endString()
}

function number(line: LineWriter, field: Uint8Array, value: number): void {
  line.text(field)
  line.number(value)
}
