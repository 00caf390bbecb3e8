// What every listener is to its owner, whatever its transport: how it is asked for, and what it gives back.

import type { Transport } from '../query/sockaddr.ts'
import type { Clock } from '../shared/clock.ts'
import type { CountListen } from './events.ts'
import type { Responder } from './responder.ts'

/**
 * The longest query that is read whole over UDP; of a longer datagram the responder sees the first 4096
 * octets.
 */
export const UDP_QUERY_MAX_OCTETS = 4096
/** Room for one reply over UDP; the client's own payload size binds below it. */
export const UDP_REPLY_MAX_OCTETS = 4096

/** No port, and those of echo, daytime, quote of the day, chargen and time (RFC 862, 867, 865, 864, 868): what answers everything. */
const ANSWERING_PORTS = [0, 7, 13, 17, 19, 37]

/**
 * Whether datagrams from this port are not answered: two servers that answer whatever comes would never stop, and nobody's
 * resolver asks from there.
 */
export const answersEverything = (port: number): boolean => port < 38 && ANSWERING_PORTS.includes(port)

/** A socket that was opened before the server was (passed-sockets.ts), as plain data. */
export interface PassedSocket {
  readonly fd: number
  /** What its unit calls it: FileDescriptorName=. */
  readonly name: string
  readonly transport: 'udp' | 'tcp'
  /** Canonical; 0.0.0.0 or :: for all of its family. */
  readonly address: string
  readonly port: number
}

/** What a listener needs; one set serves all listeners of a thread. */
export interface ListenOptions {
  /**
   * An IP address, IPv6 with `%interface` where it is link-local; 0.0.0.0 or :: for all of that family; '' for
   * all of both.
   */
  readonly address: string
  /** 0 takes a free port. */
  readonly port: number
  readonly responder: Responder
  readonly clock: Clock
  readonly count: CountListen
  /** Sockets that are open already, for whatever addresses. */
  readonly passed?: readonly PassedSocket[]
}

export type ListenerKind = 'udp-batch' | 'udp-dgram' | 'tcp' | 'tls' | 'https'

/** An open listener. */
export interface Listener {
  readonly kind: ListenerKind
  readonly address: string
  /** The port in use, also where 0 was asked. */
  readonly port: number
  /**
   * Answers what has come in, takes no more connections and slow queries, waits for those in flight, then
   * closes. Resolves when all is closed; `close` cuts it short.
   */
  drain(): Promise<void>
  /** Closes at once: whatever is in flight stays unanswered. May be called again, also during `drain`. */
  close(): Promise<void>
}

export type ListenResult<L extends Listener = Listener> =
  | { readonly ok: true; readonly listener: L }
  | { readonly ok: false; readonly error: ListenError }

/**
 * A socket that could not be opened. `code` is the system's: EADDRINUSE, EACCES, EADDRNOTAVAIL, EAFNOSUPPORT…
 */
export class ListenError extends Error {
  readonly code: string
  readonly address: string
  readonly port: number
  readonly transport: Transport

  constructor(transport: Transport, address: string, port: number, code: string, cause?: unknown) {
    super(
      `listening on ${portText(address, port)} over ${transport.toUpperCase()}: ${REASONS[code] ?? code}`,
      { cause },
    )
    this.name = 'ListenError'
    this.code = code
    this.address = address
    this.port = port
    this.transport = transport
  }
}

/** An address and a port, in words. */
export const portText = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use by another program (EADDRINUSE)',
  EACCES: 'ports below 1024 need root or the capability NET_BIND_SERVICE (EACCES)',
  EPERM: 'the system does not permit it (EPERM)',
  EADDRNOTAVAIL: 'this machine has no such address (EADDRNOTAVAIL)',
  EAFNOSUPPORT: 'this machine has no addresses of that family (EAFNOSUPPORT)',
  EMFILE: 'too many open files (EMFILE)',
  ENFILE: 'too many open files on this machine (ENFILE)',
}

/** The `code` of a system error, or the given one. */
export function codeOf(error: unknown, otherwise = 'EUNKNOWN'): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : otherwise
}

/** One address of a listener. `optional`: of a wildcard, a family that the machine may lack. */
export interface BindPart {
  readonly address: string
  readonly family: 4 | 6
  readonly optional: boolean
}

/** '' is both families, of which IPv6 may be missing; anything else is itself. */
export function bindParts(address: string): readonly BindPart[] {
  if (address !== '') return [{ address, family: address.includes(':') ? 6 : 4, optional: false }]
  return [
    { address: '0.0.0.0', family: 4, optional: false },
    { address: '::', family: 6, optional: true },
  ]
}

/** Errors that say that a family is missing, not that a port is taken. */
export const isAddressMissing = (code: string): boolean =>
  code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT' || code === 'EINVAL'

const PORT_ATTEMPTS = 8

/**
 * Opens all parts on one port, or none: with port 0 the first part's free port may be taken in another
 * family, and then another one is tried. `open` gives the opened part and its port.
 */
export async function openParts<T extends { readonly port: number; close(): Promise<void> }>(
  parts: readonly BindPart[],
  port: number,
  open: (part: BindPart, port: number) => Promise<T | ListenError>,
): Promise<readonly T[] | ListenError> {
  for (let attempt = 1; ; attempt++) {
    const opened: T[] = []
    let failure: ListenError | undefined
    for (const part of parts) {
      const one = await open(part, opened[0]?.port ?? port)
      if (!(one instanceof ListenError)) opened.push(one)
      else if (!part.optional || !isAddressMissing(one.code)) {
        failure = one
        break
      }
    }
    if (!failure && opened.length > 0) return opened
    await Promise.all(opened.map(one => one.close()))
    const mayRetry = port === 0 && failure?.code === 'EADDRINUSE' && attempt < PORT_ATTEMPTS
    if (!mayRetry) {
      return failure ?? new ListenError('udp', parts[0]?.address ?? '', port, 'EADDRNOTAVAIL')
    }
  }
}
