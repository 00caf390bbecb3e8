// `acl [ZONES…] { ACTION [type TYPE…] [net CIDR…] }`: who may ask what (CoreDNS plugin/acl). Directives and their lines are
// tried from above; the first line whose type and network fit decides, and what no line fits is allowed. It stands behind
// `rewrite` and before `cache`: it sees the rewritten name, and no cached answer gets past it.
//
//   acl internal.example {
//     allow net 10.0.0.0/8
//     block                    REFUSED, extended error 15 (RFC 8914 4.16)
//   }
//   acl {
//     filter type ANY          NOERROR without records, extended error 17
//     drop net 192.0.2.1       silence
//   }

import { BlockList } from 'node:net'
import { type Line, readLine } from '../corefile/arguments.ts'
import type { Token } from '../corefile/token.ts'
import type { Counter, Meters } from '../observe/meters.ts'
import type { Query } from '../query/query.ts'
import { DROP, failure, type MaybePromise, type Outcome, type Reply } from '../query/reply.ts'
import { parseCidr } from '../shared/ip.ts'
import { EDE } from '../wire/extended-error.ts'
import { isWithin, type Name, name } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import { parseType } from '../wire/rrtype.ts'
import type { Next, ServingContext, TreeHandler, Word } from './plugin.ts'

const ACTIONS = ['allow', 'block', 'filter', 'drop'] as const

export type AclAction = (typeof ACTIONS)[number]

/** One line: what becomes of queries of these types from these networks. */
export interface AclPolicy {
  readonly action: AclAction
  /** Undefined is every type. */
  readonly types: readonly number[] | undefined
  /** Networks in CIDR notation; undefined is every address. */
  readonly networks: readonly string[] | undefined
}

/** One directive. */
export interface AclRule {
  readonly zones: readonly string[]
  readonly policies: readonly AclPolicy[]
}

/** The configuration of `acl`, in the order of the file. */
export interface AclConfig {
  readonly rules: readonly AclRule[]
}

const PLUGIN = 'acl'
/** Networks of one server block. */
const NETWORKS_MAX = 100_000
/** The words that begin a list; they end the one before. */
const LISTS = ['type', 'net'] as const
type Lists = Partial<Record<(typeof LISTS)[number], Token[]>>

/** `acl`, as often as wanted. */
export const aclWord: Word<AclConfig> = {
  word: PLUGIN,
  doc: {
    usage: 'acl [ZONE…]',
    meaning:
      'decides by type and client network who may ask for names in the zones; the first line that fits counts',
    default: "the server block's zones; what no line fits is allowed",
    range: `${NETWORKS_MAX} networks in a server block`,
    options: [
      ['allow', 'answers as ever'],
      ['block', 'answers REFUSED, with extended error 15'],
      ['filter', 'answers without records, with extended error 17'],
      ['drop', 'does not answer'],
    ].map(([action, meaning]) => ({
      usage: `${action} [type TYPE…] [net CIDR…]`,
      meaning: meaning!,
      default: 'every type, every address; so is `*`',
    })),
    notes: ['Extended errors go to clients that send EDNS; CoreDNS adds an OPT record to every such reply.'],
    example: `
      . {
          acl corp.example.org {
              allow net 10.244.16.0/20
              block
          }
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems, block) {
    const rules: AclRule[] = []
    let networks = 0
    for (const directive of directives) {
      readLine(directive, problems, line => {
        const policies: AclPolicy[] = []
        rules.push({ zones: line.zones(block.zones), policies })
        for (const option of line.lines()) readLine(option, problems, each => readPolicy(each, policies))
        for (const policy of policies) networks += policy.networks?.length ?? 0
      })
      if (networks <= NETWORKS_MAX) continue
      problems.error(directive.word, `more than ${NETWORKS_MAX} networks in the acl directives of this block`)
      break
    }
    return { rules }
  },
  create: (config, context) => new AclHandler(config, context),
}

function readPolicy(line: Line, policies: AclPolicy[]): void {
  const found = line.word.text
  const action = ACTIONS.find(word => word === found.toLowerCase())
  if (action === undefined) {
    line.error(line.word, 'unknown property of acl', { found, allowed: [...ACTIONS].sort() })
    return
  }
  const { type, net } = readLists(line)
  policies.push({
    action,
    types: values(line, type, text => parseType(text), 'this is no record type'),
    networks: values(line, net, text => parseCidr(text)?.text, 'this is neither a network nor an address'),
  })
}

/** The words behind `type` and those behind `net`, where they are given. */
function readLists(line: Line): Lists {
  const lists: Lists = {}
  let current: Token[] | undefined
  for (const token of line.rest()) {
    const list = LISTS.find(word => word === token.text.toLowerCase())
    if (list !== undefined) current = lists[list] ??= []
    else if (current !== undefined) current.push(token)
    else line.error(token, 'this is neither type nor net', { found: token.text, allowed: LISTS })
  }
  for (const list of LISTS) {
    if (lists[list]?.length === 0) line.error(line.word, `${list} needs at least one word behind it`)
  }
  return lists
}

/** What the words of a list mean; undefined, which is everything, without the list or where a word is `*`. */
function values<T>(
  line: Line,
  tokens: readonly Token[] | undefined,
  read: (text: string) => T | undefined,
  complaint: string,
): readonly T[] | undefined {
  if (tokens === undefined || tokens.some(({ text }) => text === '*')) return undefined
  return tokens.flatMap(token => {
    const value = read(token.text)
    if (value === undefined) line.error(token, complaint, { found: token.text })
    return value ?? []
  })
}

interface Rule {
  readonly zones: readonly { readonly text: string; readonly name: Name }[]
  readonly policies: readonly {
    readonly action: AclAction
    readonly types: ReadonlySet<number> | undefined
    readonly networks: BlockList | undefined
  }[]
}

class AclHandler implements TreeHandler {
  readonly trees = true
  readonly #rules: readonly Rule[]
  readonly #meters: Meters
  readonly #counters = new Map<string, Counter>()

  constructor({ rules }: AclConfig, { meters }: ServingContext) {
    this.#meters = meters
    this.#rules = rules.map(({ zones, policies }) => ({
      // The longest first: the one that a match is counted under.
      zones: zones.map(text => ({ text, name: name(text) })).sort((a, b) => b.name.length - a.name.length),
      policies: policies.map(({ action, types, networks }) => ({
        action,
        types: types && new Set(types),
        networks: networks && blockListOf(networks),
      })),
    }))
  }

  handle(query: Query, next: Next): MaybePromise<Outcome> {
    const { qname } = query.question
    for (const rule of this.#rules) {
      const zone = rule.zones.find(zone => isWithin(qname, zone.name))
      const action = zone && actionFor(rule, query)
      if (action === undefined) continue
      if (action === 'allow') break
      this.#count(query, FAMILIES[action], zone)
      return action === 'drop' ? DROP : action === 'block' ? BLOCKED : FILTERED
    }
    this.#count(query, FAMILIES.allow)
    return next(query)
  }

  #count({ server, view }: Query, family: string, zone?: { readonly text: string }): void {
    const key = [family, server, view, zone?.text].join(' ')
    let counter = this.#counters.get(key)
    if (counter === undefined) {
      const labels = { server, view, ...(zone && { zone: zone.text }) }
      counter = this.#meters.counter(family, labels)
      this.#counters.set(key, counter)
    }
    counter.add()
  }
}

const FAMILIES: Readonly<Record<AclAction, string>> = {
  allow: 'coredns_acl_allowed_requests_total',
  block: 'coredns_acl_blocked_requests_total',
  filter: 'coredns_acl_filtered_requests_total',
  drop: 'coredns_acl_dropped_requests_total',
}

const bare = (rcode: number, code: number): Reply => ({
  ...failure(rcode, { code, text: '' }),
  plugin: PLUGIN,
})
const BLOCKED = bare(RCODE.REFUSED, EDE.BLOCKED)
const FILTERED = bare(RCODE.NOERROR, EDE.FILTERED)

function actionFor({ policies }: Rule, { question, client }: Query): AclAction | undefined {
  const family = client.family === 4 ? 'ipv4' : 'ipv6'
  // A link-local client's address has its interface behind it.
  const [address = ''] = client.address.split('%', 1)
  return policies.find(
    ({ types, networks }) =>
      (types === undefined || types.has(question.qtype)) &&
      (networks === undefined || networks.check(address, family)),
  )?.action
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of networks) {
    const [network = '', prefixLength = ''] = text.split('/')
    list.addSubnet(network, Number(prefixLength), network.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}
