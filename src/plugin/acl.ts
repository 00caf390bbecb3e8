// `acl [ZONES…] { ACTION [type TYPE…] [net CIDR…] }`: who may ask what (CoreDNS plugin/acl). Directives and their lines are
// tried from above; the first line whose type and network fit decides, and what no line fits is allowed. It stands behind
// `rewrite` and before `cache`: it sees the rewritten name, and no cached answer gets past it.
//
// Where a rule is about a part of the names, it also judges the names that the answer's aliases lead to: else whoever may write
// an alias (an ExternalName, for one) would get past it. CoreDNS judges the asked name alone, and so does `asked_only`.
//
//   acl internal.example {
//     allow net 10.0.0.0/8
//     block                    REFUSED, extended error 15 (RFC 8914 4.16)
//   }
//   acl {
//     filter type ANY          NOERROR without records, extended error 17
//     drop net 192.0.2.1       silence
//   }

import { type Line, readLine } from '../corefile/arguments.ts'
import { lineText, type Token } from '../corefile/token.ts'
import type { Counter, Meters } from '../observe/meters.ts'
import { pluginIndex } from '../observe/query-meters.ts'
import { BACK, DONE, DROP, NEXT, type Packet, type Served, type Step, type Trace } from '../query/packet.ts'
import { isIn } from '../query/sockaddr.ts'
import { ZoneTable } from '../query/zone-table.ts'
import { parseCidr } from '../shared/ip.ts'
import { Networks } from '../shared/networks.ts'
import { EDE } from '../wire/extended-error.ts'
import { HEADER_OCTETS } from '../wire/header.ts'
import { copyName } from '../wire/message-name.ts'
import { NAME_MAX_OCTETS, type Name, name } from '../wire/name.ts'
import { RCODE } from '../wire/rcode.ts'
import { parseType } from '../wire/rrtype.ts'
import { Scan } from '../wire/scan.ts'
import { type RecordWalk, SECTION } from '../wire/walk.ts'
import type { Handler, ServingContext, Word } from './plugin.ts'

const ACTIONS = ['allow', 'block', 'filter', 'drop'] as const

export type AclAction = (typeof ACTIONS)[number]

/** One line: what becomes of queries of these types from these networks. */
export interface AclPolicy {
  readonly action: AclAction
  /** Undefined is every type. */
  readonly types: readonly number[] | undefined
  /** Networks in CIDR notation; undefined is every address. */
  readonly networks: readonly string[] | undefined
  /** The line as it stands in the Corefile. */
  readonly written: string
}

/** One directive. */
export interface AclRule {
  readonly zones: readonly string[]
  readonly policies: readonly AclPolicy[]
  /** Whether names that only an answer has are none of its business. */
  readonly askedOnly: boolean
}

/** The configuration of `acl`, in the order of the file. */
export interface AclConfig {
  readonly rules: readonly AclRule[]
}

const PLUGIN = pluginIndex('acl')
const ASKED_ONLY = 'asked_only'
/** Networks of one server block. */
const NETWORKS_MAX = 100_000
/** The words that begin a list; they end the one before. */
const LISTS = ['type', 'net'] as const
type Lists = Partial<Record<(typeof LISTS)[number], Token[]>>

/** `acl`, as often as wanted. */
export const aclWord: Word<AclConfig> = {
  word: 'acl',
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
    ]
      .map(([action, meaning]) => ({
        usage: `${action} [type TYPE…] [net CIDR…]`,
        meaning: meaning!,
        default: 'every type, every address; so is `*`',
      }))
      .concat({
        usage: 'asked_only',
        meaning:
          'judges the name that is asked for, as CoreDNS does, and none that an alias in the answer leads to',
        default: 'both are judged',
      }),
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
        const zones = line.zones(block.zones)
        let askedOnly = false
        for (const option of line.lines()) {
          if (option.word.text.toLowerCase() === ASKED_ONLY) {
            askedOnly = true
            readLine(option, problems, () => undefined)
            continue
          }
          const written = lineText([option.word, ...option.args])
          readLine(option, problems, each => readPolicy(each, policies, written))
        }
        rules.push({ zones, policies, askedOnly })
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

function readPolicy(line: Line, policies: AclPolicy[], written: string): void {
  const found = line.word.text
  const action = ACTIONS.find(word => word === found.toLowerCase())
  if (action === undefined) {
    line.error(line.word, 'unknown property of acl', { found, allowed: [...ACTIONS, ASKED_ONLY].sort() })
    return
  }
  const { type, net } = readLists(line)
  policies.push({
    action,
    types: values(line, type, text => parseType(text), 'this is no record type'),
    networks: values(line, net, text => parseCidr(text)?.text, 'this is neither a network nor an address'),
    written,
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

interface RuleZone {
  readonly zone: Name
  readonly text: string
  /** Among the zones of all rules. */
  readonly number: number
}

interface Policy {
  readonly action: AclAction
  readonly written: string
  readonly types: ReadonlySet<number> | undefined
  readonly networks: Networks | undefined
}

interface Rule {
  readonly zones: ZoneTable<RuleZone>
  readonly askedOnly: boolean
  readonly policies: readonly Policy[]
}

/** Counters of what came through one listener for one zone of the block: of what is allowed, and of each zone's actions. */
interface Counters {
  readonly served: Served
  readonly allowed: Counter
  readonly ofZones: (Counter | undefined)[]
}

class AclHandler implements Handler {
  readonly #rules: readonly Rule[]
  /** Whether another name may be judged otherwise than the one that is asked for. */
  readonly #judgesAnswers: boolean
  /** Whether one client may be denied what another one gets. */
  readonly #judgesClients: boolean
  readonly #meters: Meters
  readonly #counters = new Map<Served, Counters>()
  /** Those of the last query. */
  #last: Counters | undefined

  constructor({ rules }: AclConfig, { meters }: ServingContext) {
    this.#meters = meters
    let number = 0
    this.#judgesAnswers = rules.some(({ zones, askedOnly }) => !askedOnly && !zones.includes('.'))
    this.#judgesClients = rules.some(({ policies }) =>
      policies.some(({ networks }) => networks !== undefined),
    )
    this.#rules = rules.map(({ zones, policies, askedOnly }) => ({
      askedOnly,
      zones: new ZoneTable(zones.map(text => ({ text, zone: name(text), number: number++ }))),
      policies: policies.map(({ action, types, networks, written }) => ({
        action,
        written,
        types: types && new Set(types),
        networks: networks && new Networks(networks.flatMap(text => parseCidr(text) ?? [])),
      })),
    }))
  }

  handle(packet: Packet): Step {
    const policy = this.#judge(packet, packet.scan, false)
    if (policy !== undefined) {
      this.#mark(packet)
      return deny(packet, policy)
    }
    this.#countersOf(packet.served).allowed.add()
    return this.#judgesAnswers || (packet.isLookUp && this.#judgesClients) ? BACK : NEXT
  }

  /** The names behind aliases are judged as if they were asked for; additional ones are left out instead. */
  back(packet: Packet): Step {
    this.#mark(packet)
    if (!this.#judgesAnswers || packet.length === 0) return DONE
    for (const walk = packet.records(); walk.next(); ) {
      if (walk.section === SECTION.AUTHORITY || (!packet.isQuestionStale && isAskedName(walk))) continue
      const policy = this.#judge(packet, scanOwner(walk), true)
      if (policy === undefined) continue
      if (walk.section === SECTION.ANSWER) return deny(packet, policy)
      packet.dropSections(SECTION.ADDITIONAL)
      return DONE
    }
    return DONE
  }

  /** Who looked it up may not keep it for other clients; this block's own cache, further down, has it already. */
  #mark(packet: Packet): void {
    if (packet.isLookUp && this.#judgesClients) packet.isForClient = true
  }

  /** What denies the client the scanned name, counted; undefined where nothing does. */
  #judge(packet: Packet, name: Scan, isAnswered: boolean): Policy | undefined {
    for (let i = 0; i < this.#rules.length; i++) {
      const rule = this.#rules[i]!
      if (isAnswered && rule.askedOnly) continue
      const at = rule.zones.indexOf(name)
      const policy = at < 0 ? undefined : policyFor(rule, packet)
      if (policy === undefined) continue
      if (packet.trace !== undefined) note(packet.trace, packet, policy)
      if (policy.action === 'allow') return undefined
      this.#count(this.#countersOf(packet.served), rule.zones.at(at), policy.action)
      return policy
    }
    return undefined
  }

  #count({ served, ofZones }: Counters, { number, text }: RuleZone, action: Denial): void {
    const at = number * DENIALS.length + DENIALS.indexOf(action)
    const { server, view } = served
    ofZones[at] ??= this.#meters.counter(FAMILIES[action], { server, view, zone: text })
    ofZones[at].add()
  }

  #countersOf(served: Served): Counters {
    if (this.#last?.served === served) return this.#last
    let counters = this.#counters.get(served)
    if (counters === undefined) {
      const { server, view } = served
      const allowed = this.#meters.counter(FAMILIES.allow, { server, view })
      counters = { served, allowed, ofZones: [] }
      this.#counters.set(served, counters)
    }
    this.#last = counters
    return counters
  }
}

function deny(packet: Packet, { action }: Policy): Step {
  if (action === 'drop') return DROP
  if (action === 'block') packet.fail(RCODE.REFUSED, EDE.BLOCKED)
  else packet.fail(RCODE.NOERROR, EDE.FILTERED)
  packet.plugin = PLUGIN
  return DONE
}

/** Of a message that begins with its question: a pointer to the name of the question. */
const isAskedName = ({ octets, ownerAt }: RecordWalk): boolean =>
  octets[ownerAt] === 0xc0 && octets[ownerAt + 1] === HEADER_OCTETS

const owner = new Uint8Array(HEADER_OCTETS + NAME_MAX_OCTETS + 4)
const ownerScan = new Scan()

/** The owner of the record at hand, scanned; until the next one. */
function scanOwner({ octets, ownerAt, start }: RecordWalk): Scan {
  const length = copyName(octets, ownerAt, start, owner, HEADER_OCTETS)
  ownerScan.readQuestion(owner, 0, HEADER_OCTETS + length + 4)
  return ownerScan
}

type Denial = Exclude<AclAction, 'allow'>
const DENIALS: readonly Denial[] = ['block', 'filter', 'drop']

const FAMILIES: Readonly<Record<AclAction, string>> = {
  allow: 'coredns_acl_allowed_requests_total',
  block: 'coredns_acl_blocked_requests_total',
  filter: 'coredns_acl_filtered_requests_total',
  drop: 'coredns_acl_dropped_requests_total',
}

const MEANING: Readonly<Record<AclAction, string>> = {
  allow: 'lets the client ask',
  block: 'refuses the client',
  filter: 'gives the client no records',
  drop: 'does not answer the client',
}

function note(trace: Trace, { client }: Packet, { action, written }: Policy): void {
  trace.note('acl', `${MEANING[action]} ${client.address}: ${written}`, { action, line: written })
}

/** The first line that fits. */
function policyFor({ policies }: Rule, { scan, from, fromAt }: Packet): Policy | undefined {
  for (let i = 0; i < policies.length; i++) {
    const policy = policies[i]!
    const { types, networks } = policy
    if (types !== undefined && !types.has(scan.qtype)) continue
    if (networks === undefined || isIn(networks, from, fromAt)) return policy
  }
  return undefined
}
