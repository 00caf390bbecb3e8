// Words that a template of a Corefile holds until somebody fills them in: those of node-local-dns's ConfigMap
// (__PILLAR__CLUSTER__DNS__) and of CoreDNS's own manifest (UPSTREAMNAMESERVER). CoreDNS takes them for zones, and for upstreams
// that do not resolve.

import type { Directive, ServerBlock } from '../corefile/corefile.ts'
import type { Problems } from '../corefile/problem.ts'
import type { Token } from '../corefile/token.ts'

const PILLAR = /__[A-Z][A-Z0-9]*(?:__?[A-Z0-9]+)*__/
const MANIFEST =
  /^(?:CLUSTER_DOMAIN|REVERSE_CIDRS|UPSTREAMNAMESERVER|STUBDOMAINS|FEDERATIONS|CLUSTER_DNS_IP)(?::\d+)?$/

/** Reports every placeholder among keys and directives; what stands in quotes is text. */
export function reportPlaceholders(blocks: readonly ServerBlock[], problems: Problems): void {
  const report = (token: Token): void => {
    if (token.quoted || !(PILLAR.test(token.text) || MANIFEST.test(token.text))) return
    const message =
      'a placeholder that nobody has filled in; what puts this Corefile in its place writes the value'
    problems.error(token, message, { found: token.text })
  }
  const reportAll = ({ word, args, block = [] }: Directive): void => {
    for (const token of [word, ...args]) report(token)
    for (const line of block) reportAll(line)
  }
  for (const { keys, directives } of blocks) {
    for (const token of new Set(keys.map(key => key.token))) report(token)
    for (const directive of directives) reportAll(directive)
  }
}
