// How `autopath` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { KUBERNETES } from './config.ts'
import { SEARCH_MAX } from './search.ts'

export const autopathDoc: WordDoc = {
  usage: `autopath [ZONE…] ${KUBERNETES}|FILE`,
  meaning:
    'walks the search path of a Pod, or that of a resolv.conf, for names below its first domain, and answers with the first name that exists',
  default: "the server block's zones",
  range: `${SEARCH_MAX} domains`,
  options: [],
  notes: [
    `${KUBERNETES} needs \`pods verified\`. A source address that Pods of several namespaces have, or that is a node's own, has no path; nor has any before all Pods are listed.`,
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
