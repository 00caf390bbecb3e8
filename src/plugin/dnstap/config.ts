// What the `dnstap` directives of a block are told, as data.

/** What a receiver listens at. */
export type Endpoint =
  | { readonly protocol: 'unix'; readonly path: string }
  | { readonly protocol: 'tcp' | 'tls'; readonly host: string; readonly port: number }

/** The messages that are sent, by their names and numbers in dnstap.proto. */
export const MESSAGE_TYPES = {
  CLIENT_QUERY: 5,
  CLIENT_RESPONSE: 6,
  FORWARDER_QUERY: 7,
  FORWARDER_RESPONSE: 8,
} as const
export type MessageType = keyof typeof MESSAGE_TYPES

/** Messages that wait for their receiver, of all threads together: times `queue`. */
export const QUEUE_MESSAGES = 10_000
/** Octets of them, likewise, and beyond it nothing waits however short the queue is. */
export const QUEUE_OCTETS = 16 * 2 ** 20
export const WRITE_BUFFER_MAX = 1024
export const QUEUE_MAX = 4096

/** One receiver. */
export interface TapConfig {
  readonly endpoint: Endpoint
  /** As written, for logs and metrics. */
  readonly text: string
  /** Whether the messages of DNS themselves are in it. */
  readonly full: boolean
  /** Multiples of QUEUE_MESSAGES and QUEUE_OCTETS. */
  readonly queue: number
  readonly identity: string
  readonly version: string
  /** With placeholders as `log` has them; '' for none. */
  readonly extra: string
  /** Whether any certificate is taken. */
  readonly skipVerify: boolean
  readonly types: readonly MessageType[]
}

/** The configuration of `dnstap`. */
export interface DnstapConfig {
  readonly taps: readonly TapConfig[]
}
