// The flags of node-cache (kubernetes/dns, cmd/node-cache/main.go), which Seamark takes as they are in the DaemonSet
// node-local-dns: `seamark node-cache -localip 169.254.20.10,10.96.0.10 -conf /etc/Corefile -upstreamsvc kube-dns-upstream`.

import { existsSync } from 'node:fs'
import { parseIp } from '../shared/ip.ts'

export interface NodeCacheOptions {
  /** Where the cache listens, canonical; all of one family. */
  readonly localIps: readonly string[]
  readonly family: 4 | 6
  readonly port: number
  readonly setupInterface: boolean
  readonly interfaceName: string
  readonly setupNotrack: boolean
  /** How often the interface and the rules are looked after. */
  readonly syncIntervalMs: number
  readonly skipTeardown: boolean
  /** Where everything that is counted is shown, beside what the directive prometheus says. */
  readonly metrics: { readonly host: string; readonly port: number }
  readonly healthPort: number
  /** The Service whose cluster IP the template's __PILLAR__CLUSTER__DNS__ stands for. */
  readonly upstreamService: string
  /** The template; the Corefile is made of it. */
  readonly baseCorefile: string
  /** Where the Corefile that is served is written for people to read. */
  readonly corefile: string
  /** The folder of the ConfigMap kube-dns; '' where there is none. */
  readonly kubeDnsFolder: string
}

const SWITCHES = {
  setupinterface: 'true',
  setupiptables: 'true',
  setupebtables: 'false',
  skipteardown: 'false',
  reloadwithsignal: 'false',
}
/** Where the kubelet mounts the ConfigMap kube-dns in the DaemonSet's manifest. */
const KUBE_DNS_FOLDER = '/etc/kube-dns'
/** Longer names the kernel does not take (IFNAMSIZ without its 0). */
const INTERFACE_NAME_MAX = 15
const SYNC_INTERVAL_MS = 60_000
const SYNC_INTERVAL_MIN_MS = 1000

/**
 * Reads the flags; `given` has the value of each, '' where it is not there. -conf comes before -corefile, as in node-cache. A
 * string says what is wrong.
 */
export function nodeCacheOptions(given: (flag: string) => string, port: number): NodeCacheOptions | string {
  const text = (flag: string, otherwise: string): string => given(flag) || otherwise
  const localIps: string[] = []
  const families = new Set<4 | 6>()
  for (const word of text('localip', '').split(',')) {
    const ip = parseIp(word.trim())
    if (ip === undefined)
      return `-localip needs addresses with commas between them, not ${JSON.stringify(word)}`
    families.add(ip.family)
    localIps.push(ip.text)
  }
  const [family, other] = families
  if (family === undefined || other !== undefined) return '-localip needs addresses of one family'
  const switches = new Map<string, boolean>()
  for (const [flag, otherwise] of Object.entries(SWITCHES)) {
    const isTrue = goBoolean(text(flag, otherwise))
    if (isTrue === undefined) return `-${flag} is true or false, not ${given(flag)}`
    switches.set(flag, isTrue)
  }
  if (switches.get('setupebtables'))
    return '-setupebtables is not served: bridges need no such rule since Linux 4.1'
  const interfaceName = text('interfacename', 'nodelocaldns')
  if (!/^[^\s/]+$/.test(interfaceName) || interfaceName.length > INTERFACE_NAME_MAX)
    return `-interfacename is no name of an interface: ${interfaceName}`
  const syncIntervalMs = syncInterval(given('syncinterval'))
  if (syncIntervalMs === undefined) return `-syncinterval is no duration: ${given('syncinterval')}`
  // Of earlier releases of node-cache; like -reloadwithsignal of later ones it asks for nothing here.
  if (syncInterval(given('initialdelay')) === undefined)
    return `-initialdelay is no duration: ${given('initialdelay')}`
  const [, host = '', metricsPort] =
    /^(.*):(\d{1,5})$/.exec(text('metrics-listen-address', '0.0.0.0:9353')) ?? []
  if (metricsPort === undefined || Number(metricsPort) > 65535)
    return `-metrics-listen-address is no address with a port: ${given('metrics-listen-address')}`
  const healthPort = Number(text('health-port', '8080'))
  if (!Number.isInteger(healthPort) || healthPort < 1 || healthPort > 65535)
    return `-health-port is no port: ${given('health-port')}`
  const folder = text('kubednscm', '')
  return {
    localIps,
    family,
    port,
    setupInterface: switches.get('setupinterface')!,
    interfaceName,
    setupNotrack: switches.get('setupiptables')!,
    syncIntervalMs,
    skipTeardown: switches.get('skipteardown')!,
    metrics: { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(metricsPort) },
    healthPort,
    upstreamService: text('upstreamsvc', 'kube-dns'),
    baseCorefile: text('basecorefile', '/etc/coredns/Corefile.base'),
    corefile: given('conf') || text('corefile', '/etc/Corefile'),
    kubeDnsFolder: folder !== '' ? folder : existsSync(KUBE_DNS_FOLDER) ? KUBE_DNS_FOLDER : '',
  }
}

/** As strconv.ParseBool. */
function goBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined
}

/** Seconds. node-cache multiplies a Go duration by a second, so that there `60ns` is a minute, and `1m` is none it can count. */
function syncInterval(text: string): number | undefined {
  if (text === '') return SYNC_INTERVAL_MS
  const match = /^(\d+(?:\.\d+)?)(ns|ms|s|m|h)?$/.exec(text)
  if (match === null) return undefined
  const units: Readonly<Record<string, number>> = { ns: 1000, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  const ms = Number(match[1]) * units[match[2] ?? 's']!
  return Math.max(SYNC_INTERVAL_MIN_MS, ms)
}
