// Server blocks that would serve the same zone on the same port (coredns core/dnsserver/address.go, zoneOverlap): an
// error, unless `view` decides between them or `bind` puts them on different addresses. A view behind a block that takes
// every query is never asked.

import type { ServerBlock } from './corefile.ts'
import { DEFAULT_PORTS, type Key } from './key.ts'
import type { Problems } from './problem.ts'
import { placeText } from './token.ts'

/** Where a zone is served: the key, and the words of its block's `bind`; none for every address. */
interface Served {
  readonly key: Key
  readonly addresses: ReadonlySet<string>
}

/**
 * Reports each key whose zone an earlier key serves already, at the later one and naming the earlier. A block without
 * `bind` collides with every other, two with `bind` when they share a word. `dnsPort` is the port of a `dns` key without
 * one.
 */
export function reportOverlaps(
  blocks: readonly ServerBlock[],
  problems: Problems,
  dnsPort: number = DEFAULT_PORTS.dns,
): void {
  const served = new Map<string, Served[]>()
  for (const { keys, directives } of blocks) {
    const isView = directives.some(({ word }) => word.text === 'view')
    const binds = directives.filter(({ word }) => word.text === 'bind')
    const addresses = new Set(binds.flatMap(({ args }) => args.map(({ text }) => text)))
    for (const key of keys) {
      const port = key.port ?? (key.scheme === 'dns' ? dnsPort : DEFAULT_PORTS[key.scheme])
      const place = `${key.scheme}://${key.zone}:${port}`
      const others = served.get(place) ?? []
      if (isView) {
        const whole = others.find(earlier => covers(earlier.addresses, addresses))
        if (whole !== undefined) {
          const message = `this view is never asked: zone ${key.zone} on port ${port} is taken whole by ${placeText(whole.key.token)}, which has none; write that block behind this one`
          problems.warning(key.token, message, { found: key.text })
        }
        continue
      }
      const other = others.find(earlier => meet(earlier.addresses, addresses))
      if (other === undefined) served.set(place, [...others, { key, addresses }])
      else {
        const imported =
          key.token.file === other.key.token.file ? '' : '; an imported file adds and cannot replace'
        const message = `zone ${key.zone} on port ${port} is already served by ${placeText(other.key.token)}${imported}`
        problems.error(key.token, message, { found: key.text })
      }
    }
  }
}

const meet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === 0 || b.size === 0 || !a.isDisjointFrom(b)

/** Whether every listener of the block with addresses `b` is one of the block with addresses `a`. */
const covers = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  b.size === 0 ? a.size === 0 : b.isSubsetOf(a)
