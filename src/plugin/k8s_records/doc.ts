// How `k8s_records` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { TTL_DEFAULT_SECONDS, TTL_MAX_SECONDS } from './config.ts'

export const recordsDoc: WordDoc = {
  usage: 'k8s_records ZONE…',
  meaning:
    'answers for names that objects ask for, under suffixes that are delegated to their namespaces: changed without a reload (Seamark only)',
  options: [
    {
      usage: 'from dnsrecords|dnsendpoints|ingresses|httproutes|services…',
      meaning:
        "the objects: DNSRecord of seamark.dev (`config/crds`), DNSEndpoint of ExternalDNS, the hosts of Ingresses with their load balancers' addresses, and those of HTTPRoutes (Gateway API v1), as far as their listeners have them, with their Gateways' addresses; names in the annotations `coredns.io/hostname` and `external-dns.alpha.kubernetes.io/hostname` of Services with a load balancer, with its addresses",
    },
    {
      usage: 'delegate SUFFIX to NAMESPACE…',
      meaning:
        'the namespaces whose objects may have names of the suffix, * for all; the longest suffix counts',
    },
    {
      usage: 'ttl SECONDS',
      meaning: 'the TTL of records that name none, and of denials',
      default: `${TTL_DEFAULT_SECONDS}`,
      range: `1 to ${TTL_MAX_SECONDS}`,
    },
    {
      usage: 'fallthrough [ZONE…]',
      meaning: 'hands names that no object has to the next plugin',
      default: 'off; all zones where none is named',
    },
  ],
  notes: [
    'Types: A, AAAA, CNAME, TXT, SRV, MX, CAA; `*` may be the first label. A name belongs to the namespace whose object is the oldest that claims it; there, of two that claim a type the older one has it, and an alias has its name alone. Namespaces that share a suffix can have names below those of each other, as `_acme-challenge` is. What is refused is logged with the object and why. A DNSRecord tells it in its status, too (`kubectl get dnsrecords -o wide`), where the server may patch `dnsrecords/status`. [An example](nobody-else.md#the-objects).',
    "Names in the zones of `kubernetes` in the same block are the cluster's, unless a longer zone is written here and a longer suffix delegated.",
    'A namespace has 20000 names at most, those between a record and the suffix included, and 8 MiB of records, all together 128 MiB; what does not fit is served once there is room. An Ingress or HTTPRoute has 32 addresses.',
    'kubernetes in the same block reads the objects, from an API server or a folder; the right to list and watch them is needed (`config/crds`). Until their definitions are installed the server is not ready.',
  ],
  example: `
    . {
        k8s_records example.org {
            from dnsrecords ingresses
            delegate team-a.example.org to team-a
            delegate example.org to platform
            fallthrough
        }
        kubernetes cluster.local
        forward . /etc/resolv.conf
    }`,
}
