// The kinds of value that directives take: durations, addresses, listening addresses.
//
//   1m30s  90000      [::1]:53  {address: '::1', port: 53}      :9153  {host: '', port: 9153}

import { familyOf } from '../shared/ip.ts'
import { parsePort } from '../shared/upstream-address.ts'

/** Milliseconds in each unit of a Go duration; both micro signs that Go takes. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  '\u00b5s': 1e-3,
  '\u03bcs': 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/**
 * A duration as Go's time.ParseDuration reads it, in milliseconds: decimal numbers with units, such as 1h, 1m30s, 0.5s
 * or -100ms, and a bare 0; undefined for anything else.
 */
export function parseDuration(text: string): number | undefined {
  const [, sign, body = ''] = /^([-+]?)(.*)$/s.exec(text)!
  if (body === '0') return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(body)) return undefined
  let durationMs = 0
  for (const [, number = '', unit = ''] of body.matchAll(/([\d.]+)([^\d.]+)/g)) {
    durationMs += Number(number) * UNIT_MS[unit]!
  }
  if (durationMs === 0) return 0
  return sign === '-' ? -durationMs : durationMs
}

/** An address, and a port where one was written. */
export interface AddressPort {
  /** IPv4 or IPv6, the latter without brackets and perhaps with its zone identifier. */
  readonly address: string
  readonly port: number | undefined
}

/** `IP`, `IPv4:PORT`, `[IPv6]` or `[IPv6]:PORT`; undefined for anything else, a host name included. */
export function parseAddressPort(text: string): AddressPort | undefined {
  if (familyOf(text) !== 0) return { address: text, port: undefined }
  const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(text)
  if (parts === null) return undefined
  const [, bracketed, plain = '', portText] = parts
  const address = bracketed ?? plain
  if (familyOf(address) !== (bracketed === undefined ? 4 : 6)) return undefined
  const port = portText === undefined ? undefined : parsePort(portText)
  return portText !== undefined && port === undefined ? undefined : { address, port }
}

/** Where an HTTP server of the process listens. */
export interface ListenAddress {
  /** An address or a host name; '' for every address. */
  readonly host: string
  readonly port: number
}

/** `HOST:PORT`, `:PORT`, `[IPv6]:PORT`, as health, ready and prometheus take it; undefined for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]\s/]*)):(\d+)$/.exec(text)
  if (parts === null) return undefined
  const [, bracketed, plain = '', portText = ''] = parts
  const port = parsePort(portText)
  if (port === undefined || (bracketed !== undefined && familyOf(bracketed) !== 6)) return undefined
  return { host: bracketed ?? plain, port }
}
