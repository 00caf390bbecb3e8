// One TO of `forward` (coredns plugin/forward/setup.go and resolve.go, plugin/pkg/parse/host.go):
//
//   10.0.0.1  10.0.0.1:5353  [fd00::1]:53  dns://10.0.0.1         an address; port 53
//   tls://9.9.9.9%dns.quad9.net  tls://[2620:fe::fe%dns.quad9.net]:853   over TLS, with the certificate's name; port 853
//   https://9.9.9.9%dns.quad9.net                                 over HTTPS at /dns-query, the same way; port 443
//   /etc/resolv.conf  upstreams.conf                              a file with nameserver lines
//   ns.example.org:53                                             a host name, looked up at the start and while serving

import { resolve } from 'node:path'
import type { Line } from '../../corefile/arguments.ts'
import type { Token } from '../../corefile/token.ts'
import { withInterfaceName } from '../../query/sockaddr.ts'
import { familyOf } from '../../shared/ip.ts'
import { readRegular, SETTINGS_MAX_OCTETS } from '../../shared/regular-file.ts'
import {
  isUpstreamProtocol,
  parsePort,
  schemeOf,
  takeApart,
  UPSTREAM_PORTS,
} from '../../shared/upstream-address.ts'
import { parseName } from '../../wire/name.ts'
import type { To, UpstreamAddress } from './config.ts'
import { parseResolvConf } from './resolv-conf.ts'

const ALLOWED = ['IP', 'IP:PORT', 'tls://IP%SERVERNAME', 'https://IP%SERVERNAME', 'FILE', 'HOST']

/** The upstream or upstreams that the word means; undefined and an error at the word where it means none. */
export function readTo(
  token: Token,
  line: Line,
  serverName: string | undefined,
  directory: string,
): To | undefined {
  const { text } = token
  const fail = (message: string): undefined => line.error(token, message, { found: text, allowed: ALLOWED })
  const { scheme: protocol, rest } = schemeOf(text)
  if (!isUpstreamProtocol(protocol)) return fail(`upstreams over ${protocol} are not offered`)
  if (protocol === 'https' && rest.includes('/')) return fail('the path is always /dns-query and not written')
  const { address: host, port: portText, zone } = takeApart(rest, protocol)
  const port = portText === undefined ? UPSTREAM_PORTS[protocol] : parsePort(portText)
  if (host === '') return fail('this is not an upstream')
  if (familyOf(host) !== 0) {
    if (port === undefined) return fail('the port must be a number from 1 to 65535')
    if (protocol !== 'dns' && zone !== undefined && serverName !== undefined) {
      return fail('the server name is given both here and by tls_servername')
    }
    return {
      kind: 'address',
      protocol,
      address: withInterfaceName(host),
      port,
      serverName: zone ?? serverName,
    }
  }
  if (protocol === 'dns') {
    const upstreams = readFile(resolve(directory, rest))
    if ('length' in upstreams) {
      if (upstreams.length === 0)
        line.problems.warning(token, 'no nameserver in this file yet', { found: text })
      return { kind: 'file', path: resolve(directory, rest), upstreams }
    }
    if (rest.includes('/')) return line.unreadable(token, 'cannot read this file', upstreams.error)
  }
  if (!/^[\w-]+(?:\.[\w-]+)*\.?$/.test(host) || /^[\d.]+$/.test(host) || parseName(host) === undefined) {
    return fail('this is not an IP address, a file or a host name')
  }
  if (port === undefined) return fail('the port must be a number from 1 to 65535')
  const { file, line: row, column } = token
  const at = { file, line: row, column }
  return { kind: 'host', host, at, addresses: [], protocol, port, serverName: zone ?? serverName }
}

/** The servers of a file, or why it cannot be read. */
function readFile(path: string): readonly UpstreamAddress[] | { readonly error: unknown } {
  try {
    return parseResolvConf(readRegular(path, SETTINGS_MAX_OCTETS))
  } catch (error) {
    return { error }
  }
}
