// The proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for a server, by the rules of golang.org/x/net/http/httpproxy, which
// client-go and so CoreDNS and kubectl follow:
//
//   HTTPS_PROXY for https, HTTP_PROXY for http; in lower case, too, which wins; a URL, or HOST:PORT for http://HOST:PORT
//   never for localhost and loopback addresses; HTTP_PROXY never in a CGI program, whose clients set it (httpoxy)
//   NO_PROXY: commas between *, an address, a block, a name (with all below it), .NAME (what is below it), each but * and a
//   block with :PORT or without

import { domainToASCII } from 'node:url'
import { type Cidr, contains, type Ip, parseCidr, parseIp } from '../shared/ip.ts'
import { ApiError } from './api-error.ts'

/** Environment variables by name. */
export type Env = Readonly<Record<string, string | undefined>>

/** An entry of NO_PROXY; `ip` is undefined for a server that is a name. */
type Exempt = (host: string, port: string, ip: Ip | undefined) => boolean

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/**
 * The proxy for a server by the environment; undefined where there is none for it. Throws an ApiError `credentials` for an
 * http server in a CGI program, and for a proxy of another scheme.
 */
export function proxyFromEnvironment(server: URL, env: Env): URL | undefined {
  const secure = server.protocol === 'https:'
  const proxy = readProxy(secure ? either(env, 'https_proxy') : either(env, 'http_proxy'))
  if (proxy === undefined) return undefined
  if (!secure && env.REQUEST_METHOD) {
    throw new ApiError(
      'credentials',
      'finding the API server: HTTP_PROXY is not used in a CGI program (REQUEST_METHOD)',
    )
  }
  const host = hostOf(server)
  const port = server.port || (DEFAULT_PORTS[server.protocol] ?? '')
  const ip = parseIp(host)
  if (host === 'localhost' || (ip && isLoopback(ip))) return undefined
  if (exemptions(either(env, 'no_proxy')).some(exempt => exempt(host, port, ip))) return undefined
  return checkedProxy(proxy, secure ? 'HTTPS_PROXY' : 'HTTP_PROXY')
}

/** The proxy, if its scheme is one that can be spoken; throws an ApiError `credentials` that names where it is written. */
export function checkedProxy(proxy: URL, from: string): URL {
  const scheme = proxy.protocol.slice(0, -1)
  if (PROXY_SCHEMES.includes(scheme)) return proxy
  const allowed = PROXY_SCHEMES.join(', ')
  throw new ApiError(
    'credentials',
    `finding the API server: ${from} has the scheme "${scheme}"; allowed are ${allowed}`,
  )
}

/** The host of a URL without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '')

/** The schemes that a proxy may have. */
const PROXY_SCHEMES: readonly string[] = ['http', 'https', 'socks5', 'socks5h']

/** The header that a proxy with a user and password in its URL is sent. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '' && proxy.password === '') return {}
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }
}

function either(env: Env, name: string): string {
  return env[name] || env[name.toUpperCase()] || ''
}

/** What is no URL with a host is HOST:PORT; what is neither names no proxy. */
function readProxy(text: string): URL | undefined {
  if (text === '') return undefined
  const url = URL.parse(text)
  return url && url.host !== '' ? url : (URL.parse(`http://${text}`) ?? undefined)
}

const isLoopback = ({ family, bytes, text }: Ip): boolean =>
  family === 4 ? bytes[0] === 127 : text === '::1'

function exemptions(list: string): Exempt[] {
  const entries = list.split(',').map(entry => entry.trim().toLowerCase())
  if (entries.includes('*')) return [() => true]
  return entries.flatMap(entry => exemption(entry) ?? [])
}

function exemption(entry: string): Exempt | undefined {
  if (entry === '') return undefined
  const block = entry.includes('/') ? parseCidr(entry) : undefined
  if (block) return inBlock(block)
  const [host, port] = splitPort(entry)
  if (host === '') return undefined
  const address = parseIp(host)
  const samePort = (asked: string): boolean => port === '' || port === asked
  if (address) return (_, asked, ip) => ip?.text === address.text && samePort(asked)
  const below = host.startsWith('*.') ? host.slice(1) : host
  const suffix = domainToASCII(below.replace(/^\./, '')) || below.replace(/^\./, '')
  const itself = !below.startsWith('.')
  return (name, asked, ip) =>
    ip === undefined && (name.endsWith(`.${suffix}`) || (itself && name === suffix)) && samePort(asked)
}

const inBlock =
  (block: Cidr): Exempt =>
  (_, __, ip) =>
    ip !== undefined && contains(block, ip)

/** HOST:PORT, [V6]:PORT, or HOST alone, a bare IPv6 address among them. */
function splitPort(entry: string): [host: string, port: string] {
  const bracketed = /^\[(.*)\]:(.*)$/.exec(entry)
  if (bracketed) return [bracketed[1] ?? '', bracketed[2] ?? '']
  const colon = entry.indexOf(':')
  if (colon < 0 || colon !== entry.lastIndexOf(':')) return [entry, '']
  return [entry.slice(0, colon), entry.slice(colon + 1)]
}
