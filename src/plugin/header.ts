// `header { query|response set|clear FLAG… }`: sets and clears flags of the header (CoreDNS plugin/header), in the order
// of the lines.
//
//   header {
//     query clear rd       asked upstream without RD; the reply repeats it
//     response set ra      of replies that a plugin wrote; a bare SERVFAIL or REFUSED stays as it is
//   }

import { first, type Line, readLine } from '../corefile/arguments.ts'
import type { Token } from '../corefile/token.ts'
import { pluginIndex } from '../observe/query-meters.ts'
import { BACK, DONE, type Kept, type Packet, type Step } from '../query/packet.ts'
import { FLAG_AA, FLAG_RA } from '../wire/header.ts'
import type { Handler, Word } from './plugin.ts'

const NOBODY = pluginIndex('')

const WAYS = ['query', 'response'] as const
const ACTIONS = ['set', 'clear'] as const
const FLAGS = ['aa', 'ra', 'rd'] as const

type Flags = Partial<Record<(typeof FLAGS)[number], boolean>>

/** Flags with the value they get; of several lines about one flag the last counts. */
export type HeaderFlags = Readonly<Flags>

/** The configuration of `header`. */
export interface HeaderConfig {
  /** Only RD means anything in a query. */
  readonly query: HeaderFlags
  readonly response: HeaderFlags
}

/** `header`; of several in a block the first one counts, as in CoreDNS. */
export const headerWord: Word<HeaderConfig> = {
  word: 'header',
  doc: {
    usage: 'header',
    meaning: 'sets and clears flags in queries on their way to the plugins behind it, and in replies',
    options: [
      { usage: 'query set|clear FLAG…', meaning: 'of queries', range: FLAGS.join(', ') },
      { usage: 'response set|clear FLAG…', meaning: 'of replies', range: FLAGS.join(', ') },
    ],
    example: `
      . {
          header {
              response set ra
          }
          file db.example.org example.org
      }`,
  },
  parse(directives, problems) {
    const directive = first(directives, problems)
    if (directive === undefined) return undefined
    const config: Draft = { query: {}, response: {} }
    readLine(directive, problems, line => {
      const lines = line.lines()
      for (const option of lines) readLine(option, problems, each => readRule(each, config))
      if (lines.length === 0)
        line.error(line.word, 'header needs a block with a line such as: response set ra')
    })
    return config
  },
  create: config => new HeaderHandler(config),
}

type Draft = Record<(typeof WAYS)[number], Flags>

/** CoreDNS reads all words in any case. */
function readRule(line: Line, config: Draft): void {
  const way = oneOf(WAYS, line, line.word, 'unknown property of header')
  const action = oneOf(ACTIONS, line, line.token('set or clear'), 'this is neither set nor clear')
  for (const token of line.some('a flag')) {
    const flag = oneOf(FLAGS, line, token, 'this is not a flag')
    if (way && flag) config[way][flag] = action === 'set'
  }
}

function oneOf<T extends string>(
  allowed: readonly T[],
  line: Line,
  token: Token | undefined,
  complaint: string,
): T | undefined {
  if (token === undefined) return undefined
  const word = allowed.find(word => word === token.text.toLowerCase())
  return word ?? line.error(token, complaint, { found: token.text, allowed })
}

class HeaderHandler implements Handler {
  readonly #query: HeaderFlags
  readonly #response: HeaderFlags

  constructor({ query, response }: HeaderConfig) {
    this.#query = query
    this.#response = response
  }

  handle(packet: Packet): Step {
    packet.keep(packet.recursionDesired)
    packet.recursionDesired = this.#query.rd ?? packet.recursionDesired
    return BACK
  }

  /** A reply repeats the query's RD as the plugins saw it; one that no plugin wrote has no other flags than that. */
  back(packet: Packet, kept: Kept): Step {
    packet.recursionDesired = kept as boolean
    const { aa, ra, rd } = this.#response
    const isWritten = packet.plugin !== NOBODY
    packet.replyRecursionDesired =
      (isWritten ? rd : undefined) ?? packet.replyRecursionDesired ?? this.#query.rd
    if (!isWritten) return DONE
    const { out, outAt } = packet
    out[outAt + 2] = withBit(out[outAt + 2]!, FLAG_AA, aa)
    out[outAt + 3] = withBit(out[outAt + 3]!, FLAG_RA, ra)
    return DONE
  }
}

const withBit = (octet: number, bit: number, isSet: boolean | undefined): number =>
  isSet === undefined ? octet : isSet ? octet | bit : octet & ~bit
