// `metadata [ZONES…]`: plugins of the server block leave facts about each query in its zones, for the query log
// (`{/kubernetes/namespace}`), `rewrite edns0`, `template` and `view` (CoreDNS plugin/metadata). The labels
// are of the client's own question, and made when somebody asks for one (../query/packet.ts).
//
//   kubernetes/service, -/namespace, -/endpoint, -/port-name, -/protocol, -/kind, -/zone, -/cluster, -/parse-error
//   kubernetes/client-namespace, -/client-pod-name, -/client-label/KEY       with `pods verified`
//   view/name     forward/upstream     zone/wildcard     log/type, log/class
//

import { once, readLine } from '../corefile/arguments.ts'
import { NEXT } from '../query/packet.ts'
import type { Word } from './plugin.ts'

/** The configuration of `metadata`. */
export interface MetadataConfig {
  readonly zones: readonly string[]
}

/** `metadata`, once in a server block. */
export const metadataWord: Word<MetadataConfig> = {
  word: 'metadata',
  doc: {
    usage: 'metadata [ZONE…]',
    meaning:
      'lets plugins label each query in the zones, for `{/LABEL}` in the formats of log, for rewrite edns0, template and view',
    default: "the server block's zones",
    options: [],
    notes: [
      'Labels are `kubernetes/` with service, namespace, endpoint, port-name, protocol, kind, zone, cluster or parse-error, `view/name`, `forward/upstream`, `zone/wildcard` (of `file`, where it is not cached), `log/type` and `log/class`; with `pods verified` also `kubernetes/client-namespace`, `kubernetes/client-pod-name` and `kubernetes/client-label/KEY`, by the source address.',
      'What is known of Pods is kept only where the server block names such a label, written out in full; the name and the labels are those of the one Pod with the address.',
    ],
    example: `
      . {
          metadata
          log . "{remote} ({/kubernetes/client-namespace}): {type} {name} {rcode}"
          kubernetes cluster.local {
              pods verified
          }
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems, block) {
    const directive = once(directives, problems)
    let zones = block.zones
    if (directive === undefined) return { zones }
    readLine(directive, problems, line => {
      zones = line.zones(block.zones)
    })
    return { zones }
  },
  effect: ({ zones }) => ({ transparent: true, labelled: zones }),
  create: () => ({ handle: () => NEXT }),
}
