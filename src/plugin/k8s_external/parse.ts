// `k8s_external [ZONES…] { … }`: names of services in a zone for those outside the cluster, with the addresses that they are
// reached at from there (CoreDNS plugin/k8s_external). It answers from the table of the block's `kubernetes`.
//
//   web.shop.example.org        A, AAAA: spec.externalIPs and the load balancer's ingress; CNAME for ingress host names
//   _http._tcp.web.shop.…       SRV, also at the service's own name
//   7.2.0.192.in-addr.arpa      PTR, where the reverse zone is among the zones
//   example.org                 SOA, NS ns1.dns.example.org

import { type Line, once, readLine } from '../../corefile/arguments.ts'
import type { Word } from '../plugin.ts'
import { APEX_DEFAULT, type ExternalConfig, TTL_DEFAULT_SECONDS, TTL_MAX_SECONDS } from './config.ts'
import { ExternalHandler } from './handler.ts'

type Draft = { -readonly [K in keyof ExternalConfig]: ExternalConfig[K] }

/** `k8s_external`, once in a server block. */
export const k8sExternalWord: Word<ExternalConfig> = {
  word: 'k8s_external',
  doc: {
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
  },
  parse(directives, problems, block) {
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    const draft: Draft = {
      zones: [],
      apex: APEX_DEFAULT,
      ttlSeconds: TTL_DEFAULT_SECONDS,
      headless: false,
      fallthrough: undefined,
    }
    readLine(directive, problems, line => {
      draft.zones = [...new Set(line.zones(block.zones))]
      readOptions(line, draft)
    })
    if (!block.words.has('kubernetes'))
      problems.error(directive.word, 'k8s_external needs kubernetes in this server block')
    return draft
  },
  create: (config, context) => new ExternalHandler(config, context),
}

function readOptions(line: Line, draft: Draft): void {
  line.options({
    apex: option => {
      const token = option.token('a label')
      if (token === undefined) return
      const label = token.text.toLowerCase()
      if (/^[a-z0-9_-]{1,63}$/.test(label)) draft.apex = label
      else option.error(token, 'this is no label of a name', { found: token.text })
    },
    ttl: option => {
      draft.ttlSeconds = option.integer('the TTL in seconds', 0, TTL_MAX_SECONDS) ?? draft.ttlSeconds
    },
    headless: () => {
      draft.headless = true
    },
    fallthrough: option => {
      draft.fallthrough = option.zones(['.'])
    },
  })
}
