// How an upstream is written, in a Corefile and in objects:
//
//   10.0.0.1  10.0.0.1:5353  [fd00::1]:53  dns://10.0.0.1                  port 53
//   tls://9.9.9.9%dns.quad9.net  tls://[2620:fe::fe%dns.quad9.net]:853     with the certificate's name; port 853
//   https://9.9.9.9%dns.quad9.net                                          the same way; port 443

import { familyOf } from './ip.ts'

export const UPSTREAM_PROTOCOLS = ['dns', 'tls', 'https'] as const
export type UpstreamProtocol = (typeof UPSTREAM_PROTOCOLS)[number]

export const UPSTREAM_PORTS: Readonly<Record<UpstreamProtocol, number>> = { dns: 53, tls: 853, https: 443 }

/** Where an upstream is and what it speaks: DNS over UDP and TCP (RFC 1035), over TLS (RFC 7858) or HTTPS (RFC 8484). */
export interface UpstreamAddress {
  readonly protocol: UpstreamProtocol
  /** IPv4 or IPv6, the latter perhaps with its zone identifier. */
  readonly address: string
  readonly port: number
  /** The name that the certificate must have; the address itself where none is given. */
  readonly serverName: string | undefined
}

/** The scheme of an upstream in lower case, `dns` where it has none, and what stands behind it. */
export function schemeOf(text: string): { readonly scheme: string; readonly rest: string } {
  const [, scheme = 'dns', rest = ''] = /^(?:([a-z0-9]+):\/\/)?(.*)$/is.exec(text) ?? []
  return { scheme: scheme.toLowerCase(), rest }
}

export const isUpstreamProtocol = (scheme: string): scheme is UpstreamProtocol =>
  UPSTREAM_PROTOCOLS.some(known => known === scheme)

/** A port number in decimal digits, 1..65535; undefined for anything else. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}

/** Address, port and, where it is encrypted, the name behind `%`; there a percent sign never begins a zone identifier. */
export function takeApart(
  text: string,
  protocol: UpstreamProtocol,
): { readonly address: string; readonly port: string | undefined; readonly zone: string | undefined } {
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]*)\]|(.*?))(?::([^:\]]*))?$/s.exec(text) ?? []
  // An IPv6 address without brackets ends with what looks like a port.
  const whole =
    bracketed === undefined &&
    (familyOf(text) !== 0 || (protocol !== 'dns' && familyOf(text.split('%')[0]!) === 6))
  const address = whole ? text : (bracketed ?? plain)
  const percent = protocol !== 'dns' ? address.lastIndexOf('%') : -1
  return {
    address: percent < 0 ? address : address.slice(0, percent),
    port: whole ? undefined : port,
    zone: percent < 0 ? undefined : address.slice(percent + 1),
  }
}
