// The served names as a person reads them: a table for the start, the `dig` lines to try, and one line for each name
// that a change of the folder adds, alters or takes away. Pure functions of slim objects.
//
//   kubia-service.default.svc.cluster.local        A      10.101.7.31   9696/tcp
//   external-service-3.default.svc.cluster.local   CNAME  cn.bing.com

import { type SlimEndpoint, unpackEndpoints } from '../objects/endpoints.ts'
import type { SlimPort, SlimService } from '../objects/objects.ts'
import { parseIp } from '../shared/ip.ts'
import type { ClusterState } from './compile.ts'

/** Lines shown of a table or of a change, unless told otherwise; the rest is counted. */
const LINES_MAX = 40
const ADDRESSES_SHOWN = 4

interface Row {
  readonly name: string
  readonly type: 'A' | 'AAAA' | 'CNAME' | 'SRV' | 'NXDOMAIN'
  readonly data: readonly string[]
  /** What the Service offers, for the table. */
  readonly ports: string
}

/** A table of the Services' names with their addresses or targets, and the host names of endpoints. */
export function describeNames(state: ClusterState, zone: string, linesMax: number = LINES_MAX): string[] {
  const rows = rowsOf(state, zone).filter(row => row.type !== 'SRV')
  const shown = rows.slice(0, linesMax)
  const width = Math.max(0, ...shown.map(row => row.name.length))
  const typeWidth = Math.max(0, ...shown.map(row => row.type.length))
  const dataWidth = Math.min(64, Math.max(0, ...shown.map(row => listed(row.data).length)))
  const lines = shown.map(row => {
    const start = `${row.name.padEnd(width)}  ${row.type.padEnd(typeWidth)}`
    return `${start}  ${listed(row.data).padEnd(dataWidth)}  ${row.ports}`.trimEnd()
  })
  if (rows.length > shown.length) lines.push(`… and ${rows.length - shown.length} more`)
  return lines
}

/** `dig` lines that show each sort of name that the state has, the folder's own Services first. */
export function describeQueries(
  state: ClusterState,
  zone: string,
  server: { readonly host: string; readonly port: number },
): string[] {
  const rows = rowsOf(state, zone)
  const builtIn = [`kubernetes.default.svc.${zone}`, `kube-dns.kube-system.svc.${zone}`]
  const isBuiltIn = (row: Row): boolean => builtIn.some(name => row.name.endsWith(name))
  const sorted = [...rows.filter(row => !isBuiltIn(row)), ...rows.filter(isBuiltIn)]
  const pick = (wanted: (row: Row) => boolean): Row | undefined => sorted.find(wanted)
  const labels = zone.split('.').length
  const isService = (row: Row): boolean => row.name.split('.').length === labels + 3
  const clusterIp = pick(row => row.type === 'A' && row.ports !== '' && row.data.length === 1)
  const host = pick(row => row.type === 'A' && !isService(row))
  const asked = [
    clusterIp?.name,
    pick(row => row.type === 'A' && isService(row) && row.data.length > 1)?.name,
    host?.name,
    pick(row => row.type === 'CNAME')?.name,
    withType(
      pick(row => row.type === 'AAAA' && isService(row)),
      'AAAA',
    ),
    withType(
      pick(row => row.type === 'SRV'),
      'SRV',
    ),
    clusterIp && `-x ${clusterIp.data[0]}`,
  ]
  const start = `dig @${server.host}${server.port === 53 ? '' : ` -p ${server.port}`}`
  return asked.filter(what => what !== undefined).map(what => `${start} ${what}`)
}

const withType = (row: Row | undefined, type: string): string | undefined => row && `${row.name} ${type}`

/** One line for each name and type that differs: `+ NAME A …`, `- NAME A`, `~ NAME A: 3 → 4 addresses`. */
export function describeChange(
  before: ClusterState,
  after: ClusterState,
  zone: string,
  linesMax: number = LINES_MAX,
): string[] {
  const old = new Map(rowsOf(before, zone).map(row => [`${row.name} ${row.type}`, row]))
  const now = new Map(rowsOf(after, zone).map(row => [`${row.name} ${row.type}`, row]))
  const lines: string[] = []
  for (const key of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const was = old.get(key)
    const is = now.get(key)
    if (!was && is) lines.push(`+ ${key} ${listed(is.data)}`.trimEnd())
    else if (was && !is) lines.push(`- ${key}`)
    else if (was && is && was.data.join() !== is.data.join()) lines.push(`~ ${key}: ${difference(was, is)}`)
  }
  const rest = lines.length - linesMax
  return rest > 0 ? [...lines.slice(0, linesMax), `… and ${rest} more`] : lines
}

function difference(was: Row, is: Row): string {
  if (was.data.length === is.data.length) return `${listed(was.data)} → ${listed(is.data)}`
  return `${was.data.length} → ${is.data.length} addresses`
}

function listed(data: readonly string[]): string {
  if (data.length <= ADDRESSES_SHOWN) return data.join(' ')
  return `${data.slice(0, ADDRESSES_SHOWN - 1).join(' ')} … ${data.length} in all`
}

/** The records of every Service, by namespace and name. */
function rowsOf(state: ClusterState, zone: string): Row[] {
  const endpoints = new Map<string, SlimEndpoint[]>()
  const endpointPorts = new Map<string, SlimPort[]>()
  for (const slice of state.EndpointSlice.values()) {
    const key = `${slice.namespace}/${slice.serviceName}`
    gather(endpoints, key, unpackEndpoints(slice.endpoints))
    gather(endpointPorts, key, slice.ports)
  }
  const exposed = [...state.Service].filter(([, service]) => state.Namespace.has(service.namespace))
  return exposed
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, service]) => {
      const name = `${service.name}.${service.namespace}.svc.${zone}`
      const ready = endpoints.get(key) ?? []
      const ports = service.headless ? (endpointPorts.get(key) ?? []) : service.ports
      return serviceRows(service, name, ready, ports)
    })
}

function gather<T>(lists: Map<string, T[]>, key: string, items: readonly T[]): void {
  const list = lists.get(key)
  if (list) list.push(...items)
  else lists.set(key, [...items])
}

function serviceRows(
  service: SlimService,
  name: string,
  ready: readonly SlimEndpoint[],
  ports: readonly SlimPort[],
): Row[] {
  if (service.type === 'ExternalName') {
    const literal = service.externalName === '' || parseIp(service.externalName) !== undefined
    return [{ name, type: literal ? 'NXDOMAIN' : 'CNAME', data: [service.externalName], ports: '' }]
  }
  const offers = [...new Set(ports.map(p => `${p.name === '' ? '' : `${p.name} `}${p.port}/${p.protocol}`))]
  const words = offers.join(', ')
  if (service.headless && ready.length === 0) {
    return [{ name, type: 'NXDOMAIN', data: ['no ready endpoint'], ports: '' }]
  }
  const rows = addressRows(name, service.headless ? ready.map(e => e.address) : service.clusterIPs, words)
  const hosts = new Map<string, string[]>()
  for (const endpoint of ready) {
    const label = endpoint.hostname || endpoint.targetName
    if (label !== '' && label.length < 64) gather(hosts, label, [endpoint.address])
  }
  for (const [label, addresses] of hosts) rows.push(...addressRows(`${label}.${name}`, addresses, ''))
  const named = ports.filter(port => port.name !== '')
  const services = new Map<string, Set<string>>()
  for (const port of named) {
    const owner = `_${port.name}._${port.protocol}.${name}`
    services.set(owner, (services.get(owner) ?? new Set()).add(String(port.port)))
  }
  for (const [owner, numbers] of services) {
    rows.push({ name: owner, type: 'SRV', data: [`port ${[...numbers].join(' ')}`], ports: '' })
  }
  return rows
}

function addressRows(name: string, addresses: readonly string[], ports: string): Row[] {
  const distinct = [...new Set(addresses)]
  const data = (family: number): string[] => distinct.filter(text => parseIp(text)?.family === family)
  const rows: Row[] = [
    { name, type: 'A', data: data(4), ports },
    { name, type: 'AAAA', data: data(6), ports },
    { name, type: 'CNAME', data: distinct.filter(text => parseIp(text) === undefined), ports },
  ]
  return rows.filter(row => row.data.length > 0)
}
