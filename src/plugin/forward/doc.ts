// How `forward` is written (coredns plugin/forward/setup.go), with the defaults and bounds of config.ts.

import type { WordDoc } from '../../corefile/doc.ts'
import { defaultRule, HEALTH_INTERVAL_MIN_MS, POLICIES, TOS_MAX } from './config.ts'

const rule = defaultRule('.', [])
const seconds = (ms: number): string => `${ms / 1000}s`

export const forwardDoc: WordDoc = {
  usage: 'forward FROM TO…',
  meaning:
    'asks other servers for names below FROM; TO is an address, tls://ADDRESS[%NAME] or https://ADDRESS[%NAME], a host name, or a file like /etc/resolv.conf',
  range: `${TOS_MAX} TOs`,
  options: [
    { usage: 'except NAME…', meaning: 'names below FROM that go to the next plugin' },
    {
      usage: 'max_concurrent N',
      meaning: 'queries at one moment, eight ninths of them of one client at most; more are REFUSED',
      default: 'no limit of its own',
    },
    {
      usage: `policy ${POLICIES.join('|')}`,
      meaning: 'in which order upstreams are tried',
      default: rule.policy,
    },
    { usage: 'force_tcp', meaning: 'asks over TCP always' },
    {
      usage: 'prefer_udp',
      meaning: 'asks over UDP even for clients over TCP, and again over TCP where that was cut',
    },
    {
      usage: 'max_fails N',
      meaning: 'failed checks after which an upstream is down; 0 is never, and no checks',
      default: `${rule.maxFails}`,
    },
    {
      usage: 'health_check INTERVAL [no_rec] [domain NAME]',
      meaning: 'how an upstream is checked after an error, until it answers: NS of NAME',
      default: `${seconds(rule.healthCheck.intervalMs)}, with RD, ${rule.healthCheck.domain}`,
      range: `INTERVAL from ${HEALTH_INTERVAL_MIN_MS}ms`,
    },
    {
      usage: 'failfast_all_unhealthy_upstreams',
      meaning: 'SERVFAIL at once while all upstreams are down, instead of trying one at random',
    },
    {
      usage: 'read_timeout DURATION',
      meaning: 'how long one upstream may take',
      default: seconds(rule.readTimeoutMs),
    },
    {
      usage: 'max_connect_attempts N',
      meaning: 'failed attempts for one query; 0 is as many as its 5 s allow',
      default: 'two for each upstream',
    },
    { usage: 'failover RCODE…', meaning: 'response codes after which the next upstream is tried' },
    { usage: 'next RCODE…', meaning: 'response codes after which the next forward of the block is tried' },
    { usage: 'next_on_nodata', meaning: 'tries the next forward of the block after an empty answer, too' },
    {
      usage: 'expire DURATION',
      meaning: 'how long a connection may be idle',
      default: seconds(rule.expireMs),
    },
    {
      usage: 'max_age DURATION',
      meaning: 'how long a connection may be used; 0s is for ever',
      default: '0s',
      range: 'not less than expire',
    },
    {
      usage: 'max_idle_conns N',
      meaning: 'idle connections to one upstream; 0 is all of them',
      default: `${rule.idleConnectionsMax}`,
    },
    {
      usage: 'tls [CERT KEY] [CA]',
      meaning: 'files for tls:// and https:// upstreams: a client certificate, the authorities to trust',
      default: "the system's authorities",
    },
    {
      usage: 'tls_servername NAME',
      meaning: 'the name that the certificate of tls:// and https:// upstreams must have',
    },
    {
      usage: 'doh_method POST|GET',
      meaning: 'how https:// upstreams are asked, over HTTP/2',
      default: 'POST',
    },
    { usage: 'source_address IP', meaning: 'the address that queries are sent from' },
    {
      usage: 'resolver IP[:PORT]…',
      meaning: 'servers that know the host names among the TOs',
      default: "the system's resolver",
    },
  ],
  notes: [
    'Files and host names are read again while serving; CoreDNS reads them once. A host that cannot be resolved stops a start, and a reload keeps what serves.',
    'Over UDP a question leaves from one of 16 random ports, each new after 10 s, with an ID of its own; the same question is under way once. What is not answered goes out again, to the next upstream where there is one: after 400 ms at first, later as soon as this upstream’s answers used to take.',
  ],
  example: `
    . {
        forward corp.example.org 10.0.0.2 10.0.0.3 {
            policy sequential
            failover SERVFAIL REFUSED
        }
        forward . tls://9.9.9.9 tls://149.112.112.112 {
            tls_servername dns.quad9.net
            max_concurrent 1000
        }
    }`,
}
