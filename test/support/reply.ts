// A reply as tests write it and look at it: one small function per outcome (RFC 2308 for the negative ones). trees.ts makes packets
// of it, and it of packets.

import type { RecordStream } from '../../src/query/zone-copy.ts'
import type { ExtendedError } from '../../src/wire/extended-error.ts'
import type { EdnsOption } from '../../src/wire/message.ts'
import { RCODE } from '../../src/wire/rcode.ts'
import type { Rr } from '../../src/wire/record.ts'
import type { Query } from './query.ts'

export interface Reply {
  readonly rcode: number
  readonly authoritative: boolean
  readonly recursionAvailable: boolean
  readonly authenticData: boolean
  /** RD where `header` makes it another than the query's. */
  readonly recursionDesired?: boolean | undefined
  /** Set where a nested or upstream answer was cut; the writer sets it too when something does not fit. */
  readonly truncated: boolean
  readonly answer: readonly Rr[]
  readonly authority: readonly Rr[]
  readonly additional: readonly Rr[]
  /** A zone transfer, in place of an answer section: over TCP and TLS only. No other plugin touches it. */
  readonly transfer?: RecordStream | undefined
  readonly extendedError?: ExtendedError | undefined
  /** Options for a client that speaks EDNS, besides the extended error; left out where the reply has no room for them. */
  readonly options?: readonly EdnsOption[] | undefined
  /** The plugin that wrote it, for the metrics; '' where the server itself did. */
  readonly plugin: string
  /** What went wrong on the way, for `errors`: `plugin/errors: 2 name. A: MESSAGE`. The client never sees it. */
  readonly error?: string | undefined
}

/** Silence: the query is dropped without an answer. */
export const DROP = Symbol('drop')

/** What a handler gives back: a reply, or silence. */
export type Outcome = Reply | typeof DROP

export type MaybePromise<T> = T | Promise<T>

const bare: Reply = {
  rcode: RCODE.NOERROR,
  authoritative: false,
  recursionAvailable: false,
  authenticData: false,
  truncated: false,
  answer: [],
  authority: [],
  additional: [],
  plugin: '',
}

/** A reply of our own authority with records. */
export const answer = (plugin: string, records: readonly Rr[], additional: readonly Rr[] = []): Reply => ({
  ...bare,
  authoritative: true,
  answer: records,
  additional,
  plugin,
})

/** The name exists, the type does not (RFC 2308 2.2). */
export const nodata = (plugin: string, soa: Rr): Reply => ({
  ...bare,
  authoritative: true,
  authority: [soa],
  plugin,
})

/** The name does not exist (RFC 2308 2.1). */
export const nxdomain = (plugin: string, soa: Rr): Reply => ({
  ...nodata(plugin, soa),
  rcode: RCODE.NXDOMAIN,
})

/** A reply with nothing but its code: what the server writes when a plugin wrote nothing (docs/coredns.md 2.1). */
export const failure = (rcode: number, extendedError?: ExtendedError, error?: string): Reply => ({
  ...bare,
  rcode,
  extendedError,
  error,
})

/** The server cannot answer now (RFC 1035 4.1.1). */
export const servfail = (extendedError?: ExtendedError, error?: string): Reply =>
  failure(RCODE.SERVFAIL, extendedError, error)

/** The server does not want to answer (RFC 1035 4.1.1). */
export const refused = (extendedError?: ExtendedError): Reply => failure(RCODE.REFUSED, extendedError)

/** Hands the query to the rest of the chain. */
export type Next = (query: Query) => MaybePromise<Outcome>
