// Requests to the kernel over netlink (netlink(7)), by koffi: interfaces and addresses (rtnetlink(7)) and the rules of nf_tables.
// So neither `ip` nor `iptables` or `nft` need be in the image. The kernel answers while it is asked: nothing waits here.

import { closeSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import { loadKoffi } from '../shared/koffi.ts'

export const NETLINK = {
  ROUTE: 0,
  NETFILTER: 12,
  REQUEST: 1,
  ACK: 4,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  DUMP: 0x300,
  /** Of an attribute that holds attributes. */
  NESTED: 0x8000,
} as const

const AF_NETLINK = 16
const SOCK_RAW_CLOEXEC = 3 | 0x80000
const MSG_DONTWAIT = 0x40
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const HEADER_OCTETS = 16
const REPLY_OCTETS = 32 * 1024
/** Replies to one request: more is not what was asked for. */
const REPLIES_MAX = 1000

/** The kernel, or what lies before it, refused. `code` is the system's: EPERM, EEXIST, ENOTSUP (which libuv calls EOPNOTSUPP, too). */
export class NetlinkError extends Error {
  readonly code: string

  constructor(doing: string, code: string) {
    super(`${doing}: ${code}`)
    this.code = code
  }
}

/** One message: its type, flags beside REQUEST, and what follows the header. */
export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly body: Uint8Array
}

interface Calls {
  socket(domain: number, type: number, protocol: number): number
  send(fd: number, octets: Uint8Array, length: number, flags: number): number
  recv(fd: number, octets: Uint8Array, length: number, flags: number): number
  if_nametoindex(name: string): number
  errno(): number
}

let loading: Promise<Calls> | undefined

async function load(): Promise<Calls> {
  const native = await loadKoffi()
  if (native === undefined)
    throw new NetlinkError(
      'asking the kernel for interfaces and rules needs Linux and the package koffi',
      'ENOSYS',
    )
  const { koffi, library } = native
  return {
    socket: library.func('socket', 'int', ['int', 'int', 'int']),
    send: library.func('send', 'int64', ['int', 'void *', 'size_t', 'int']),
    recv: library.func('recv', 'int64', ['int', 'void *', 'size_t', 'int']),
    if_nametoindex: library.func('if_nametoindex', 'uint', ['str']),
    errno: () => koffi.errno(),
  }
}

/** The number of an interface of this network namespace; 0 where there is none of that name. */
export async function interfaceIndex(name: string): Promise<number> {
  loading ??= load()
  return (await loading).if_nametoindex(name)
}

/**
 * Sends messages at once and gives the bodies of the replies, without acknowledgements. `doing` says what for. Throws NetlinkError
 * with the first refusal; of a batch the kernel has then done nothing.
 */
export async function netlink(
  protocol: number,
  messages: readonly NetlinkMessage[],
  doing: string,
): Promise<{ readonly type: number; readonly body: Uint8Array }[]> {
  loading ??= load()
  const calls = await loading
  const fail = (code = getSystemErrorName(-calls.errno())): never => {
    throw new NetlinkError(doing, code)
  }
  const fd = calls.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol)
  if (fd < 0) fail()
  try {
    const octets = Buffer.concat(messages.map((message, index) => encode(message, index + 1)))
    if (calls.send(fd, octets, octets.length, 0) < 0) fail()
    const found: { type: number; body: Uint8Array }[] = []
    const buffer = new Uint8Array(REPLY_OCTETS)
    for (let replies = 0; replies < REPLIES_MAX; ) {
      const length = Number(calls.recv(fd, buffer, buffer.length, MSG_DONTWAIT))
      // Nothing more has come: everything was answered.
      if (length < 0) return found
      const view = new DataView(buffer.buffer, 0, length)
      for (let at = 0; at + HEADER_OCTETS <= length; replies++) {
        const octetsHere = view.getUint32(at, true)
        const type = view.getUint16(at + 4, true)
        if (octetsHere < HEADER_OCTETS || at + octetsHere > length) fail('EBADMSG')
        if (type === NLMSG_DONE) return found
        if (type === NLMSG_ERROR) {
          const error = view.getInt32(at + HEADER_OCTETS, true)
          if (error !== 0) fail(getSystemErrorName(error))
        } else found.push({ type, body: buffer.slice(at + HEADER_OCTETS, at + octetsHere) })
        at += aligned(octetsHere)
      }
    }
    return fail('EMSGSIZE')
  } finally {
    closeSync(fd)
  }
}

function encode({ type, flags, body }: NetlinkMessage, sequence: number): Uint8Array {
  const octets = new Uint8Array(aligned(HEADER_OCTETS + body.length))
  const view = new DataView(octets.buffer)
  view.setUint32(0, HEADER_OCTETS + body.length, true)
  view.setUint16(4, type, true)
  view.setUint16(6, flags | NETLINK.REQUEST, true)
  view.setUint32(8, sequence, true)
  octets.set(body, HEADER_OCTETS)
  return octets
}

/** An attribute: a number of 32 bits as nf_tables has them (big-endian), text with its 0, octets, or attributes. */
export function attribute(
  type: number,
  value: number | string | Uint8Array | readonly Uint8Array[],
): Uint8Array {
  if (Array.isArray(value)) return attribute(type | NETLINK.NESTED, Buffer.concat(value))
  const octets =
    typeof value === 'number' ? bigEndian(value) : typeof value === 'string' ? withZero(value) : value
  const { length } = octets as Uint8Array
  const whole = new Uint8Array(aligned(4 + length))
  const view = new DataView(whole.buffer)
  view.setUint16(0, 4 + length, true)
  view.setUint16(2, type, true)
  whole.set(octets as Uint8Array, 4)
  return whole
}

function bigEndian(value: number): Uint8Array {
  const octets = new Uint8Array(4)
  new DataView(octets.buffer).setInt32(0, value)
  return octets
}

const withZero = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`)

const aligned = (octets: number): number => (octets + 3) & ~3
