// The memory that recvmmsg and sendmmsg work on: headers, vectors, addresses, control messages, queries and
// replies of one batch, in one buffer whose address is taken once. All UDP sockets of a thread share it, as a
// batch is answered before the next one is read. Layouts of Linux on 64 bits, alike for glibc, musl, x64 and
// arm64 (recvmmsg(2), cmsg(3)):
//
//   mmsghdr  0 name *  8 name length  16 iovec *  24 iovec count  32 control *  40 control length  48 flags
//            56 datagram length
//   iovec    0 base *  8 length
//   cmsghdr  0 length  8 level  12 type  16 in_pktinfo { interface, our address, its destination }, 12 octets
//                                        or in6_pktinfo { our address, interface }, 20 octets

import { SOCKADDR_MAX_OCTETS } from '../query/sockaddr.ts'
import type { Libc } from './libc.ts'
import { UDP_QUERY_MAX_OCTETS, UDP_REPLY_MAX_OCTETS } from './listener.ts'

/** Datagrams of one batch. */
export const BATCH_MAX = 64
/** The longest control message that is asked for: cmsghdr and in6_pktinfo, padded. */
export const CONTROL_MAX_OCTETS = 40

const HEADER_STRIDE = 64
const IOVEC_STRIDE = 16
/** A socket address, and the control message of its query at CONTROL_AT behind it: FROM_MAX_OCTETS at most. */
const FROM_STRIDE = 96
export const CONTROL_AT = 32
// A line more than a power of two, or the heads of all queries would share one set of the cache.
const QUERY_STRIDE = UDP_QUERY_MAX_OCTETS + 64
const REPLY_STRIDE = UDP_REPLY_MAX_OCTETS + 64

const RECEIVE_HEADERS = 0
const SEND_HEADERS = RECEIVE_HEADERS + BATCH_MAX * HEADER_STRIDE
const RECEIVE_IOVECS = SEND_HEADERS + BATCH_MAX * HEADER_STRIDE
const SEND_IOVECS = RECEIVE_IOVECS + BATCH_MAX * IOVEC_STRIDE
const FROMS = SEND_IOVECS + BATCH_MAX * IOVEC_STRIDE
const QUERIES = FROMS + BATCH_MAX * FROM_STRIDE
const REPLIES = QUERIES + BATCH_MAX * QUERY_STRIDE
const TOTAL_OCTETS = REPLIES + BATCH_MAX * REPLY_STRIDE
const FOUR_GIB = 2 ** 32

export class BatchMemory {
  readonly octets: Uint8Array
  readonly #words: Uint32Array
  readonly #base: number
  /** Whose address and control message each send header has at the moment. */
  readonly #sendSlots = Uint8Array.from({ length: BATCH_MAX }, (_, slot) => slot)

  constructor(libc: Libc) {
    let octets = new Uint8Array(TOTAL_OCTETS)
    // Only the lower halves of pointers are ever rewritten.
    while (crossesFourGib(libc.addressOf(octets))) octets = new Uint8Array(TOTAL_OCTETS)
    this.octets = octets
    this.#words = new Uint32Array(octets.buffer)
    this.#base = libc.addressOf(octets)
    for (let slot = 0; slot < BATCH_MAX; slot++) {
      const receive = RECEIVE_HEADERS + slot * HEADER_STRIDE
      const send = SEND_HEADERS + slot * HEADER_STRIDE
      for (const header of [receive, send]) {
        this.#point(header, this.fromAt(slot))
        this.#point(header + 32, this.fromAt(slot) + CONTROL_AT)
        this.#words[(header + 24) >> 2] = 1
      }
      this.#point(receive + 16, RECEIVE_IOVECS + slot * IOVEC_STRIDE)
      this.#point(send + 16, SEND_IOVECS + slot * IOVEC_STRIDE)
      this.#point(RECEIVE_IOVECS + slot * IOVEC_STRIDE, this.queryAt(slot))
      this.#words[(RECEIVE_IOVECS + slot * IOVEC_STRIDE + 8) >> 2] = UDP_QUERY_MAX_OCTETS
      this.#point(SEND_IOVECS + slot * IOVEC_STRIDE, this.replyAt(slot))
    }
    this.readyToReceive(BATCH_MAX)
  }

  #point(at: number, to: number): void {
    const address = this.#base + to
    this.#words[at >> 2] = address % FOUR_GIB
    this.#words[(at >> 2) + 1] = Math.floor(address / FOUR_GIB)
  }

  get receiveHeaders(): number {
    return this.#base + RECEIVE_HEADERS
  }

  /** Where the send header of that slot lies. */
  sendHeaders(slot: number): number {
    return this.#base + SEND_HEADERS + slot * HEADER_STRIDE
  }

  /** Sets the lengths that the kernel overwrote in the first `count` receive headers. */
  readyToReceive(count: number): void {
    for (let slot = 0; slot < count; slot++) {
      const header = (RECEIVE_HEADERS + slot * HEADER_STRIDE) >> 2
      this.#words[header + 2] = SOCKADDR_MAX_OCTETS
      this.#words[header + 10] = CONTROL_MAX_OCTETS
    }
  }

  /** Octets of the datagram received in that slot: at most UDP_QUERY_MAX_OCTETS, whatever was cut off. */
  queryOctets(slot: number): number {
    return this.#words[(RECEIVE_HEADERS + slot * HEADER_STRIDE + 56) >> 2]!
  }

  queryAt(slot: number): number {
    return QUERIES + slot * QUERY_STRIDE
  }

  replyAt(slot: number): number {
    return REPLIES + slot * REPLY_STRIDE
  }

  /** Where the sender's socket address is; the control message of its query is CONTROL_AT behind it. */
  fromAt(slot: number): number {
    return FROMS + slot * FROM_STRIDE
  }

  /** Octets of the control message received in that slot. */
  controlOctets(slot: number): number {
    return this.#words[(RECEIVE_HEADERS + slot * HEADER_STRIDE + 40) >> 2]!
  }

  /** Makes send header `slot` a reply of `octets` to the sender in `fromSlot`, with its control message. */
  reply(slot: number, octets: number, fromSlot: number, nameOctets: number, controlOctets: number): void {
    const words = this.#words
    const header = (SEND_HEADERS + slot * HEADER_STRIDE) >> 2
    if (this.#sendSlots[slot] !== fromSlot) {
      this.#sendSlots[slot] = fromSlot
      words[header] = (this.#base + this.fromAt(fromSlot)) % FOUR_GIB
      words[header + 8] = (this.#base + this.fromAt(fromSlot) + CONTROL_AT) % FOUR_GIB
    }
    words[header + 2] = nameOctets
    words[header + 10] = controlOctets
    words[(SEND_IOVECS + slot * IOVEC_STRIDE + 8) >> 2] = octets
  }
}

const crossesFourGib = (address: number): boolean =>
  Math.floor(address / FOUR_GIB) !== Math.floor((address + TOTAL_OCTETS) / FOUR_GIB)
