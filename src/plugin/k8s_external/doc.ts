// How `k8s_external` is written, with the defaults and bounds of config.ts.

import type { WordDoc } from '../../corefile/doc.ts'
import { APEX_DEFAULT, TTL_DEFAULT_SECONDS, TTL_MAX_SECONDS } from './config.ts'

export const externalDoc: WordDoc = {
  usage: 'k8s_external [ZONE…]',
  meaning:
    'answers SVC.NS.ZONE with what services are reached at from outside the cluster: external IPs, addresses and host names of load balancers',
  default: "the server block's zones",
  options: [
    {
      usage: 'apex LABEL',
      meaning: "where the zone's own name server is: ns1.LABEL.ZONE",
      default: APEX_DEFAULT,
    },
    {
      usage: 'ttl SECONDS',
      meaning: 'the TTL of addresses, PTR, NS and SOA; SRV and CNAME have that of kubernetes',
      default: `${TTL_DEFAULT_SECONDS}`,
      range: `0 to ${TTL_MAX_SECONDS}`,
    },
    {
      usage: 'headless',
      meaning: 'answers for headless services with their endpoints, also by name: EP.SVC.NS.ZONE',
    },
    {
      usage: 'fallthrough [ZONE…]',
      meaning: 'hands names that do not exist to the next plugin, all or those in the zones',
      default: 'NXDOMAIN',
    },
  ],
  notes: [
    'It answers out of the kubernetes directive of its server block, with the namespaces that are exposed there; a name in zones of both is its own first.',
    'Before the cluster is listed a name that is not known is SERVFAIL; CoreDNS denies it.',
    'A PTR record names services below the first zone.',
  ],
  example: `
    . {
        kubernetes cluster.local
        k8s_external example.org {
            headless
        }
        forward . /etc/resolv.conf
    }`,
}
