// Which StubDomains are served: those whose zone they may have, of two that claim one the older. Serving threads read all of them
// as one text (texts.ts). One that is changed into what cannot be served goes on as it was.

import type { StubOptions } from '../objects/options.ts'
import { isWithin } from '../objects/records.ts'
import type { SlimStubDomain } from '../objects/stub-domains.ts'
import { olderFirst, sameVerdict, type Verdict } from '../objects/verdict.ts'
import { KEY } from './layout.ts'
import { Texts } from './texts.ts'
import type { TableWriter } from './writer.ts'

/** StubDomains that are served; the younger ones are refused. */
export const STUBS_MAX = 1000
/** Their key in the table. */
export const STUBS_KEY: Uint8Array = Uint8Array.of(KEY.STUBS)

/** A StubDomain as serving threads read it. */
export type ServedStub = Omit<SlimStubDomain, 'createdMs' | 'flaw'>

export class StubDomains {
  readonly #options: StubOptions
  readonly #texts = new Texts()
  /** Each as it was last when it could be served. */
  readonly #good = new Map<string, SlimStubDomain>()
  readonly #touch: () => void
  readonly #refuse: (text: string) => void
  readonly #judged: (name: string) => void
  #verdicts = new Map<string, Verdict>()

  /** `touch` notes that they are to be published, `refuse` tells of one that is not served, `judged` of another verdict. */
  constructor(
    options: StubOptions,
    touch: () => void,
    refuse: (text: string) => void,
    judged: (name: string) => void = () => undefined,
  ) {
    this.#options = options
    this.#touch = touch
    this.#refuse = refuse
    this.#judged = judged
  }

  /** One has come, changed, or gone. */
  readonly changed = (): void => this.#touch()

  /** What became of one with the last batch. */
  verdictOf(name: string): Verdict | undefined {
    return this.#verdicts.get(name)
  }

  /** Publishes those that there are now. Returns whether anything changed; throws TableFullError, having changed nothing. */
  publish(objects: ReadonlyMap<string, SlimStubDomain>, writer: TableWriter): boolean {
    const byZone = new Map<string, SlimStubDomain>()
    const verdicts = new Map<string, Verdict>()
    for (const stub of this.#candidates(objects, verdicts).toSorted(byAge)) {
      const older = byZone.get(stub.zone)
      const verdict: Verdict =
        older !== undefined
          ? { refusal: 'Conflict', message: `StubDomain ${older.name} has ${stub.zone}, and is older` }
          : byZone.size >= STUBS_MAX
            ? { refusal: 'TooMany', message: `${STUBS_MAX} older ones are served, and no more` }
            : { message: `queries for ${stub.zone} are sent to its upstreams` }
      if (verdict.refusal === undefined) byZone.set(stub.zone, stub)
      if (!verdicts.has(stub.name)) verdicts.set(stub.name, verdict)
    }
    const served = [...byZone.values()].map(
      ({ name, zone, upstreams, policy, maxFails, forceTcp }): ServedStub => ({
        name,
        zone,
        upstreams,
        policy,
        maxFails,
        forceTcp,
      }),
    )
    const text = served.length === 0 ? '' : JSON.stringify(served)
    const changed = this.#texts.publish(STUBS_KEY, text, writer)
    this.#tell(verdicts)
    return changed
  }

  /** Those that may be served, each as it was when it could be; of the others the verdict. */
  #candidates(
    objects: ReadonlyMap<string, SlimStubDomain>,
    verdicts: Map<string, Verdict>,
  ): SlimStubDomain[] {
    for (const name of this.#good.keys()) if (!objects.has(name)) this.#good.delete(name)
    for (const stub of objects.values()) {
      const verdict = this.#refusalOf(stub)
      if (verdict === undefined) this.#good.set(stub.name, stub)
      else verdicts.set(stub.name, this.#good.has(stub.name) ? withFormer(verdict) : verdict)
    }
    return [...this.#good.values()]
  }

  #refusalOf({ zone, flaw }: SlimStubDomain): Verdict | undefined {
    if (flaw !== '') return { refusal: 'Invalid', message: flaw }
    const own = this.#options.own.find(each => isWithin(zone, each))
    if (own !== undefined)
      return { refusal: 'OwnZone', message: `${zone} is the cluster's own, which has ${own}` }
    const { within } = this.#options
    if (within.some(each => isWithin(zone, each))) return undefined
    return {
      refusal: 'NotServed',
      message: `${zone} is in none of the zones that the Corefile names: ${within.join(', ')}`,
    }
  }

  /** Logs what is refused now and was not before, or for another reason. */
  #tell(verdicts: Map<string, Verdict>): void {
    const before = this.#verdicts
    this.#verdicts = verdicts
    for (const [name, verdict] of verdicts) {
      if (sameVerdict(before.get(name), verdict)) continue
      if (verdict.refusal !== undefined) this.#refuse(`StubDomain ${name}: ${verdict.message}`)
      this.#judged(name)
    }
  }
}

/** The same of one that is served as it was before. */
const withFormer = ({ message, ...rest }: Verdict): Verdict => ({
  ...rest,
  message: `${message}; what it said before goes on being served`,
  isFormerServed: true,
})

const byAge = olderFirst<SlimStubDomain>(({ name }) => name)
