// One `forward` directive at work: who waits for which question, and what each client gets of the reply (CoreDNS
// plugin/forward/forward.go). Which upstream is asked, and which one next: flight.ts.
//
//   over the limit             REFUSED, nobody is asked; a client that has much under way reaches it first
//   a reply                    its rcode, AA, RA, and the records that answer the question
//   cut, over UDP              asked again over TCP where the client takes more than 512 octets
//   no reply                   SERVFAIL

import type { Counter } from '../../observe/meters.ts'
import { pluginIndex } from '../../observe/query-meters.ts'
import { DONE, type Packet, type Step, WAIT, type Waiting } from '../../query/packet.ts'
import type { Clock } from '../../shared/clock.ts'
import { FairShare } from '../../shared/fair-share.ts'
import { lazy } from '../../shared/lazy.ts'
import { EDE } from '../../wire/extended-error.ts'
import { FLAG_AD, HEADER_OCTETS, PAYLOAD_MIN, readU16 } from '../../wire/header.ts'
import { countLabels, foldName, type Name, name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { type Scan, zoneInScan } from '../../wire/scan.ts'
import { DnstapHandler } from '../dnstap/handler.ts'
import type { ServingContext } from '../plugin.ts'
import { isEmpty, whatItSays } from '../why.ts'
import { Attempt } from './attempt.ts'
import type { Bounds } from './chain.ts'
import type { RuleConfig } from './config.ts'
import type { Flight, FlightRule } from './flight.ts'
import { CLIENT_MULTIPLE, FLIGHTS_MAX, Flights } from './flights.ts'
import { HealthQuestion } from './health-question.ts'
import type { LookupHost } from './lookup-host.ts'
import { Policy } from './policy.ts'
import { reply } from './reply.ts'
import type { OpenUdp } from './udp.ts'
import { Upstream } from './upstream.ts'
import { UpstreamSet } from './upstream-set.ts'

/** Failed attempts for one question where max_connect_attempts sets no bound. */
export const ATTEMPTS_MAX = 60
const FORWARD = pluginIndex('forward')

/** Where a packet goes whose reply this rule leaves to a later one. */
export type PassOn = (rule: Rule, packet: Packet) => Step

/** One rule on one serving thread. */
export class Rule implements FlightRule {
  readonly failover: readonly number[]
  readonly failfast: boolean
  readonly isOrdered: boolean
  readonly bounds: Bounds
  readonly asked: FlightRule['asked']
  readonly #config: RuleConfig
  readonly #clock: Clock
  readonly #udpMaxOctets: number
  readonly #from: Zone
  readonly #except: readonly Zone[]
  readonly #policy: Policy
  readonly #upstreams: UpstreamSet
  readonly #flights: Flights
  readonly #attempts: Attempt[] = []
  readonly #passOn: PassOn
  readonly #rejects: Counter
  readonly #allDown: Counter
  /** This thread's part of `max_concurrent`, which is the whole process's; absent without it. */
  readonly #concurrent: FairShare<string | number> | undefined
  isStopped = false
  /** A packet has just been parked: it is woken when its handler has said so. */
  #isAsking = false

  constructor(
    config: RuleConfig,
    context: ServingContext,
    passOn: PassOn,
    openUdp: OpenUdp,
    lookup: LookupHost | undefined,
  ) {
    const { clock, meters, random, threads } = context
    this.#config = config
    this.failover = config.failover
    this.failfast = config.failfast
    this.isOrdered = config.policy === 'sequential'
    this.#clock = clock
    this.asked = tapOf(context)
    this.#udpMaxOctets = context.udpMaxOctets
    this.#from = zoneOf(config.from)
    this.bounds = { zone: boundOf(this.#from.name, context.zones), ours: context.ownZones }
    this.#except = config.except.map(zoneOf)
    this.#policy = new Policy(config.policy, random)
    this.#passOn = passOn
    this.#concurrent =
      config.concurrentMax > 0
        ? new FairShare<string | number>(Math.ceil(config.concurrentMax / threads), CLIENT_MULTIPLE)
        : undefined
    this.#rejects = meters.counter('coredns_forward_max_concurrent_rejects_total')
    this.#allDown = meters.counter('coredns_forward_healthcheck_broken_total')
    this.#flights = new Flights(this, clock)
    const { healthCheck, forceTcp, tls, to } = config
    const options = {
      ...config,
      openUdp,
      healthIntervalMs: healthCheck.intervalMs,
      check: (upstream: Upstream, done: (well: boolean | undefined) => void) =>
        void new HealthQuestion(healthCheck, forceTcp, upstream, clock, done),
      secureContext: to.some(usesTls)
        ? lazy.tls.createSecureContext({ ...definedOf(tls), minVersion: 'TLSv1.2' })
        : undefined,
    }
    this.#upstreams = new UpstreamSet(config, context, at => new Upstream(at, options, context), lookup)
  }

  /** HOT: whether the name is the rule's own or below it and not excepted. */
  matches(scan: Scan): boolean {
    const { name: from, labels } = this.#from
    if (zoneInScan(scan, from, labels) < 0) return false
    if (scan.labelCount === labels) return true
    for (const zone of this.#except) if (zoneInScan(scan, zone.name, zone.labels) >= 0) return false
    return true
  }

  /** Asks the upstreams. */
  ask(packet: Packet): Step {
    const { qtype } = packet.scan
    if (qtype === TYPE.AXFR || qtype === TYPE.IXFR)
      return packet.fail(RCODE.REFUSED, EDE.NOT_SUPPORTED, 'zone transfers are not forwarded')
    const client = packet.clientKey
    if (this.#concurrent?.enter(client) === false) return this.#refuse(packet, this.#config.concurrentMax)
    const { forceTcp, preferUdp } = this.#config
    const step = this.#join(packet, client, forceTcp || (packet.transport !== 'udp' && !preferUdp))
    if (step === WAIT) return WAIT
    this.#concurrent?.leave(client)
    return step ?? this.#refuse(packet, FLIGHTS_MAX)
  }

  /** Is asked nothing any more: closes what is open when what is under way has ended. */
  retire(): void {
    this.#upstreams.retire()
  }

  /** Looks after its upstreams no more, as another configuration serves. */
  rest(): void {
    this.#upstreams.rest()
  }

  /** Closes what is open; what is under way ends with SERVFAIL. */
  stop(): void {
    this.isStopped = true
    this.#upstreams.stop()
  }

  /** The packet waits for what it asks, together with all who ask the same; undefined where it has no place. */
  #join(packet: Packet, client: string | number, overTcp: boolean): Step | undefined {
    const { scan, addedOptions } = packet
    const blank = this.#flights.blank()
    blank.overTcp = overTcp
    flags.recursionDesired = packet.recursionDesired
    flags.checkingDisabled = scan.checkingDisabled
    flags.dnssecOk = scan.dnssecOk
    const { folded, foldedLength, qtype, qclass } = scan
    blank.write(folded, foldedLength, qtype, qclass, flags, this.#udpMaxOctets, addedOptions)
    const known = this.#flights.find(blank)
    if (known === undefined && !this.#flights.enter(blank, client)) return undefined
    const waiting = packet.park()
    if (waiting === undefined) {
      if (known === undefined) this.#leave(blank)
      return DONE
    }
    waiting.holder = client
    const nowMs = this.#clock.nowMs()
    const flight = known ?? blank
    if (known === undefined) flight.trace = packet.trace
    else if (packet.trace !== undefined) flight.trace ??= packet.trace
    flight.add(waiting)
    this.#isAsking = true
    if (known) known.askedAgain(nowMs)
    else blank.start(nowMs)
    this.#isAsking = false
    return WAIT
  }

  #leave(flight: Flight): void {
    this.#flights.leave(flight)
    this.#flights.free(flight)
  }

  #refuse(packet: Packet, limit: number): Step {
    this.#rejects.add()
    const text = `concurrent queries exceeded maximum ${limit}`
    return packet.fail(RCODE.REFUSED, EDE.OTHER, text, text)
  }

  // For flights.

  order(): readonly Upstream[] {
    return this.#policy.order(this.#upstreams.list)
  }

  any(upstreams: readonly Upstream[]): Upstream | undefined {
    return this.#policy.any(upstreams)
  }

  attemptsMax(upstreams: number): number {
    const { attemptsMax = 2 * upstreams } = this.#config
    return attemptsMax === 0 ? ATTEMPTS_MAX : Math.min(attemptsMax, ATTEMPTS_MAX)
  }

  takeAttempt(): Attempt {
    return this.#attempts.pop() ?? new Attempt()
  }

  giveAttempt(attempt: Attempt): void {
    this.#attempts.push(attempt)
  }

  allDown(): void {
    this.#allDown.add()
  }

  gaveUp(waiting: Waiting): void {
    const packet = this.#wake(waiting)
    if (packet === undefined) return
    const text = 'no upstream answered in time'
    packet.trace?.note('forward', text)
    // A reply that was cut is better than none.
    if (packet.length === 0) packet.fail(RCODE.SERVFAIL, EDE.NETWORK_ERROR, text, text)
    packet.goOn(DONE)
  }

  ended(flight: Flight, hasReply: boolean): void {
    if (this.#isAsking) {
      setImmediate(() => this.ended(flight, hasReply))
      return
    }
    this.#flights.leave(flight)
    flight.trace = undefined
    let waiting = flight.waiters
    flight.waiters = undefined
    while (waiting) {
      const { next } = waiting
      if (hasReply) this.#deliver(waiting, flight)
      else this.#fail(waiting, flight)
      waiting = next
    }
    this.#flights.free(flight)
  }

  /** The packet that waited, which has no part in `max_concurrent` any more. */
  #wake(waiting: Waiting): Packet | undefined {
    this.#concurrent?.leave(waiting.holder)
    return waiting.wake()
  }

  #fail(waiting: Waiting, { reasons, error }: Flight): void {
    const packet = this.#wake(waiting)
    if (packet === undefined) return
    if (packet.length > 0) packet.goOn(DONE)
    else if (reasons.size === 0) {
      const text = 'no upstream is healthy'
      packet.trace?.note('forward', text)
      packet.goOn(packet.fail(RCODE.SERVFAIL, EDE.NO_REACHABLE_AUTHORITY, text, error))
    } else {
      const each = [...reasons].map(([to, reason]) => `${to} ${reason}`).join(', ')
      packet.goOn(packet.fail(RCODE.SERVFAIL, EDE.NETWORK_ERROR, `all upstreams failed: ${each}`, error))
    }
  }

  #deliver(waiting: Waiting, flight: Flight): void {
    const { holder } = waiting
    const packet = this.#wake(waiting)
    if (packet === undefined) return
    writeReply(packet)
    packet.setLabel('forward/upstream', flight.to)
    if (packet.reasonCode < 0 && isEmpty(packet))
      packet.setReason(EDE.OTHER, `${flight.to} ${whatItSays(packet)}`)
    if (flight.isCut && takesMore(packet)) packet.goOn(this.#askWhole(packet, holder))
    else packet.goOn(this.#passesOn(packet) ? this.#passOn(this, packet) : DONE)
  }

  /** What was cut is asked over TCP; where nothing comes of that, it stays as it is. */
  #askWhole(packet: Packet, client: string | number): Step {
    if (this.#concurrent?.enter(client) === false) return DONE
    const step = this.#join(packet, client, true)
    if (step !== WAIT) this.#concurrent?.leave(client)
    return step ?? DONE
  }

  /** Whether a reply is one that the rule leaves to the next one. */
  #passesOn({ rcode, out, outAt }: Packet): boolean {
    const { next, nextOnNodata } = this.#config
    if (next.includes(rcode)) return true
    return nextOnNodata && rcode === RCODE.NOERROR && readU16(out, outAt + 6) === 0
  }
}

/** Where the block has `dnstap`, it is told of what upstreams are asked and say (CoreDNS plugin/forward/dnstap.go). */
function tapOf({ handlers, clock }: ServingContext): FlightRule['asked'] {
  const tap = handlers.find(handler => handler instanceof DnstapHandler)
  if (tap === undefined) return undefined
  return ({ question, questionEnd, questionOctets }, { upstream, startedMs, edns }, protocol, hasReply) => {
    const query = edns ? question.subarray(0, questionOctets) : question.slice(0, questionEnd)
    if (!edns) query[11] = 0
    const heard = hasReply ? reply.octets.subarray(0, reply.length) : undefined
    tap.forwarded(upstream.to, protocol, clock.nowMs() - startedMs, query, heard)
  }
}

const flags = { recursionDesired: true, checkingDisabled: false, dnssecOk: false }

interface Zone {
  readonly name: Name
  readonly labels: number
}

function zoneOf(text: string): Zone {
  const zone = name(text)
  return { name: zone, labels: countLabels(zone) }
}

/** The zone that the Corefile gives the upstreams of a rule: its own, or the block's where that is narrower. */
function boundOf(from: Name, zones: readonly string[]): Name {
  const [only] = zones
  const ofBlock = zones.length === 1 && only !== undefined ? name(only) : from
  return ofBlock.length > from.length ? foldName(ofBlock) : foldName(from)
}

const usesTls = (to: RuleConfig['to'][number]): boolean => to.kind !== 'file' && to.protocol !== 'dns'

const definedOf = (tls: RuleConfig['tls']): object =>
  Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined))

/** Whoever takes no more than 512 octets cannot take what did not fit into the larger payload that we announce. */
const takesMore = ({ transport, limit }: Packet): boolean => transport !== 'udp' || limit > PAYLOAD_MIN

/** The shared reply as this client gets it: with the name as it wrote it, and AD where it asked (RFC 6840 5.8). */
function writeReply(packet: Packet): void {
  packet.clear()
  packet.enlarge()
  const { out, scan, question, asked } = packet
  const { length, octets } = reply
  for (let i = 0; i < length; i++) out[i] = octets[i]!
  const from = scan.start + HEADER_OCTETS
  for (let i = from; i < scan.questionEnd; i++) out[HEADER_OCTETS + i - from] = question[i]!
  if (!packet.authenticData && !asked.dnssecOk) out[3]! &= ~FLAG_AD
  packet.length = length
  packet.rcode = out[3]! & 15
  packet.plugin = FORWARD
  packet.reasonCode = reply.reasonCode
  packet.reasonOctets = reply.reasonOctets
  for (let i = 0; i < reply.reasonOctets; i++) packet.reason[i] = reply.reason[i]!
  const { options, optionsOctets } = reply
  for (let at = 0; at < optionsOctets; ) {
    const end = at + 4 + readU16(options, at + 2)
    packet.addOption(readU16(options, at), options, at + 4, end)
    at = end
  }
}
