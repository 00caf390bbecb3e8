// `chaos [VERSION] [AUTHOR…]`: which server this is, for those who ask in class CH (CoreDNS plugin/chaos; RFC 4892).
//
//   version.bind, version.server   CH TXT VERSION
//   hostname.bind, id.server       CH TXT the host's name, of a Pod the Pod's
//   authors.bind                   CH TXT AUTHOR, each in a record of its own

import { hostname } from 'node:os'
import { first, readLine } from '../corefile/arguments.ts'
import { pluginIndex } from '../observe/query-meters.ts'
import { DONE, NEXT, type Packet, type Step } from '../query/packet.ts'
import { VERSION } from '../shared/version.ts'
import { EDE } from '../wire/extended-error.ts'
import { countLabels, type Name, name } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import { txtRdata } from '../wire/record.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'
import { zoneInScan } from '../wire/scan.ts'
import { SECTION } from '../wire/walk.ts'
import type { Handler, Word } from './plugin.ts'

/** The configuration of `chaos`. */
export interface ChaosConfig {
  readonly version: string
  readonly authors: readonly string[]
}

const PLUGIN = pluginIndex('chaos')
const NOT_SERVED = 'of other classes than IN only TXT records of class CH about this server are served'
const NO_AUTHORS = 'chaos names no authors'
/** A character string's bound (RFC 1035 3.3): longer texts are cut. */
const TEXT_MAX_OCTETS = 255
/** So that they fit into one message over TCP. */
const AUTHORS_MAX = 200

/** `chaos`; of several in a block the last one counts. */
export const chaosWord: Word<ChaosConfig> = {
  word: 'chaos',
  doc: {
    usage: 'chaos [VERSION] [AUTHOR…]',
    meaning: 'answers version.bind, version.server, hostname.bind, id.server and authors.bind in class CH',
    default: `Seamark-${VERSION}, no authors`,
    range: `${AUTHORS_MAX} authors, ${TEXT_MAX_OCTETS} octets each`,
    options: [],
    notes: ['All other questions of other classes than IN are refused, as without it.'],
    example: `
      . {
          chaos "a name server" "Ada Lovelace"
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const directive = first(directives, problems)
    if (directive === undefined) return undefined
    let config: ChaosConfig | undefined
    readLine(directive, problems, line => {
      const [version, ...authors] = line.rest()
      const surplus = authors[AUTHORS_MAX]
      if (surplus !== undefined)
        line.error(surplus, `more than ${AUTHORS_MAX} authors`, { found: surplus.text })
      config = {
        version: version?.text ?? `Seamark-${VERSION}`,
        authors: [...new Set(authors.map(({ text }) => text))].sort(),
      }
    })
    return config
  },
  effect: () => ({ transparent: true, otherClasses: true }),
  create: config => new ChaosHandler(config),
}

/** A name, and the data of its TXT records. */
interface Owner {
  readonly name: Name
  readonly labels: number
  readonly data: readonly Uint8Array[]
}

class ChaosHandler implements Handler {
  readonly #owners: readonly Owner[]

  constructor({ version, authors }: ChaosConfig) {
    const host = hostname()
    const texts: [owner: string, texts: readonly string[]][] = [
      ['version.bind.', [version]],
      ['version.server.', [version]],
      ['hostname.bind.', [host]],
      ['id.server.', [host]],
      ['authors.bind.', authors],
    ]
    this.#owners = texts.map(([owner, texts]) => ({
      name: name(owner),
      labels: countLabels(name(owner)),
      data: texts.map(text => txtRdata(Buffer.from(text).toString('latin1'))),
    }))
  }

  handle(packet: Packet): Step {
    const { scan } = packet
    if (scan.qclass === CLASS.IN) return NEXT
    const isAsked = scan.qclass === CLASS.CH && scan.qtype === TYPE.TXT
    const owner = isAsked
      ? this.#owners.find(({ name, labels }) => zoneInScan(scan, name, labels) === 0)
      : undefined
    if (owner === undefined) return packet.fail(RCODE.REFUSED, EDE.NOT_SUPPORTED, NOT_SERVED)
    const { question, qnameAt } = packet
    const composer = packet.compose()
    for (const data of owner.data)
      composer.record(SECTION.ANSWER, question, qnameAt, TYPE.TXT, CLASS.CH, 0, data, 0, data.length)
    packet.composed(RCODE.NOERROR, PLUGIN)
    if (owner.data.length === 0) packet.setReason(EDE.OTHER, NO_AUTHORS)
    return DONE
  }
}
