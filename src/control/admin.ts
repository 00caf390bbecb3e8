// The administration socket: one command a connection, a line of JSON each way. Whoever can connect may ask, so it is a Unix
// socket of the server's own user, or loopback where the Corefile says so. What speaks another protocol, as a browser would,
// is closed at its first line.
//
//   → {"command":"explain","name":"web.shop","type":"","from":"shop/curl"}
//   ← {"status":1, … }                    or {"error":"…"}

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { Meters } from '../observe/meters.ts'
import type { ThreadLog } from '../observe/thread-log.ts'
import type { Setup } from '../setup/setup.ts'
import { type AdminAddress, adminAddressText, isListening, ownAdminSocket } from '../shared/admin-socket.ts'
import type { Clock } from '../shared/clock.ts'

/** Commands at a time, those to come included; a further one takes the place of one that has not come yet, or is refused. */
export const COMMANDS_MAX = 8
/** Connections at a time, with those who follow and those who hear that they are refused. */
export const CONNECTIONS_MAX = 80
/** Octets of a command. */
export const COMMAND_MAX_OCTETS = 4096
/** Commands of any second. */
export const COMMANDS_PER_SECOND = 100
/** Octets that somebody who follows may leave unread. */
const UNREAD_MAX_OCTETS = 256 * 1024
/** How long a command may take to come, and its answer to be made, and how long a refusal waits to be read. */
const COMMAND_TIMEOUT_MS = 5000
const REFUSAL_TIMEOUT_MS = 1000
const ANSWER_TIMEOUT_MS = 60_000

/** Answers a command of this kind; what it gives is sent as JSON. A rejection is a bug, and told as an error. */
export type AdminCommand = (request: Readonly<Record<string, unknown>>) => Promise<unknown>

/** Answers a command with lines of JSON for as long as somebody reads them; what it gives ends that. A text is an error. */
export type AdminStream = (
  request: Readonly<Record<string, unknown>>,
  write: (line: object) => boolean,
) => (() => void) | string

export interface AdminOptions {
  readonly log: ThreadLog
  readonly meters: Meters
  readonly clock: Clock
  readonly commands: ReadonlyMap<string, AdminCommand>
  readonly streams?: ReadonlyMap<string, AdminStream>
}

/** Where the Corefile wants it; in a Pod the socket of the process besides, or why that cannot be. */
export function adminAddresses(
  { admin }: Pick<Setup, 'admin'>,
  env: Readonly<Record<string, string | undefined>>,
): { readonly addresses: readonly AdminAddress[]; readonly problem: string | undefined } {
  const isInPod = env.KUBERNETES_SERVICE_HOST !== undefined
  const wantsOwn = isInPod || admin.some(({ address }) => address === undefined)
  const own = wantsOwn ? ownAdminSocket() : undefined
  const given = admin.flatMap(({ address }) => address ?? [])
  if (typeof own === 'string') return { addresses: given, problem: own }
  return { addresses: own === undefined ? given : [own, ...given], problem: undefined }
}

type Result = 'answered' | 'refused' | 'malformed'

/** Listens where it is told to. */
export class Admin {
  readonly #options: AdminOptions
  #listeners = new Map<string, Server>()
  readonly #connections = new Set<Socket>()
  /** Those that have a command under way or have not sent it yet, and the latter in the order in which they came. */
  readonly #places = new Set<Socket>()
  readonly #silent = new Set<Socket>()
  #second = 0
  #commands = 0

  constructor(options: AdminOptions) {
    this.#options = options
  }

  /** Listens at these addresses and at no others; one that cannot be had is told in the log, and the server serves without. */
  async listen(addresses: readonly AdminAddress[]): Promise<void> {
    const wanted = new Map(addresses.map(address => [adminAddressText(address), address]))
    for (const [text, listener] of this.#listeners) if (!wanted.has(text)) this.#close(text, listener)
    for (const [text, address] of wanted) {
      if (this.#listeners.has(text)) continue
      const error = await this.#open(text, address)
      if (error !== undefined)
        this.#options.log.write('ERROR', 'plugin/admin', `not listening at ${text}: ${error}`)
    }
  }

  stop(): void {
    for (const socket of this.#connections) socket.destroy()
    for (const [text, listener] of this.#listeners) this.#close(text, listener)
  }

  async #open(text: string, address: AdminAddress): Promise<string | undefined> {
    if ('path' in address && !(await isFree(address.path))) return 'another server listens there'
    const listener = createServer({ allowHalfOpen: true }, socket => this.#take(socket))
    listener.maxConnections = CONNECTIONS_MAX
    listener.on('drop', () => this.#count('refused'))
    // Only its user may connect: what the file is made with, before anybody can.
    const before = process.umask(0o177)
    try {
      const error = await new Promise<Error | undefined>(resolve => {
        listener.once('error', resolve)
        listener.listen(address, () => resolve(undefined))
        process.umask(before)
      })
      if (error) return error.message
      if ('path' in address) chmodSync(address.path, 0o600)
    } finally {
      process.umask(before)
    }
    listener.on('error', () => undefined)
    listener.unref()
    this.#listeners.set(text, listener)
    return undefined
  }

  /** Commands under way are answered; the file of a Unix socket goes with its listener. */
  #close(text: string, listener: Server): void {
    this.#listeners.delete(text)
    listener.close()
  }

  #count(result: Result): void {
    this.#options.meters.counter('seamark_admin_requests_total', { result }).add()
  }

  #take(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    this.#connections.add(socket)
    socket.once('close', () => {
      this.#connections.delete(socket)
      this.#leave(socket)
    })
    socket.setTimeout(COMMAND_TIMEOUT_MS, () => socket.destroy())
    if (this.#places.size >= COMMANDS_MAX) {
      this.#count('refused')
      const [longest] = this.#silent
      if (longest === undefined) {
        this.#refuse(socket, `more than ${COMMANDS_MAX} commands are under way`)
        return
      }
      this.#leave(longest)
      longest.destroy()
    }
    this.#places.add(socket)
    this.#silent.add(socket)
    const chunks: Buffer[] = []
    let octets = 0
    let isRead = false
    socket.on('data', chunk => {
      if (isRead) return
      octets += chunk.length
      chunks.push(chunk)
      const isWhole = chunk.includes(0x0a)
      if (!isWhole && octets <= COMMAND_MAX_OCTETS) return
      isRead = true
      this.#silent.delete(socket)
      const text = Buffer.concat(chunks).toString('utf8')
      if (octets > COMMAND_MAX_OCTETS)
        this.#malformed(socket, `a command has ${COMMAND_MAX_OCTETS} octets at most`)
      else void this.#answer(socket, text.slice(0, text.indexOf('\n')))
    })
    socket.on('end', () => {
      if (!isRead) socket.destroy()
    })
  }

  /** Ends the command, whose place is free for the next one however slowly this is read. */
  #reply(socket: Socket, answer: unknown): void {
    this.#leave(socket)
    if (!socket.destroyed) socket.end(`${JSON.stringify(answer)}\n`)
  }

  #refuse(socket: Socket, error: string): void {
    socket.setTimeout(REFUSAL_TIMEOUT_MS)
    this.#reply(socket, { error })
  }

  #leave(socket: Socket): void {
    this.#places.delete(socket)
    this.#silent.delete(socket)
  }

  #malformed(socket: Socket, error: string): void {
    this.#count('malformed')
    this.#refuse(socket, error)
  }

  async #answer(socket: Socket, line: string): Promise<void> {
    const request = parse(line)
    const command = request && this.#options.commands.get(String(request.command))
    const stream = request && this.#options.streams?.get(String(request.command))
    if (!request || (!command && !stream)) {
      const known = [...this.#options.commands.keys(), ...(this.#options.streams?.keys() ?? [])].join(', ')
      this.#malformed(socket, `this is no command; there are: ${known}`)
      return
    }
    if (!this.#mayAsk()) {
      this.#count('refused')
      this.#refuse(socket, `more than ${COMMANDS_PER_SECOND} commands in a second`)
      return
    }
    if (stream) {
      this.#stream(socket, stream, request)
      return
    }
    socket.setTimeout(ANSWER_TIMEOUT_MS)
    try {
      const answer = await command!(request)
      this.#count('answered')
      this.#reply(socket, answer)
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#options.log.write('ERROR', 'plugin/admin', `recovered from a bug: ${line}: ${text}`)
      this.#reply(socket, { error: 'the server met a bug of its own; its log has it' })
    }
  }

  /** Until the other side has gone. A line for which there is no room is not written. */
  #stream(socket: Socket, stream: AdminStream, request: Readonly<Record<string, unknown>>): void {
    socket.setTimeout(0)
    const end = stream(request, line => {
      if (socket.destroyed || socket.writableLength > UNREAD_MAX_OCTETS) return false
      socket.write(`${JSON.stringify(line)}\n`)
      return true
    })
    if (typeof end === 'string') {
      this.#malformed(socket, end)
      return
    }
    this.#leave(socket)
    this.#count('answered')
    socket.once('close', end)
    socket.once('end', () => socket.destroy())
  }

  #mayAsk(): boolean {
    const second = Math.floor(this.#options.clock.nowMs() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#commands = 0
    }
    return ++this.#commands <= COMMANDS_PER_SECOND
  }
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Whether the path can be had; what a process left there that has ended is removed. */
async function isFree(path: string): Promise<boolean> {
  if (await isListening(path)) return false
  rmSync(path, { force: true })
  return true
}
