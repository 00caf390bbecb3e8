// An answer as it is kept and compared: without its ID, sizes, compression, cookies, keepalive and padding, and with names in
// place of ports, folders and whatever a case masks.

import { type Decoded, decodeMessage, type Flags, MalformedMessage } from '../support/dns-message.ts'
import type { EdnsOption } from '../support/dns-question.ts'
import type { Mask } from './cases.ts'

/** A record: owner, TTL in seconds, type (behind its class where that is not IN), data. */
export type Entry = readonly [name: string, ttl: number, type: string, data: string]

/** A reply. */
export interface Reply {
  readonly rcode: string
  /** Header bits but QR, sorted. */
  readonly flags: string
  /** Each `NAME TYPE CLASS`. */
  readonly question: readonly string[]
  /** Where it is another one than the question's. */
  readonly opcode?: number
  readonly answer: readonly Entry[]
  readonly authority: readonly Entry[]
  readonly additional: readonly Entry[]
  readonly edns?: {
    readonly do: boolean
    readonly version: number
    /** Sorted `CODE:HEX`. */
    readonly options: readonly string[]
    /** `CODE TEXT`, where the case compares extended errors. */
    readonly ede?: readonly string[]
  }
}

/** What came of a question: a reply, or in a word why there is none; and what the upstreams were asked meanwhile. */
export type Answer = (Reply | { readonly outcome: string }) & { readonly seen?: readonly string[] }

const EXTENDED_ERROR = 15
/** Cookie, keepalive, padding. */
const OPTIONS_LEFT_OUT = new Set([10, 11, 12])

/** The header bits that are set, QR and reserved ones left out, sorted. */
export const flagWords = (flags: Flags): string =>
  (['aa', 'ad', 'cd', 'ra', 'rd', 'tc'] as const)
    .filter(flag => flags[flag])
    .join(' ')
    .toUpperCase()

/** Options as sorted `CODE:HEX`. */
export const optionWords = (options: readonly EdnsOption[]): string[] =>
  options.map(({ code, data }) => `${code}:${Buffer.from(data).toString('hex')}`).sort()

/** The octets of a reply, or why there is none, as an answer. `ede`: with extended errors. */
export function answerOf(
  got: Uint8Array | string,
  asked: { readonly opcode: number; readonly masks: readonly Mask[]; readonly ede: boolean },
): Answer {
  if (typeof got === 'string') return { outcome: got }
  try {
    return masked(replyOf(decodeMessage(got), asked), asked.masks)
  } catch (error) {
    if (error instanceof MalformedMessage) return { outcome: 'unreadable' }
    throw error
  }
}

function replyOf(decoded: Decoded, asked: { readonly opcode: number; readonly ede: boolean }): Reply {
  const { records, edns, opcode } = decoded
  const shown = (edns?.options ?? []).filter(({ code }) => !OPTIONS_LEFT_OUT.has(code))
  const errors = shown.filter(({ code }) => code === EXTENDED_ERROR)
  return {
    rcode: decoded.rcode,
    flags: flagWords(decoded.flags),
    question: decoded.question.map(text => text.replace(/^(\S+) (\S+) (\S+)$/, '$1 $3 $2')),
    ...(opcode === asked.opcode ? {} : { opcode }),
    answer: records.answer.map(entryOf),
    authority: records.authority.map(entryOf),
    additional: records.additional.map(entryOf),
    ...(edns && {
      edns: {
        do: edns.dnssecOk,
        version: edns.version,
        options: optionWords(shown.filter(({ code }) => code !== EXTENDED_ERROR)),
        ...(asked.ede && { ede: errors.map(({ data }) => errorText(Buffer.from(data))) }),
      },
    }),
  }
}

const entryOf = ({
  name,
  ttlSeconds,
  class: rrclass,
  type,
  data,
}: Decoded['records']['answer'][number]): Entry => [
  name,
  ttlSeconds,
  rrclass === 'IN' ? type : `${rrclass} ${type}`,
  data,
]

/** The code and the text of an extended error (RFC 8914 2). */
const errorText = (data: Buffer): string => `${data.readUInt16BE(0)} ${data.toString('utf8', 2)}`.trim()

/** With the masks applied to its text, in which a blank stands behind each comma and colon: `"rcode": "NOERROR", "flags": "RD"`. */
function masked(reply: Reply, masks: readonly Mask[]): Reply {
  const text = JSON.stringify(reply, null, 1).replace(/\n */g, ' ')
  return JSON.parse(maskText(text, masks)) as Reply
}

/** Every match of each pattern replaced, `\1` in what is put for its first group. */
export const maskText = (text: string, masks: readonly Mask[]): string =>
  masks.reduce(
    (before, [pattern, put]) =>
      before.replace(new RegExp(pattern, 'g'), put.replaceAll('$', '$$$$').replace(/\\(\d)/g, '$$$1')),
    text,
  )
