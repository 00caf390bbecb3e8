// How `ratelimit` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import {
  BURST_DEFAULT_SECONDS,
  CLIENTS_DEFAULT,
  CLIENTS_MAX,
  CLIENTS_MIN,
  IPV6_BITS_DEFAULT,
  IPV6_BITS_MIN,
  RATE_MAX,
} from './config.ts'

const burst = {
  default: `no limit; BURST is what RATE gives in ${BURST_DEFAULT_SECONDS} s`,
  range: `1 to ${RATE_MAX}`,
}

export const ratelimitDoc: WordDoc = {
  usage: 'ratelimit',
  meaning:
    'keeps one client from taking the server, or its upstreams, away from the others: what is beyond its share is first told to come over TCP, then dropped (Seamark only)',
  default: 'no limit',
  options: [
    {
      usage: 'queries RATE [BURST]',
      meaning: 'queries a second that one address may ask, whatever is answered from',
      ...burst,
    },
    {
      usage: 'misses RATE [BURST]',
      meaning:
        'queries a second of one address that go on to forward: what neither cluster, cache nor files answer',
      ...burst,
    },
    {
      usage: 'namespace_queries RATE [BURST]',
      meaning: 'the same of all Pods of one namespace together; needs `pods verified` in kubernetes',
      ...burst,
    },
    { usage: 'namespace_misses RATE [BURST]', meaning: 'the same of what goes on to forward', ...burst },
    {
      usage: 'exempt NETWORK…',
      meaning: 'addresses and networks that are not limited',
      default: 'none',
    },
    {
      usage: 'ipv6_prefix BITS',
      meaning:
        'IPv6 addresses of one network of so many bits are one client: 64 where whole networks are one customer, and never where they are the Pods of a node',
      default: `${IPV6_BITS_DEFAULT}`,
      range: `${IPV6_BITS_MIN} to ${IPV6_BITS_DEFAULT}`,
    },
    {
      usage: 'clients N',
      meaning: 'addresses that are remembered; with more of them those that owe least are forgotten first',
      default: `${CLIENTS_DEFAULT}, in 1 MiB`,
      range: `${CLIENTS_MIN} to ${CLIENTS_MAX}`,
    },
  ],
  notes: [
    'Beyond RATE a client gets as many empty replies with TC over UDP, to ask again over TCP. As many are answered over connections, and over UDP with a cookie of this server (RFC 7873), beside those: who makes up its address empties the share of nobody who has shown his. Beyond that a client gets nothing over UDP and REFUSED over a connection.',
    'Danger: a client is an address. Where many stand behind one (NodeLocal DNSCache, Pods with the network of their node, a NAT, a load balancer that hides them) they share its tokens: exempt it.',
    'All serving threads count together, replicas each for itself: N replicas let a client ask N times as much.',
  ],
  example: `
    . {
        ratelimit {
            queries 2000
            misses 100 500
            exempt 169.254.20.10 10.0.0.0/16
        }
        kubernetes cluster.local
        forward . /etc/resolv.conf
    }`,
}
