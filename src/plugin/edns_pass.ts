// `edns_pass OPTION…`: EDNS options of clients that go along to upstreams. Seamark's own word: CoreDNS passes every option on, and
// keeps what comes back for clients that sent another one.

import { first, type Line, readLine } from '../corefile/arguments.ts'
import { NEXT, type Packet, type Step } from '../query/packet.ts'
import { readU16 } from '../wire/header.ts'
import { OPTION, type Scan } from '../wire/scan.ts'
import type { Handler, Word } from './plugin.ts'

/** The configuration of `edns_pass`. */
export interface EdnsPassConfig {
  readonly codes: readonly number[]
}

const NAMED: Readonly<Record<string, number>> = { ecs: OPTION.ECS }
/** Options that are about one connection or one server, and mean nothing behind it. */
const HOP_BY_HOP: readonly number[] = [
  OPTION.COOKIE,
  OPTION.KEEPALIVE,
  OPTION.PADDING,
  OPTION.NSID,
  OPTION.EXPIRE,
  OPTION.EDE,
]
const CODES_MAX = 16
/** What goes along with one question; options beyond do not. */
const PASSED_MAX_OCTETS = 256

/** `edns_pass`; of several in a block the first one counts. */
export const ednsPassWord: Word<EdnsPassConfig> = {
  word: 'edns_pass',
  doc: {
    usage: 'edns_pass ecs|CODE…',
    meaning:
      'passes these EDNS options of clients on to upstreams, and what upstreams say to them back (Seamark only)',
    default: 'none is passed on',
    range: `${CODES_MAX} codes from 1 to 65535, none that is about one hop (3, 9, 10, 11, 12, 15); ${PASSED_MAX_OCTETS} octets in all`,
    options: [],
    notes: [
      'What comes back for one option is kept apart in the cache, and given to nobody who sent another one or none (RFC 7871 7.3.1): a name that clients of many subnets ask for takes a place for each.',
      "`ecs` is the client subnet (RFC 7871). It tells every server on the way where the client is, down to its network; any client may claim any network; and inside a cluster the address is the Pod's, which nobody outside has a use for. Resolvers send it for clients that are far from them.",
    ],
    example: `
      . {
          edns_pass ecs
          cache 30
          forward . 10.0.0.53
      }`,
  },
  parse(directives, problems) {
    const directive = first(directives, problems)
    if (directive === undefined) return undefined
    const codes = new Set<number>()
    readLine(directive, problems, line => {
      for (const token of line.some('an option: ecs or a code')) readCode(token, line, codes)
      if (codes.size > CODES_MAX) line.error(line.word, `more than ${CODES_MAX} options`)
    })
    return { codes: [...codes] }
  },
  create: ({ codes }) => new EdnsPass(codes),
}

function readCode(
  token: { readonly text: string } & Parameters<Line['error']>[0],
  line: Line,
  codes: Set<number>,
): void {
  const { text } = token
  const code = NAMED[text.toLowerCase()] ?? (/^\d{1,5}$/.test(text) ? Number(text) : 0)
  if (code < 1 || code > 0xffff)
    line.error(token, 'this is no EDNS option', { found: text, allowed: ['ecs', 'a code'] })
  else if (HOP_BY_HOP.includes(code)) line.error(token, 'this option is about one hop', { found: text })
  else codes.add(code)
}

class EdnsPass implements Handler {
  readonly #codes: ReadonlySet<number>
  readonly #bits: number
  readonly #hasHigh: boolean

  constructor(codes: readonly number[]) {
    this.#codes = new Set(codes)
    this.#bits = codes.reduce((bits, code) => (code < 32 ? bits | (1 << code) : bits), 0)
    this.#hasHigh = codes.some(code => code >= 32)
  }

  /** HOT: whether the query may have one of the options. */
  concerns(scan: Scan): boolean {
    return (scan.optionBits & this.#bits) !== 0 || (this.#hasHigh && scan.optionsEnd > scan.optionsAt)
  }

  /** HOT. */
  handle(packet: Packet): Step {
    const { asked, octets } = packet
    if (!asked.edns || packet.level > 0 || !this.concerns(asked)) return NEXT
    const passed: number[] = []
    for (let at = asked.optionsAt; at < asked.optionsEnd; ) {
      const end = at + 4 + readU16(octets, at + 2)
      if (this.#codes.has(readU16(octets, at)) && passed.length + end - at <= PASSED_MAX_OCTETS)
        passed.push(...octets.subarray(at, end))
      at = end
    }
    if (passed.length > 0) packet.addedOptions = Uint8Array.from([...(packet.addedOptions ?? []), ...passed])
    return NEXT
  }
}
