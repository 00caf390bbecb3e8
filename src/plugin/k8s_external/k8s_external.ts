// `k8s_external [ZONES…] { … }`: names of services in a zone for those outside the cluster, with the addresses that they are
// reached at from there (CoreDNS plugin/k8s_external). It answers from the table of the block's `kubernetes`.
//
//   web.shop.example.org        A, AAAA: spec.externalIPs and the load balancer's ingress; CNAME for ingress host names
//   _http._tcp.web.shop.…       SRV, also at the service's own name
//   7.2.0.192.in-addr.arpa      PTR, where the reverse zone is among the zones
//   example.org                 SOA, NS ns1.dns.example.org

import { ownedZones } from '../owned-zones.ts'
import type { Word } from '../plugin.ts'
import type { ExternalConfig } from './config.ts'
import { externalDoc } from './doc.ts'
import { ExternalHandler } from './handler.ts'
import { parseExternal } from './parse.ts'

/** `k8s_external`, once in a server block. */
export const k8sExternalWord = {
  word: 'k8s_external',
  doc: externalDoc,
  parse: parseExternal,
  create: (config, context) => new ExternalHandler(config, context),
  effect: ({ zones, fallthrough }) => ({ owns: ownedZones(zones, fallthrough) }),
} satisfies Word<ExternalConfig>
