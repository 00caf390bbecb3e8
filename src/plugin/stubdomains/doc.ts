// How `stubdomains` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { STUBS_MAX } from '../../table/stub-domains.ts'

export const stubDomainsDoc: WordDoc = {
  usage: 'stubdomains [ZONE…]',
  meaning:
    'sends queries for the zones of StubDomain objects to their upstreams, as `forward` does: changed without a reload (Seamark only)',
  default: 'no such objects; the zones of the server block, where none is named',
  options: [],
  notes: [
    'A StubDomain of seamark.dev (`config/crds`; [an example](nobody-else.md#the-objects)) belongs to no namespace and names a zone and up to 15 upstreams: an address with or without a port, `tls://ADDRESS%SERVERNAME` or `https://ADDRESS%SERVERNAME`, with `policy`, `maxFails` and `forceTCP` as the options of `forward`. It counts for names of its zone and below it; of two whose zones are one within the other the longer counts.',
    `Refused, with a line in the log: a zone that is the cluster's own or in none of ZONE…, one that an older StubDomain has, an upstream that is no address, and more than ${STUBS_MAX} of them. One that is changed into such a thing goes on as it was. Its status says so, too (\`kubectl get stubdomains -o wide\`), where the server may patch \`stubdomains/status\`.`,
    'It stands before `forward` and behind all other words: what hosts, kubernetes or file answer, they answer. `cache` keeps its replies as others; what it has kept of a name before a StubDomain comes or goes lives on to the end of its TTL.',
    'kubernetes in the same block reads the objects, from an API server or a folder; the right to list and watch them is needed (`config/crds`), and until their definition is installed the server is not ready. Danger: who may write StubDomains decides where the names of a zone lead, for all clients.',
  ],
  example: `
    . {
        kubernetes cluster.local
        stubdomains
        forward . /etc/resolv.conf
    }`,
}
