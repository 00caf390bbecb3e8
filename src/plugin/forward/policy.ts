// In which order the upstreams of a rule are tried for one question (CoreDNS plugin/forward/policy.go). Whatever the
// policy says, one whose last health check failed comes behind the others: nobody waits for it while it is found out.

import type { PolicyName } from './config.ts'

/** The order of trial; `suspect` tells which ones have failed lately. */
export class Policy {
  readonly #name: PolicyName
  readonly #random: () => number
  #turn = 0

  /** `random` gives 0 ≤ n < 1; the order is no secret. */
  constructor(name: PolicyName, random: () => number) {
    this.#name = name
    this.#random = random
  }

  order<T extends { readonly suspect: boolean }>(upstreams: readonly T[]): readonly T[] {
    if (upstreams.length === 1) return upstreams
    const list = this.#list(upstreams)
    return list.some(({ suspect }) => suspect)
      ? [...list.filter(({ suspect }) => !suspect), ...list.filter(({ suspect }) => suspect)]
      : list
  }

  /** One of them, whatever the policy. Undefined for none. */
  any<T>(upstreams: readonly T[]): T | undefined {
    return upstreams[Math.floor(this.#random() * upstreams.length)]
  }

  #list<T>(upstreams: readonly T[]): T[] {
    switch (this.#name) {
      case 'sequential':
        return [...upstreams]
      case 'round_robin': {
        // The one whose turn it is goes first, the others keep their order.
        const first = ++this.#turn % Math.max(upstreams.length, 1)
        return upstreams.length === 0 ? [] : [upstreams[first]!, ...upstreams.filter((_, i) => i !== first)]
      }
      case 'random':
        return this.#shuffled(upstreams)
    }
  }

  #shuffled<T>(upstreams: readonly T[]): T[] {
    const list = [...upstreams]
    for (let i = list.length - 1; i > 0; i--) {
      const j = Math.floor(this.#random() * (i + 1))
      ;[list[i], list[j]] = [list[j]!, list[i]!]
    }
    return list
  }
}
