// What `seamark check` says beyond errors: a Corefile that parses and is served, and does something else than was meant. Each
// lint stands for reports of CoreDNS's users (docs/coredns.md 6). All are warnings; none is told while
// serving.

import type { ServerBlock } from '../../corefile/corefile.ts'
import { type Problem, Problems } from '../../corefile/problem.ts'
import { type Lint, LintBlock } from './blocks.ts'
import {
  abruptEnd,
  cachedCluster,
  hiddenMetrics,
  missingWords,
  portsTwice,
  reverseWithoutFallthrough,
} from './cluster.ts'
import { aaaaDenied, aaaaRewritten, aclAfterRewrite, aclElsewhere, logOfPlace } from './names.ts'
import { fallsNowhere, neverAsked, unreachableZones } from './reach.ts'
import {
  aclBehindCache,
  asksItself,
  clusterNameAsUpstream,
  mixedUpstreams,
  serverNameInClear,
} from './upstreams.ts'

const LINTS: readonly Lint[] = [
  unreachableZones,
  neverAsked,
  fallsNowhere,
  asksItself,
  mixedUpstreams,
  aclBehindCache,
  aclAfterRewrite,
  aclElsewhere,
  aaaaDenied,
  aaaaRewritten,
  logOfPlace,
  clusterNameAsUpstream,
  serverNameInClear,
  cachedCluster,
  reverseWithoutFallthrough,
  missingWords,
  abruptEnd,
  hiddenMetrics,
  portsTwice,
]

/** The warnings about parsed blocks, by place. `dnsPort` is the port of keys without one, `directory` the Corefile's. */
export function lint(blocks: readonly ServerBlock[], dnsPort: number, directory: string): readonly Problem[] {
  const problems = new Problems()
  const all = blocks.map(block => new LintBlock(block, dnsPort, directory))
  for (const block of all) for (const look of LINTS) look(block, all, problems)
  return problems.list.toSorted((a, b) => a.line - b.line || a.column - b.column)
}
