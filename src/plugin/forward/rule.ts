// One `forward` directive at work: which upstream is asked, which one next, and what the client gets (CoreDNS
// plugin/forward/forward.go).
//
//   over the limit             REFUSED, nobody is asked; a client that has much under way reaches it first
//   a reply                    its rcode, AA, RA, and the records that answer the question
//   cut, over UDP              asked again over TCP where the client takes more than 512 octets
//   failover's rcodes          the next upstream, as long as there is another one; then the last reply
//   no reply                   the next upstream, until attempts or time are used up; then SERVFAIL
//   all upstreams down         one at random is tried once, or none (failfast)

import type { Counter } from '../../observe/meters.ts'
import type { Query } from '../../query/query.ts'
import { failure, type Reply, servfail } from '../../query/reply.ts'
import { FairShare } from '../../shared/fair-share.ts'
import { lazy } from '../../shared/lazy.ts'
import { EDE } from '../../wire/extended-error.ts'
import { PAYLOAD_MIN, readU16 } from '../../wire/header.ts'
import type { Message } from '../../wire/message.ts'
import { foldName, isWithin, type Name, name } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import type { Rr } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { OPTION } from '../../wire/scan.ts'
import type { ServingContext } from '../plugin.ts'
import { type Asked, askedBy, askedKey } from './asked.ts'
import type { RuleConfig } from './config.ts'
import { CLIENT_MULTIPLE, FLIGHTS_MAX, InFlight } from './in-flight.ts'
import type { LookupHost } from './lookup-host.ts'
import { Policy } from './policy.ts'
import { scrub } from './scrub.ts'
import { healthQuestion, Upstream } from './upstream.ts'
import { UpstreamSet } from './upstream-set.ts'

/** How long one question may take over all its upstreams: stub resolvers give up after five seconds. */
export const PATIENCE_MS = 4800
/** Failed attempts for one question where max_connect_attempts sets no bound. */
export const ATTEMPTS_MAX = 60
/** Of an upstream's extended error text (RFC 8914), or of ours. */
const EDE_TEXT_MAX = 200

/** What came of a question, shared by all who ask it. */
type Result =
  | {
      readonly reply: Reply
      /** The array that stands for the asked name in `reply`. */
      readonly qname: Name
      readonly cut: boolean
      readonly to: string
    }
  | { readonly failed: Reply }

/** One rule on one serving thread. */
export class Rule {
  readonly config: RuleConfig
  readonly #context: ServingContext
  readonly #from: Name
  readonly #except: readonly Name[]
  readonly #policy: Policy
  readonly #upstreams: UpstreamSet
  readonly #flights = new InFlight<Result>()
  readonly #rejects: Counter
  readonly #broken: Counter
  /** This thread's part of `max_concurrent`, which is the whole process's; absent without it. */
  readonly #concurrent: FairShare | undefined
  #stopped = false

  constructor(config: RuleConfig, context: ServingContext, lookup?: LookupHost) {
    this.config = config
    this.#context = context
    this.#from = name(config.from)
    this.#except = config.except.map(name)
    this.#policy = new Policy(config.policy, context.random)
    this.#concurrent =
      config.concurrentMax > 0
        ? new FairShare(Math.ceil(config.concurrentMax / context.threads), CLIENT_MULTIPLE)
        : undefined
    this.#rejects = context.meters.counter('coredns_forward_max_concurrent_rejects_total')
    this.#broken = context.meters.counter('coredns_forward_healthcheck_broken_total')
    const { healthCheck, tls, to } = config
    const options = {
      ...config,
      healthCheck: {
        ...healthCheck,
        asked: healthQuestion(foldName(name(healthCheck.domain)), healthCheck.recursionDesired),
      },
      secureContext: to.some(usesTls)
        ? lazy.tls.createSecureContext({ ...definedOf(tls), minVersion: 'TLSv1.2' })
        : undefined,
    }
    this.#upstreams = new UpstreamSet(config, context, at => new Upstream(at, options, context), lookup)
  }

  /** Whether the name is the rule's own or below it and not excepted. */
  matches(qname: Name): boolean {
    if (!isWithin(qname, this.#from)) return false
    return qname.length === this.#from.length || !this.#except.some(zone => isWithin(qname, zone))
  }

  /** Whether a reply is one that the rule leaves to the next one. */
  passesOn({ rcode, answer }: Reply): boolean {
    const { next, nextOnNodata } = this.config
    return next.includes(rcode) || (nextOnNodata && rcode === RCODE.NOERROR && answer.length === 0)
  }

  /** Asks the upstreams. */
  async ask(query: Query): Promise<Reply> {
    const { qtype } = query.question
    if (qtype === TYPE.AXFR || qtype === TYPE.IXFR) {
      return failure(RCODE.REFUSED, { code: EDE.NOT_SUPPORTED, text: 'zone transfers are not forwarded' })
    }
    const { address } = query.client
    if (this.#concurrent?.enter(address) === false) return this.#refuse(this.config.concurrentMax)
    try {
      return await this.#withinDeadline(query, this.#answer(query))
    } finally {
      this.#concurrent?.leave(address)
    }
  }

  /** Closes what is open; what is under way ends with SERVFAIL. */
  stop(): void {
    this.#stopped = true
    this.#upstreams.stop()
  }

  async #answer(query: Query): Promise<Reply> {
    const { forceTcp, preferUdp } = this.config
    const overTcp = forceTcp || (query.transport !== 'udp' && !preferUdp)
    const asked = askedBy(query)
    const key = askedKey(asked)
    const { address } = query.client
    let result = await this.#join(key, address, asked, overTcp)
    if (result === undefined) return this.#refuse(FLIGHTS_MAX)
    if ('reply' in result && result.cut && takesMore(query)) {
      const whole = await this.#join(key, address, asked, true)
      if (whole !== undefined && 'reply' in whole) result = whole
    }
    if ('failed' in result) return result.failed
    query.metadata.set('forward/upstream', result.to)
    return replyTo(query, result.reply, result.qname)
  }

  #join(key: string, client: string, asked: Asked, overTcp: boolean): Promise<Result> | undefined {
    return this.#flights.join(`${overTcp ? 'tcp' : 'udp'} ${key}`, client, () =>
      this.#exchange(asked, overTcp),
    )
  }

  async #exchange(asked: Asked, overTcp: boolean): Promise<Result> {
    const { clock } = this.#context
    const { attemptsMax, failover, failfast } = this.config
    const deadlineMs = clock.nowMs() + PATIENCE_MS
    const upstreams = this.#policy.order(this.#upstreams.list)
    const bound = Math.min(
      attemptsMax || (attemptsMax === 0 ? ATTEMPTS_MAX : 2 * upstreams.length),
      ATTEMPTS_MAX,
    )
    const reasons = new Map<string, string>()
    let error = 'no healthy proxies'
    let answered: Result | undefined
    let failovers = 0
    let downs = 0
    for (let i = 0, failures = 0; failures < bound && clock.nowMs() < deadlineMs && !this.#stopped; i++) {
      if (i > 0 && i % upstreams.length === 0) downs = 0
      let upstream = upstreams[i % upstreams.length]!
      const lost = upstream.down && ++downs === upstreams.length
      if (upstream.down && !lost) continue
      if (lost) {
        this.#broken.add()
        if (failfast) break
        upstream = this.#policy.any(upstreams)!
      }
      const attempt = await upstream.ask(asked, overTcp, deadlineMs - clock.nowMs())
      if ('message' in attempt) {
        const { message, protocol } = attempt
        answered = {
          reply: { ...scrub(message, asked), ...headOf(message, asked), additional: [], plugin: 'forward' },
          qname: asked.qname,
          cut: message.truncated && protocol === 'udp',
          to: upstream.to,
        }
        if (!failover.includes(message.rcode) || ++failovers >= upstreams.length) return answered
        continue
      }
      failures++
      error = attempt.failure
      reasons.set(upstream.to, error.slice(error.lastIndexOf(': ') + 1).trim())
      if (lost) break
    }
    return answered ?? { failed: unanswered(reasons, error) }
  }

  /** A waiter whose own time is shorter than the question's does not wait for it. */
  #withinDeadline(query: Query, reply: Promise<Reply>): Promise<Reply> {
    const { clock } = this.#context
    const leftMs = query.deadlineMs - clock.nowMs()
    if (leftMs >= PATIENCE_MS) return reply
    return new Promise((resolve, reject) => {
      const text = 'no upstream answered in time'
      const timer = clock.after(leftMs, () => resolve(servfail({ code: EDE.NETWORK_ERROR, text }, text)))
      reply.then(resolve, reject).finally(() => timer.cancel())
    })
  }

  #refuse(limit: number): Reply {
    this.#rejects.add()
    const text = `concurrent queries exceeded maximum ${limit}`
    return failure(RCODE.REFUSED, { code: EDE.OTHER, text }, text)
  }
}

const usesTls = (to: RuleConfig['to'][number]): boolean => to.kind !== 'file' && to.protocol !== 'dns'

const definedOf = (tls: RuleConfig['tls']): object =>
  Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined))

/** Whoever takes no more than 512 octets cannot take what did not fit into the larger payload that we announce. */
const takesMore = ({ transport, replyMaxOctets }: Query): boolean =>
  transport !== 'udp' || replyMaxOctets > PAYLOAD_MIN

function headOf(
  message: Message,
  asked: Asked,
): Omit<Reply, 'answer' | 'authority' | 'additional' | 'plugin'> {
  const { rcode, authoritative, recursionAvailable, authenticData, truncated } = message
  const option = message.edns?.options.find(({ code, data }) => code === OPTION.EDE && data.length >= 2)
  // What the upstream says to an option that the Corefile added is for the rule that added it.
  const options = message.edns?.options.filter(({ code }) => asked.options.some(sent => sent.code === code))
  return {
    // A code of more than four bits is about our OPT record, not about the client's question (RFC 6891 6.1.3).
    rcode: rcode > 15 ? RCODE.SERVFAIL : rcode,
    authoritative,
    recursionAvailable,
    authenticData,
    truncated,
    ...(options && options.length > 0 && { options }),
    ...(option && { extendedError: extendedErrorOf(option.data) }),
  }
}

/** What the upstream says of its reply is said on (RFC 8914 section 3). */
const extendedErrorOf = (data: Uint8Array): Reply['extendedError'] => ({
  code: readU16(data, 0),
  text: Buffer.from(data.subarray(2)).toString('utf8').replace(/\0+$/, '').slice(0, EDE_TEXT_MAX),
})

/** The shared reply as this client gets it: with the name as it wrote it, and AD where it asked (RFC 6840 5.8). */
function replyTo(query: Query, reply: Reply, qname: Name): Reply {
  const owned = (records: readonly Rr[]): Rr[] =>
    records.map(record => (record.owner === qname ? { ...record, owner: query.question.qname } : record))
  return {
    ...reply,
    authenticData: reply.authenticData && (query.authenticData || (query.edns?.dnssecOk ?? false)),
    answer: owned(reply.answer),
  }
}

function unanswered(reasons: ReadonlyMap<string, string>, error: string): Reply {
  if (reasons.size === 0)
    return servfail({ code: EDE.NO_REACHABLE_AUTHORITY, text: 'no upstream is healthy' }, error)
  const each = [...reasons].map(([to, reason]) => `${to} ${reason}`).join(', ')
  return servfail(
    { code: EDE.NETWORK_ERROR, text: `all upstreams failed: ${each}`.slice(0, EDE_TEXT_MAX) },
    error,
  )
}
