// HOT: questions to one upstream over UDP. They go out on a bounded set of connected sockets, each with a port that the kernel
// chose at random; those of one turn of the loop take any of them, so that one call sends them all, and each an ID that nobody
// knows and that is free there.
//
// What somebody off the path must guess to be heard (RFC 5452 section 9.2): the port, one of 28,232, and the ID: 31 bits. Who
// knows which ports are open, by whatever means, has to guess which of SOCKETS and the ID: 20 bits, and a socket is replaced
// after AGE_MAX_MS or QUESTIONS_MAX. CoreDNS uses a socket again that was used less than 10 s ago: where it asks often, the port
// is always the same, and who knows it guesses 16 bits. A new port for every question, as here before, was an entry in the
// node's conntrack table for each for 30 to 120 s: at 5,000 questions a second more than the 262,144 that a node has.
//
// Of equal questions only one is under way (flights.ts), so that nobody has many to guess at. The kernel delivers what comes
// from the upstream's address and port only. A message whose ID nobody waits for counts against the question that it names,
// unless it is one that comes late, of which a socket knows the last few.

import type { Clock, Timer } from '../../shared/clock.ts'
import { HashIndex, hashNumber, hashOf } from '../../shared/hash-index.ts'
import { HEADER_OCTETS, readU16 } from '../../wire/header.ts'
import type { AskedMessage } from './asked.ts'
import { draw } from './draw.ts'
import { errorText, type Operation, operationText, timeoutText } from './error-text.ts'
import { isAsked, questionEndOf } from './reply.ts'

/** Sockets in use to one upstream, on one serving thread. */
export const SOCKETS = 16
/** A socket takes no more questions after so long, and so many. */
export const AGE_MAX_MS = 10_000
export const QUESTIONS_MAX = 1000
/** Sockets that wait for their last answers; while there are more, none is replaced. */
const LEAVING_MAX = 64
/** Questions under way to one upstream. */
export const ASKERS_MAX = 4096
/** Answers that may still come and nobody waits for: those are not somebody's guesses. */
const OWED_MAX = 64
const NO_ID = -1

/** A question that waits for its reply over UDP. */
export interface UdpAsker {
  readonly question: AskedMessage
  readonly edns: boolean
  /** How often the question was sent, and how many messages with its ID have come. */
  sends: number
  heard: number
  /** The socket, its id there, and its place among the askers: the set's. */
  socket: OpenSocket | undefined
  id: number
  slot: number
  /** A message for it, or one that says so, in octets[start … end), which are another one's after the call. */
  datagram(octets: Uint8Array, start: number, end: number): void
  /** A message that names its question and is not for it. */
  mismatch(): void
  /** Nothing will come any more. */
  udpFailed(text: string): void
}

/** A connected socket. */
export interface UdpSocket {
  /** Where it is bound; undefined before. */
  readonly local: Operation['local']
  /** Sends the asker's question, before long. */
  send(asker: UdpAsker): void
  close(): void
}

/** What a socket tells its set. */
export interface UdpSocketOwner {
  /** A message came. */
  received(octets: Uint8Array, start: number, end: number): void
  /** An error: nobody listens there, or the network is gone. What waits fails. */
  broken(
    verb: Operation['verb'],
    error: { readonly code?: string | undefined; readonly message: string },
  ): void
}

/** Opens sockets: in batches of system calls, or node's. */
export type OpenUdp = (
  remote: { readonly address: string; readonly port: number },
  sourceAddress: string | undefined,
  owner: UdpSocketOwner,
) => UdpSocket | { readonly code: string }

export interface UdpOptions {
  readonly remote: { readonly address: string; readonly port: number }
  readonly sourceAddress: string | undefined
  readonly clock: Clock
  readonly open: OpenUdp
}

/** The sockets to one upstream. */
export class UdpSockets {
  readonly #options: UdpOptions
  readonly #sockets: (OpenSocket | undefined)[] = new Array<OpenSocket | undefined>(SOCKETS).fill(undefined)
  /** Those that take no more questions. */
  readonly #leaving = new Set<OpenSocket>()
  readonly #askers: (UdpAsker | undefined)[] = [undefined]
  readonly #free: number[] = []
  /** Askers by socket and id. */
  readonly #byId = new HashIndex(ASKERS_MAX)
  /** And by what they ask. */
  readonly #byQuestion = new HashIndex(ASKERS_MAX)
  readonly #seed = draw() * 65536 + draw()
  #serial = 0
  #sweep: Timer | undefined
  /** Which of the sockets takes what is asked in this turn; -1: that is to be drawn. */
  #pickedAt = -1
  readonly #turnOver = (): void => {
    this.#pickedAt = -1
  }

  constructor(options: UdpOptions) {
    this.#options = options
  }

  /** Sockets that are open. */
  get size(): number {
    return this.#sockets.filter(socket => socket !== undefined).length + this.#leaving.size
  }

  /** Sends a question; the asker hears of what comes until `forget`. */
  ask(asker: UdpAsker): void {
    const socket = this.#pick()
    if (typeof socket === 'string') {
      asker.udpFailed(socket)
      return
    }
    let id = draw()
    while (this.#find(socket, id) !== undefined) id = draw()
    const slot = this.#place(socket, id, asker)
    if (slot === 0) {
      asker.udpFailed(operationText(this.#operation('write', socket), 'too many queries under way'))
      return
    }
    this.#askers[slot] = asker
    asker.slot = slot
    asker.socket = socket
    asker.id = id
    asker.sends = 1
    asker.heard = 0
    socket.waiting++
    socket.questions++
    socket.send(asker)
  }

  /** Finds it by its ID, and by its question; 0 where there is no place for it. */
  #place(socket: OpenSocket, id: number, { question }: UdpAsker): number {
    const slot =
      this.#free.pop() ?? (this.#askers.length <= ASKERS_MAX ? this.#askers.push(undefined) - 1 : 0)
    if (slot === 0) return 0
    if (this.#byId.add(this.#hash(socket, id), slot)) {
      if (this.#byQuestion.add(this.#hashOf(question.question, 0, question.questionEnd), slot)) return slot
      this.#byId.remove(this.#hash(socket, id), slot)
    }
    this.#free.push(slot)
    return 0
  }

  /** Sends the question again, as it went out. */
  again(asker: UdpAsker): void {
    asker.sends++
    asker.socket?.send(asker)
  }

  /** The asker hears no more. */
  forget(asker: UdpAsker): void {
    const { socket } = asker
    if (socket === undefined) return
    const { question, questionEnd } = asker.question
    this.#byId.remove(this.#hash(socket, asker.id), asker.slot)
    this.#byQuestion.remove(this.#hashOf(question, 0, questionEnd), asker.slot)
    if (asker.sends > asker.heard) socket.owe(asker.id)
    this.#askers[asker.slot] = undefined
    this.#free.push(asker.slot)
    asker.socket = undefined
    if (--socket.waiting === 0 && this.#leaving.delete(socket)) socket.close()
  }

  /** In words, that no answer came in time. */
  timeoutOf(asker: UdpAsker): string {
    return timeoutText(this.#operation('read', asker.socket))
  }

  /** Closes all; what waits fails with that text. */
  stop(text: string): void {
    this.#sweep?.cancel()
    for (const socket of [...this.#sockets, ...this.#leaving]) if (socket) this.#end(socket, text)
  }

  /** A message came on a socket. */
  received(socket: OpenSocket, octets: Uint8Array, start: number, end: number): void {
    const id = end - start < 2 ? NO_ID : readU16(octets, start)
    const asker = id === NO_ID ? undefined : this.#find(socket, id)
    if (asker) {
      asker.heard++
      asker.datagram(octets, start, end)
    } else if (id === NO_ID || !socket.owes(id)) this.#named(socket, octets, start, end)?.mismatch()
  }

  /** Whoever asks what a message is about; where it does not say, the one who waits, if it is only one. */
  #named(socket: OpenSocket, octets: Uint8Array, start: number, end: number): UdpAsker | undefined {
    const questionEnd = questionEndOf(octets, start, end)
    if (questionEnd === 0)
      return socket.waiting === 1 ? this.#askers.find(asker => asker?.socket === socket) : undefined
    const index = this.#byQuestion
    for (let slot = index.first(this.#hashOf(octets, start, questionEnd)); slot !== 0; slot = index.next()) {
      const asker = this.#askers[slot]
      if (asker && isAsked(octets, start, end, asker.question)) return asker
    }
    return undefined
  }

  /** A socket is of no use any more: what waits on it fails, and whoever asks next gets another one. */
  broken(
    socket: OpenSocket,
    verb: Operation['verb'],
    error: { readonly code?: string | undefined; readonly message: string },
  ): void {
    this.#end(socket, errorText(this.#operation(verb, socket), error as NodeJS.ErrnoException))
  }

  #end(socket: OpenSocket, text: string): void {
    const at = this.#sockets.indexOf(socket)
    if (at >= 0) this.#sockets[at] = undefined
    this.#leaving.delete(socket)
    socket.close()
    if (socket.waiting === 0) return
    for (const asker of this.#askers) {
      if (asker?.socket !== socket) continue
      this.forget(asker)
      asker.udpFailed(text)
    }
  }

  /** Any of the sockets, the same for all who ask in this turn, opened where there is none; in words why not. */
  #pick(): OpenSocket | string {
    if (this.#pickedAt < 0) {
      this.#pickedAt = draw() % SOCKETS
      queueMicrotask(this.#turnOver)
    }
    const at = this.#pickedAt
    const known = this.#sockets[at]
    const nowMs = this.#options.clock.nowMs()
    const isWorn = known && (known.questions >= QUESTIONS_MAX || nowMs - known.openedMs >= AGE_MAX_MS)
    if (known && (!isWorn || this.#leaving.size >= LEAVING_MAX)) return known
    const { remote, sourceAddress, open } = this.#options
    const socket = new OpenSocket(this, ++this.#serial, nowMs)
    const opened = open(remote, sourceAddress, socket)
    const trouble =
      'code' in opened ? Object.assign(new Error(opened.code), { code: opened.code }) : socket.trouble
    if ('code' in opened || trouble) {
      if ('close' in opened) opened.close()
      // Without descriptors what is open has to do.
      const other = known ?? this.#sockets.find(each => each !== undefined)
      return other ?? errorText({ verb: 'dial', protocol: 'udp', remote }, trouble as NodeJS.ErrnoException)
    }
    socket.opened = opened
    if (known) this.#leave(known)
    this.#sockets[at] = socket
    this.#sweep ??= this.#options.clock.after(AGE_MAX_MS, () => this.#sweepWorn())
    return socket
  }

  #leave(socket: OpenSocket): void {
    if (socket.waiting > 0) this.#leaving.add(socket)
    else socket.close()
  }

  /**
   * Nobody may ask for long: what is old is closed all the same, but for the youngest, as there may be no descriptor for
   * another one.
   */
  #sweepWorn(): void {
    this.#sweep = undefined
    const nowMs = this.#options.clock.nowMs()
    let youngest: OpenSocket | undefined
    for (const socket of this.#sockets)
      if (socket && socket.openedMs >= (youngest?.openedMs ?? 0)) youngest = socket
    this.#sockets.forEach((socket, at) => {
      if (!socket || socket === youngest || nowMs - socket.openedMs < AGE_MAX_MS) return
      this.#sockets[at] = undefined
      this.#leave(socket)
    })
    if (this.#sockets.some(socket => socket !== undefined && socket !== youngest))
      this.#sweep = this.#options.clock.after(AGE_MAX_MS / 4, () => this.#sweepWorn())
  }

  #hash(socket: OpenSocket, id: number): number {
    return hashNumber(this.#seed, (socket.serial << 16) ^ id)
  }

  #hashOf(octets: Uint8Array, start: number, questionEnd: number): number {
    return hashOf(this.#seed, octets, start + HEADER_OCTETS, questionEnd)
  }

  #find(socket: OpenSocket, id: number): UdpAsker | undefined {
    const index = this.#byId
    for (let slot = index.first(this.#hash(socket, id)); slot !== 0; slot = index.next()) {
      const asker = this.#askers[slot]
      if (asker?.socket === socket && asker.id === id) return asker
    }
    return undefined
  }

  #operation(verb: Operation['verb'], socket: OpenSocket | undefined): Operation {
    return { verb, protocol: 'udp', local: socket?.opened?.local, remote: this.#options.remote }
  }
}

/** A socket of a set. */
export class OpenSocket implements UdpSocketOwner {
  readonly serial: number
  readonly openedMs: number
  opened: UdpSocket | undefined
  /** What went wrong while it was opened. */
  trouble: { readonly code?: string | undefined; readonly message: string } | undefined
  /** Questions that were asked on it, and those that wait. */
  questions = 0
  waiting = 0
  /** IDs to which an answer may still come that nobody waits for. */
  readonly #owed = new Int32Array(OWED_MAX).fill(NO_ID)
  #owedAt = 0
  readonly #set: UdpSockets

  constructor(set: UdpSockets, serial: number, openedMs: number) {
    this.#set = set
    this.serial = serial
    this.openedMs = openedMs
  }

  send(asker: UdpAsker): void {
    this.opened?.send(asker)
  }

  close(): void {
    this.opened?.close()
  }

  owe(id: number): void {
    this.#owed[this.#owedAt++ % OWED_MAX] = id
  }

  owes(id: number): boolean {
    return this.#owed.includes(id)
  }

  received(octets: Uint8Array, start: number, end: number): void {
    this.#set.received(this, octets, start, end)
  }

  broken(
    verb: Operation['verb'],
    error: { readonly code?: string | undefined; readonly message: string },
  ): void {
    if (this.opened) this.#set.broken(this, verb, error)
    else this.trouble ??= error
  }
}
