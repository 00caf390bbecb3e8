// A query as tests write it: what the client asked, how it came and what its answer may cost.

import type { Trace } from '../../src/query/packet.ts'
import type { Endpoint, Transport } from '../../src/query/sockaddr.ts'
import type { EdnsOption, Question } from '../../src/wire/message.ts'
import type { Name } from '../../src/wire/name.ts'
import type { Reply } from './reply.ts'

/** What the client's OPT record said (RFC 6891). */
export interface ClientEdns {
  readonly payloadSize: number
  readonly dnssecOk: boolean
  readonly options: readonly EdnsOption[]
}

/** One question of one client. */
export interface Query {
  readonly id: number
  readonly question: Question
  readonly recursionDesired: boolean
  /** Of a query that was handed on: whether upstreams are asked with RD. */
  readonly asksRecursion?: boolean
  readonly authenticData: boolean
  readonly checkingDisabled: boolean
  readonly edns: ClientEdns | undefined
  /** Of an IXFR: the serial of the zone that the client has (RFC 1995 section 3). */
  readonly ixfrSerial?: number | undefined
  /** Options that the Corefile adds for the upstream (`rewrite edns0`); those of the client go nowhere. */
  readonly addedOptions?: readonly EdnsOption[] | undefined
  readonly transport: Transport
  readonly client: Endpoint
  readonly local: Endpoint
  /** Labels of the metrics: the listener (`dns://:53`), the zone of the server block (`.`), and its view or ''. */
  readonly server: string
  readonly zone: string
  readonly view: string
  /** The octets the client sent (for logs and sizes). */
  readonly requestOctets: number
  /** The largest reply the client takes over this transport. */
  readonly replyMaxOctets: number
  /** On the monotonic clock, in ms: when it came, and when nobody waits for an answer any more. */
  readonly receivedAtMs: number
  readonly deadlineMs: number
  /** What one client query may still cost: look-ups a plugin starts on its behalf. */
  readonly budget: Budget
  /** Facts that plugins leave for one another and for the log: metadata labels (`kubernetes/namespace`). */
  readonly metadata: Map<string, string>
  /** Who wants to know what becomes of it. */
  readonly trace?: Trace | undefined
  /** Asks the whole server a question on this query's behalf (ExternalName and CNAME targets). */
  lookup(qname: Name, qtype: number): Promise<Reply>
}

/** A bound shared by a query and everything asked on its behalf. */
export interface Budget {
  lookupsLeft: number
}
