// Reads the directives (doc.ts; coredns plugin/forward/setup.go).

import { type Line, type OptionReaders, readLine } from '../../corefile/arguments.ts'
import type { Directive } from '../../corefile/corefile.ts'
import { parseKey } from '../../corefile/key.ts'
import type { Problems } from '../../corefile/problem.ts'
import { parseAddressPort } from '../../corefile/values.ts'
import { parseName } from '../../wire/name.ts'
import { parseRcode, RCODE } from '../../wire/rcode.ts'
import { judgePem, readPem } from '../pem.ts'
import type { BlockContext } from '../plugin.ts'
import {
  DOH_METHODS,
  defaultRule,
  type ForwardConfig,
  HEALTH_INTERVAL_MIN_MS,
  POLICIES,
  type RuleConfig,
  TOS_MAX,
} from './config.ts'
import { readTo } from './to.ts'

type Draft = { -readonly [K in keyof RuleConfig]: RuleConfig[K] }

/** More is nobody's intention, and what counts to it still fits a counter. */
const COUNT_MAX = 0xffffffff

/** One rule for each directive, in the order of the file; a directive without a usable TO gives none. */
export function parseForward(
  directives: readonly Directive[],
  problems: Problems,
  block: BlockContext,
): ForwardConfig | undefined {
  const rules: RuleConfig[] = []
  for (const directive of directives) {
    readLine(directive, problems, line => {
      const rule = readRule(line, block)
      if (rule !== undefined) rules.push(rule)
    })
  }
  return rules.length === directives.length ? { rules } : undefined
}

function readRule(line: Line, block: BlockContext): RuleConfig | undefined {
  const from = readFrom(line)
  const words = line.some('an upstream: an address, a file such as /etc/resolv.conf, or a host name')
  const draft: Draft = defaultRule(from ?? '.', [])
  let serverName: string | undefined
  line.options({
    ...limitReaders(draft),
    ...failureReaders(draft),
    except: option => {
      if (!option.has) option.error(option.word, 'except needs a name')
      draft.except = [...draft.except, ...option.zones()]
    },
    policy: option => {
      draft.policy = option.choice('a policy', POLICIES) ?? draft.policy
    },
    force_tcp: () => {
      draft.forceTcp = true
    },
    prefer_udp: () => {
      draft.preferUdp = true
    },
    tls: option => readTls(option, draft, block),
    tls_servername: option => {
      serverName = option.text('the name in the certificate')
    },
    doh_method: option => {
      draft.dohMethod = option.choice('a method', DOH_METHODS) ?? draft.dohMethod
    },
    source_address: option => {
      draft.sourceAddress = option.ip('the source address')
    },
    resolver: option => {
      draft.resolvers = option.some('the address of a server').flatMap(token => {
        const found = parseAddressPort(token.text)
        if (found !== undefined) return [token.text]
        option.error(token, 'this is not an IP address with or without a port', { found: token.text })
        return []
      })
    },
  })
  if (draft.maxAgeMs > 0 && draft.maxAgeMs < draft.expireMs) {
    line.error(line.word, `max_age (${draft.maxAgeMs}ms) must not be less than expire (${draft.expireMs}ms)`)
  }
  const surplus = words[TOS_MAX]
  if (surplus !== undefined) line.error(surplus, `more than ${TOS_MAX} upstreams`, { found: surplus.text })
  draft.to = words.flatMap(token => readTo(token, line, serverName, block.directory) ?? [])
  if (draft.to.length > 0 && draft.to.every(to => to.kind === 'file' && to.upstreams.length === 0)) {
    line.error(line.word, 'no nameserver in any of the files')
  }
  return from === undefined || draft.to.length === 0 ? undefined : draft
}

/** A zone, or a network as the first of its reverse zones, as CoreDNS takes it. */
function readFrom(line: Line): string | undefined {
  const token = line.token('the names to forward, such as .')
  if (token === undefined) return undefined
  const parts = parseKey(token.text)
  if ('reason' in parts) return line.error(token, parts.reason, { found: token.text })
  const [zone, ...more] = parts.value.zones
  if (more.length > 0) {
    const message = `this network covers ${more.length + 1} reverse zones; only ${zone} is forwarded`
    line.problems.warning(token, message, { found: token.text })
  }
  return zone
}

function limitReaders(draft: Draft): OptionReaders {
  return {
    max_concurrent: option => {
      draft.concurrentMax = option.integer('the number of queries', 0, COUNT_MAX) ?? draft.concurrentMax
    },
    read_timeout: option => {
      draft.readTimeoutMs = option.duration('the time to answer', { minMs: 1e-6 }) ?? draft.readTimeoutMs
    },
    expire: option => {
      draft.expireMs = option.duration('the idle time') ?? draft.expireMs
    },
    max_age: option => {
      draft.maxAgeMs = option.duration('the age') ?? draft.maxAgeMs
    },
    max_idle_conns: option => {
      draft.idleConnectionsMax =
        option.integer('the number of connections', 0, COUNT_MAX) ?? draft.idleConnectionsMax
    },
  }
}

function failureReaders(draft: Draft): OptionReaders {
  return {
    max_fails: option => {
      draft.maxFails = option.integer('the number of failed checks', 0, COUNT_MAX) ?? draft.maxFails
    },
    max_connect_attempts: option => {
      draft.attemptsMax = option.integer('the number of attempts', 0, COUNT_MAX) ?? draft.attemptsMax
    },
    health_check: option => readHealthCheck(option, draft),
    failover: option => {
      draft.failover = [...draft.failover, ...readRcodes(option, false)]
    },
    next: option => {
      draft.next = [...draft.next, ...readRcodes(option, true)]
    },
    next_on_nodata: () => {
      draft.nextOnNodata = true
    },
    failfast_all_unhealthy_upstreams: () => {
      draft.failfast = true
    },
  }
}

function readHealthCheck(option: Line, draft: Draft): void {
  const intervalMs = option.duration('the time between two checks')
  let recursionDesired = true
  let domain = '.'
  while (option.has) {
    const word = option.choice('an option of health_check', ['no_rec', 'domain'])
    if (word === 'no_rec') recursionDesired = false
    if (word === 'domain') {
      const token = option.token('a name behind domain')
      if (token === undefined) return
      if (parseName(token.text) === undefined) {
        option.error(token, 'this is not a domain name', { found: token.text })
      } else domain = token.text
    }
  }
  if (intervalMs === undefined) return
  draft.healthCheck = { intervalMs: Math.max(intervalMs, HEALTH_INTERVAL_MIN_MS), recursionDesired, domain }
}

function readRcodes(option: Line, noerrorToo: boolean): number[] {
  return option.some('a response code').flatMap(token => {
    const rcode = parseRcode(token.text)
    const allowed = Object.keys(RCODE).filter(name => noerrorToo || name !== 'NOERROR')
    if (rcode !== undefined && (noerrorToo || rcode !== RCODE.NOERROR)) return [rcode]
    option.error(token, `this is not a response code for ${option.word.text}`, { found: token.text, allowed })
    return []
  })
}

/** `tls`, `tls CA`, `tls CERT KEY` or `tls CERT KEY CA`; files relative to the Corefile. */
function readTls(option: Line, draft: Draft, { directory }: BlockContext): void {
  const tokens = option.rest()
  const surplus = tokens[3]
  if (surplus !== undefined) {
    option.error(surplus, 'tls takes at most a certificate, a key and an authority', { found: surplus.text })
    return
  }
  const read = tokens.map(token => readPem(option, token, directory))
  if (read.includes(undefined)) return
  const [cert, key, ca] = read.length === 1 ? [undefined, undefined, read[0]] : read
  if (judgePem(option, { cert, key, ca })) draft.tls = { cert: cert?.text, key: key?.text, ca: ca?.text }
}
