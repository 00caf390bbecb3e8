// DNSPolicies by namespace, those that can be followed: serving threads read all of one namespace as one text (texts.ts). One that
// is changed into what cannot be followed goes on as it was.

import type { SlimDnsPolicy } from '../objects/dns-policies.ts'
import { objectKey } from '../objects/objects.ts'
import { olderFirst, sameVerdict, type Verdict } from '../objects/verdict.ts'
import { PIECES_A_STEP, type Steps } from '../shared/steps.ts'
import { KEY } from './layout.ts'
import { Texts } from './texts.ts'
import type { TableWriter } from './writer.ts'

/** Of one namespace; the younger ones are refused. */
export const POLICIES_MAX = 32

/** Octets that those of one namespace have together as serving threads read them, which any of them does when they change. */
export const POLICIES_MAX_OCTETS = 128 * 1024

/** What becomes of one that could be followed. */
type Fate = 'served' | 'many' | 'large'

/** A DNSPolicy as serving threads read it. */
export type ServedPolicy = Pick<SlimDnsPolicy, 'name' | 'names' | 'namespaces'>

/** The key of a namespace's policies. */
export const policyKey = (namespace: string): Uint8Array =>
  Uint8Array.of(KEY.POLICY, ...Buffer.from(namespace, 'latin1'))

export class Policies {
  readonly #texts = new Texts()
  /** By namespace and name, as they are, and as they were last when they could be followed. */
  readonly #objects = new Map<string, Map<string, SlimDnsPolicy>>()
  readonly #good = new Map<string, Map<string, SlimDnsPolicy>>()
  readonly #verdicts = new Map<string, Verdict>()
  readonly #touch: (namespace: string) => void
  readonly #refuse: (text: string) => void
  readonly #judged: (key: string) => void

  /** `touch` notes that a namespace is to be published, `refuse` tells of one that is not followed, `judged` of another verdict. */
  constructor(
    touch: (namespace: string) => void,
    refuse: (text: string) => void,
    judged: (key: string) => void = () => undefined,
  ) {
    this.#touch = touch
    this.#refuse = refuse
    this.#judged = judged
  }

  add(policy: SlimDnsPolicy): void {
    const { namespace, name } = policy
    const own = this.#objects.get(namespace)
    if (own) own.set(name, policy)
    else this.#objects.set(namespace, new Map([[name, policy]]))
    this.#touch(namespace)
  }

  /** It is gone, or another one comes in its place at once. */
  remove({ namespace, name }: SlimDnsPolicy): void {
    const own = this.#objects.get(namespace)
    own?.delete(name)
    if (own?.size === 0) this.#objects.delete(namespace)
    this.#touch(namespace)
  }

  verdictOf(key: string): Verdict | undefined {
    return this.#verdicts.get(key)
  }

  /** Publishes those of a namespace, in steps. Returns whether anything changed; throws TableFullError, having changed nothing. */
  *publish(namespace: string, writer: TableWriter): Steps<boolean> {
    const objects = this.#objects.get(namespace) ?? new Map<string, SlimDnsPolicy>()
    const good = this.#good.get(namespace) ?? new Map<string, SlimDnsPolicy>()
    let pieces = 0
    for (const name of good.keys()) {
      if (!objects.has(name)) {
        good.delete(name)
        this.#verdicts.delete(objectKey({ namespace, name }))
      }
      if (++pieces % PIECES_A_STEP === 0) yield
    }
    for (const policy of objects.values()) {
      if (policy.flaw === '') good.set(policy.name, policy)
      if (++pieces % PIECES_A_STEP === 0) yield
    }
    if (good.size === 0) this.#good.delete(namespace)
    else this.#good.set(namespace, good)
    const oldest: SlimDnsPolicy[] = []
    for (const policy of good.values()) {
      keepOldest(oldest, policy)
      if (++pieces % PIECES_A_STEP === 0) yield
    }
    const fates = new Map<string, Fate>()
    const texts: string[] = []
    let octets = 0
    for (const { name, names, namespaces } of oldest) {
      const text = JSON.stringify({ name, names, namespaces } satisfies ServedPolicy)
      const fits = octets + text.length <= POLICIES_MAX_OCTETS
      fates.set(name, fits ? 'served' : 'large')
      if (!fits) continue
      octets += text.length
      texts.push(text)
      yield
    }
    const changed = this.#texts.publish(
      policyKey(namespace),
      texts.length === 0 ? '' : `[${texts.join(',')}]`,
      writer,
    )
    for (const policy of objects.values()) {
      this.#judge(policy, fates.get(policy.name) ?? 'many')
      if (++pieces % PIECES_A_STEP === 0) yield
    }
    return changed
  }

  #judge(policy: SlimDnsPolicy, fate: Fate): void {
    const key = objectKey(policy)
    const verdict = verdictOf(policy, fate)
    if (sameVerdict(this.#verdicts.get(key), verdict)) return
    this.#verdicts.set(key, verdict)
    if (verdict.refusal !== undefined) this.#refuse(`DNSPolicy ${key}: ${verdict.message}`)
    this.#judged(key)
  }
}

/** Puts it among the oldest where it is one of them. */
function keepOldest(oldest: SlimDnsPolicy[], policy: SlimDnsPolicy): void {
  let at = oldest.length
  while (at > 0 && byAge(policy, oldest[at - 1]!) < 0) at--
  if (at >= POLICIES_MAX) return
  oldest.splice(at, 0, policy)
  if (oldest.length > POLICIES_MAX) oldest.pop()
}

function verdictOf({ flaw, namespace }: SlimDnsPolicy, fate: Fate): Verdict {
  if (flaw !== '')
    return fate === 'served'
      ? {
          refusal: 'Invalid',
          message: `${flaw}; what it said before goes on being followed`,
          isFormerServed: true,
        }
      : { refusal: 'Invalid', message: `${flaw}; it narrows nothing` }
  if (fate === 'served') return { message: `it narrows what Pods of ${namespace} may resolve` }
  return fate === 'many'
    ? {
        refusal: 'TooMany',
        message: `${POLICIES_MAX} older ones of this namespace are followed, and no more`,
      }
    : {
        refusal: 'TooLarge',
        message: `with the older ones of this namespace it has more than ${POLICIES_MAX_OCTETS} octets; it narrows nothing`,
      }
}

const byAge = olderFirst<SlimDnsPolicy>(({ name }) => name)
