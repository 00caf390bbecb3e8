// `chaos [VERSION] [AUTHOR…]`: which server this is, for those who ask in class CH (CoreDNS plugin/chaos; RFC 4892).
//
//   version.bind, version.server   CH TXT VERSION
//   hostname.bind, id.server       CH TXT the host's name, of a Pod the Pod's
//   authors.bind                   CH TXT AUTHOR, each in a record of its own

import { hostname } from 'node:os'
import { first, readLine } from '../corefile/arguments.ts'
import type { Query } from '../query/query.ts'
import { answer, type MaybePromise, type Outcome, refused } from '../query/reply.ts'
import { VERSION } from '../shared/version.ts'
import { name, nameKey } from '../wire/name.ts'
import { txtRdata } from '../wire/record.ts'
import { CLASS, TYPE } from '../wire/rrtype.ts'
import type { Next, TreeHandler, Word } from './plugin.ts'

/** The configuration of `chaos`. */
export interface ChaosConfig {
  readonly version: string
  readonly authors: readonly string[]
}

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

class ChaosHandler implements TreeHandler {
  readonly trees = true
  /** Texts by nameKey. */
  readonly #texts: ReadonlyMap<string, readonly string[]>

  constructor({ version, authors }: ChaosConfig) {
    const host = hostname()
    this.#texts = new Map(
      Object.entries({
        'version.bind.': [version],
        'version.server.': [version],
        'hostname.bind.': [host],
        'id.server.': [host],
        'authors.bind.': authors,
      }).map(([owner, texts]) => [nameKey(name(owner)), texts]),
    )
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { qname, qtype, qclass } = query.question
    if (qclass === CLASS.IN) return next(query)
    const asked = qclass === CLASS.CH && qtype === TYPE.TXT
    const texts = asked ? this.#texts.get(nameKey(qname)) : undefined
    if (texts === undefined) return refused()
    const records = texts.map(text => ({
      owner: qname,
      type: TYPE.TXT,
      class: CLASS.CH,
      ttlSeconds: 0,
      rdata: txtRdata(Buffer.from(text).toString('latin1')),
    }))
    return { ...answer('chaos', records), authoritative: false }
  }
}
