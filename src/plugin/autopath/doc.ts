// How `autopath` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { KUBERNETES, QUERY } from './config.ts'
import { SEARCH_MAX } from './search.ts'

export const autopathDoc: WordDoc = {
  usage: `autopath [ZONE…] ${KUBERNETES}|${QUERY}|FILE`,
  meaning:
    'walks the search path of a Pod, the one that a name tells of, or that of a resolv.conf, for names below its first domain, and answers with the first name that exists',
  default: "the server block's zones",
  range: `${SEARCH_MAX} domains`,
  options: [],
  notes: [
    `${KUBERNETES} needs \`pods verified\`. A source address that Pods of several namespaces have, or that is a node's own, has no path; nor has any before all Pods are listed.`,
    `${QUERY} (Seamark only) needs no Pods: X.NAMESPACE.svc.ZONE tells the namespace, and X.svc.ZONE, X.ZONE, the domains of this machine's /etc/resolv.conf and X itself are tried, as the client would. It does so for A and AAAA, where the namespace exists, X has two labels and more, none with an underscore, and the last of them is no service there: then X may be the name of an endpoint. Its dangers: X of a Pod of NAMESPACE looks like X.NAMESPACE of a Pod elsewhere, whose own walk found nothing before (with a namespace called dev, www.example.org.dev, which is nowhere, may be answered as www.example.org); who asks for such a name in full, with a dot at its end, gets what X is on the outside; and a client whose own path has other domains gets what its own walk would have found only behind them.`,
    "The first domain's own name is no name with a search path behind it and answered as ever; CoreDNS fails it.",
  ],
  example: `
    . {
        autopath @kubernetes
        kubernetes cluster.local {
            pods verified
        }
        forward . /etc/resolv.conf
    }`,
}
