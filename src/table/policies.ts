// DNSPolicies by namespace, those that can be followed: serving threads read all of one namespace as one text (texts.ts). One that
// is changed into what cannot be followed goes on as it was.

import type { SlimDnsPolicy } from '../objects/dns-policies.ts'
import { objectKey } from '../objects/objects.ts'
import { olderFirst, sameVerdict, type Verdict } from '../objects/verdict.ts'
import { KEY } from './layout.ts'
import { Texts } from './texts.ts'
import type { TableWriter } from './writer.ts'

/** Of one namespace; the younger ones are refused. */
export const POLICIES_MAX = 32

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

  /** Publishes those of a namespace. Returns whether anything changed; throws TableFullError, having changed nothing. */
  publish(namespace: string, writer: TableWriter): boolean {
    const objects = this.#objects.get(namespace) ?? new Map<string, SlimDnsPolicy>()
    const good = this.#good.get(namespace) ?? new Map<string, SlimDnsPolicy>()
    for (const name of good.keys()) {
      if (objects.has(name)) continue
      good.delete(name)
      this.#verdicts.delete(objectKey({ namespace, name }))
    }
    for (const policy of objects.values()) if (policy.flaw === '') good.set(policy.name, policy)
    const served = [...good.values()].toSorted(byAge).slice(0, POLICIES_MAX)
    if (good.size === 0) this.#good.delete(namespace)
    else this.#good.set(namespace, good)
    const text =
      served.length === 0
        ? ''
        : JSON.stringify(
            served.map(({ name, names, namespaces }): ServedPolicy => ({ name, names, namespaces })),
          )
    const changed = this.#texts.publish(policyKey(namespace), text, writer)
    const names = new Set(served.map(({ name }) => name))
    for (const policy of objects.values()) this.#judge(policy, names.has(policy.name))
    return changed
  }

  #judge(policy: SlimDnsPolicy, isServed: boolean): void {
    const key = objectKey(policy)
    const verdict = verdictOf(policy, isServed)
    if (sameVerdict(this.#verdicts.get(key), verdict)) return
    this.#verdicts.set(key, verdict)
    if (verdict.refusal !== undefined) this.#refuse(`DNSPolicy ${key}: ${verdict.message}`)
    this.#judged(key)
  }
}

function verdictOf({ flaw, namespace }: SlimDnsPolicy, isServed: boolean): Verdict {
  if (flaw === '')
    return isServed
      ? { message: `it narrows what Pods of ${namespace} may resolve` }
      : {
          refusal: 'TooMany',
          message: `${POLICIES_MAX} older ones of this namespace are followed, and no more`,
        }
  return isServed
    ? {
        refusal: 'Invalid',
        message: `${flaw}; what it said before goes on being followed`,
        isFormerServed: true,
      }
    : { refusal: 'Invalid', message: `${flaw}; it narrows nothing` }
}

const byAge = olderFirst<SlimDnsPolicy>(({ name }) => name)
