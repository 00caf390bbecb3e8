// The head of a server block: `[SCHEME://]ZONE[:PORT]`, where ZONE is a name or a network (coredns plugin/normalize.go
// SplitHostPort, plugin/pkg/parse/transport.go).
//
//   .  .:1053  :53  tls://example.org  10.0.0.0/8:53  2001:db8::/32  https://Example.org:8443

import { parsePort } from '../shared/upstream-address.ts'
import type { Problems } from './problem.ts'
import type { Token } from './token.ts'
import { parseZones, type Read } from './zone.ts'

/** The schemes of a server block, every one that CoreDNS has. */
export const SCHEMES = ['dns', 'tls', 'https', 'quic', 'grpc', 'https3'] as const

/** A scheme of a server block: what is spoken on its port. */
export type Scheme = (typeof SCHEMES)[number]

/** The port of a key that names none (coredns plugin/pkg/transport); that of `dns` yields to -dns.port. */
export const DEFAULT_PORTS: Readonly<Record<Scheme, number>> = {
  dns: 53,
  tls: 853,
  quic: 853,
  https: 443,
  https3: 443,
  grpc: 443,
}

/** One zone that a server block serves. A network that covers several reverse zones gives one key for each. */
export interface Key {
  /** As it is written, after environment substitution. */
  readonly text: string
  readonly scheme: Scheme
  /** Lower case with its final dot; '.' for the root. */
  readonly zone: string
  /** 1..65535; undefined where none is written. */
  readonly port: number | undefined
  readonly token: Token
}

/** What one written key says. */
export interface KeyParts {
  readonly scheme: Scheme
  readonly zones: readonly string[]
  readonly port: number | undefined
}

/** The keys that a word stands for; none, and an error at the word, where it is no key. */
export function readKey(token: Token, problems: Problems): Key[] {
  const parts = parseKey(token.text)
  if ('reason' in parts) {
    problems.error(token, parts.reason, {
      found: token.text,
      ...(parts.allowed && { allowed: parts.allowed }),
    })
    return []
  }
  const { scheme, zones, port } = parts.value
  return zones.map(zone => ({ text: token.text, scheme, zone, port, token }))
}

/** Takes `[SCHEME://]ZONE[:PORT]` apart. An empty zone before a port is the root; CoreDNS 1.14.7 refuses it. */
export function parseKey(text: string): Read<KeyParts> & { readonly allowed?: readonly string[] } {
  const split = /^([^/]*):\/\/(.*)$/s.exec(text)
  const scheme = SCHEMES.find(known => known === (split?.[1] ?? 'dns'))
  if (scheme === undefined) return { reason: 'unknown scheme', allowed: SCHEMES.map(known => `${known}://`) }
  const address = split?.[2] ?? text
  const colon = address.lastIndexOf(':')
  // The last colon of an IPv6 network stands before its slash and belongs to the address.
  const hasPort = colon !== -1 && !address.slice(colon).includes('/')
  const digits = hasPort ? address.slice(colon + 1) : undefined
  const zoneText = hasPort ? address.slice(0, colon) : address
  if (zoneText.includes(':') && !zoneText.includes('/')) {
    return { reason: 'not a zone name; an IPv6 reverse zone is written as a network, such as 2001:db8::/32' }
  }
  const port = digits === undefined ? undefined : parsePort(digits)
  if (digits !== undefined && port === undefined)
    return { reason: 'the port must be a number from 1 to 65535' }
  const zones = parseZones(zoneText === '' && hasPort ? '.' : zoneText)
  return 'reason' in zones ? zones : { value: { scheme, zones: zones.value, port } }
}
