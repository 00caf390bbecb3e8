// The ConfigMap kube-dns as the kubelet mounts it, a file for each key: `stubDomains`, a JSON object of zones and their servers,
// and `upstreamNameservers`, a JSON array (kubernetes.io, "Customizing DNS Service"; kubernetes/dns, pkg/dns/config).

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseIp } from '../shared/ip.ts'
import { readRegular } from '../shared/regular-file.ts'

export interface KubeDnsConfig {
  readonly stubDomains: ReadonlyMap<string, readonly string[]>
  readonly upstreamNameservers: readonly string[]
}

export const NO_KUBE_DNS_CONFIG: KubeDnsConfig = { stubDomains: new Map(), upstreamNameservers: [] }

/** More than a ConfigMap can hold. */
const FILE_MAX_OCTETS = 2 ** 20
/** What `forward` takes in one line. */
const SERVERS_MAX = 15
const DOMAIN =
  /^(?=.{1,253}\.?$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i

/** What is written there cannot be served. */
export class KubeDnsError extends Error {
  readonly code = 'KUBE_DNS_CONFIG'
}

/** Reads the folder; what is not there is empty. Throws KubeDnsError with the file and what is wrong. */
export function readKubeDnsConfig(folder: string): KubeDnsConfig {
  const stubDomains = new Map<string, readonly string[]>()
  const zones = readJson(folder, 'stubDomains')
  if (zones !== undefined) {
    if (zones === null || typeof zones !== 'object' || Array.isArray(zones))
      throw new KubeDnsError('stubDomains is not a JSON object of zones and their servers')
    for (const [zone, servers] of Object.entries(zones)) {
      if (!DOMAIN.test(zone))
        throw new KubeDnsError(`stubDomains has ${JSON.stringify(zone)}, which is no name of a zone`)
      stubDomains.set(zone, readServers(servers, `stubDomains, ${zone}`))
    }
  }
  const upstreams = readJson(folder, 'upstreamNameservers')
  return {
    stubDomains,
    upstreamNameservers: upstreams === undefined ? [] : readServers(upstreams, 'upstreamNameservers'),
  }
}

function readJson(folder: string, key: string): unknown {
  const file = join(folder, key)
  if (folder === '' || !existsSync(file)) return undefined
  const text = readRegular(file, FILE_MAX_OCTETS)
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new KubeDnsError(`${key} is not JSON: ${(error as Error).message}`, { cause: error })
  }
}

function readServers(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value)) throw new KubeDnsError(`${where}: not a JSON array of addresses`)
  if (value.length === 0 || value.length > SERVERS_MAX)
    throw new KubeDnsError(`${where}: 1 to ${SERVERS_MAX} addresses are needed, not ${value.length}`)
  return value.map(server => {
    if (typeof server !== 'string' || !isServer(server))
      throw new KubeDnsError(`${where}: ${JSON.stringify(server)} is no address, nor one with a port`)
    return server
  })
}

/** `10.0.0.53`, `10.0.0.53:5353`, `fd00::53`, `[fd00::53]:5353`. */
function isServer(text: string): boolean {
  if (parseIp(text) !== undefined) return true
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  return match !== null && parseIp(match[1] ?? match[2]!) !== undefined && port > 0 && port < 65536
}
