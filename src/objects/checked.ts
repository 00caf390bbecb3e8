// Slim objects out of a file, which may hold anything: each is looked at to the last field and made anew, with the fields that it
// has in memory and no others. What would not pass for one that was made here is none.

import { parseCidr } from '../shared/ip.ts'
import { checkedDnsPolicy } from './dns-policies.ts'
import { isPacked } from './endpoints.ts'
import { isJson, type Json } from './field.ts'
import { isAddress, isListOf, isText, isTimeMs } from './guards.ts'
import { internList, internPorts, internText } from './intern.ts'
import type {
  Kind,
  Kinds,
  Near,
  SlimEndpointSlice,
  SlimNamespace,
  SlimNode,
  SlimPod,
  SlimPort,
  SlimService,
  SlimServiceImport,
} from './objects.ts'
import { isRecordSet, SETS_MAX, type SlimRecords } from './records.ts'
import { checkedGateway, checkedRoute } from './routes.ts'
import {
  ADDRESSES_MAX,
  isDnsLabel,
  isDnsSubdomain,
  NETWORKS_MAX,
  POD_IPS_MAX,
  PORTS_MAX,
  PROTOCOLS,
  SERVICE_TYPES,
} from './slim.ts'
import { checkedStubDomain } from './stub-domains.ts'

/** The object of that kind in a value that JSON.parse gave; undefined where it is none. */
export function checkedSlim<K extends Kind>(kind: K, value: unknown): Kinds[K] | undefined {
  return isJson(value) ? (CHECKS[kind](value) as Kinds[K] | undefined) : undefined
}

const CHECKS: { readonly [K in Kind]: (value: Json) => Kinds[K] | undefined } = {
  Namespace: namespace,
  Service: service,
  EndpointSlice: endpointSlice,
  Pod: pod,
  ServiceImport: serviceImport,
  Node: node,
  DNSRecord: value => ofNamespace(value, records),
  DNSEndpoint: value => ofNamespace(value, records),
  Ingress: value => ofNamespace(value, records),
  StubDomain: value =>
    isName(value.name, isDnsSubdomain) ? checkedStubDomain(value, value.name) : undefined,
  Gateway: value => ofNamespace(value, checkedGateway),
  HTTPRoute: value => ofNamespace(value, checkedRoute),
  DNSPolicy: value => ofNamespace(value, checkedDnsPolicy),
}

function namespace({ name, labels }: Json): SlimNamespace | undefined {
  if (!isName(name, isDnsLabel)) return undefined
  if (labels === undefined) return { name }
  return isListOf(labels, LABELS_MAX, isText)
    ? { name, labels: internList(labels.map(internText)) }
    : undefined
}

function service(value: Json): SlimService | undefined {
  const { namespace, name, type, clusterIPs, headless, externalName, ports, externalIPs, near, asks } = value
  const known = SERVICE_TYPES.find(one => one === type)
  const isGood =
    isName(namespace, isDnsLabel) &&
    isName(name, isDnsLabel) &&
    known !== undefined &&
    isListOf(clusterIPs, ADDRESSES_MAX, isAddress) &&
    typeof headless === 'boolean' &&
    isText(externalName) &&
    isListOf(ports, PORTS_MAX, isPort) &&
    isListOf(externalIPs, 2 * ADDRESSES_MAX, isText) &&
    (near === undefined || isNear(near))
  if (!isGood) return undefined
  const slim: SlimService = {
    namespace: internText(namespace),
    name,
    type: known,
    clusterIPs: internList(clusterIPs),
    headless,
    externalName,
    ports: internPorts(ports.map(portOf)),
    externalIPs: internList(externalIPs),
  }
  if (near === undefined && asks === undefined) return slim
  const checked = isJson(asks) ? records(asks, { namespace: slim.namespace, name }) : undefined
  if (asks !== undefined && checked === undefined) return undefined
  return { ...slim, ...(near !== undefined && { near }), ...(checked && { asks: checked }) }
}

const isNear = (value: unknown): value is Near => value === 'zone' || value === 'node'

function endpointSlice(value: Json): SlimEndpointSlice | undefined {
  const { namespace, name, serviceName, imported, ports, endpoints, triggerTimeMs } = value
  const isGood =
    isName(namespace, isDnsLabel) &&
    isName(name, isDnsSubdomain) &&
    (serviceName === '' || isName(serviceName, isDnsLabel)) &&
    isListOf(ports, PORTS_MAX, isPort) &&
    typeof endpoints === 'string' &&
    isPacked(endpoints) &&
    isTimeMs(triggerTimeMs)
  if (!isGood) return undefined
  const slice: SlimEndpointSlice = {
    namespace: internText(namespace),
    name,
    serviceName,
    ports: internPorts(ports.map(portOf)),
    endpoints,
    triggerTimeMs,
  }
  if (imported === undefined) return slice
  if (!isJson(imported)) return undefined
  const { name: importName, cluster } = imported
  if (!isName(importName, isDnsLabel) || !isText(cluster)) return undefined
  return { ...slice, imported: { name: importName, cluster: internText(cluster) } }
}

function pod(value: Json): SlimPod | undefined {
  const { namespace, name, ip, otherIps, hostNetwork, hostIp, labels } = value
  const isGood = isName(namespace, isDnsLabel) && isName(name, isDnsSubdomain) && isAddress(ip)
  if (!isGood) return undefined
  const plain: SlimPod = { namespace: internText(namespace), name, ip }
  if (hostNetwork === undefined && labels === undefined) return plain
  if (typeof hostNetwork !== 'boolean' || !isListOf(labels, LABELS_MAX, isText)) return undefined
  if (otherIps !== undefined && !isListOf(otherIps, POD_IPS_MAX, isAddress)) return undefined
  const known: SlimPod = {
    ...plain,
    hostNetwork,
    labels: internList(labels.map(internText)),
    ...(otherIps && { otherIps: [...otherIps] }),
  }
  if (hostIp === undefined) return known
  return isAddress(hostIp) ? { ...known, hostIp: internText(hostIp) } : undefined
}

function serviceImport(value: Json): SlimServiceImport | undefined {
  const { namespace, name, headless, clusterIPs, ports } = value
  const isGood =
    isName(namespace, isDnsLabel) &&
    isName(name, isDnsLabel) &&
    typeof headless === 'boolean' &&
    isListOf(clusterIPs, ADDRESSES_MAX, isAddress) &&
    isListOf(ports, PORTS_MAX, isPort)
  if (!isGood) return undefined
  return {
    namespace: internText(namespace),
    name,
    headless,
    clusterIPs: internList(clusterIPs),
    ports: internPorts(ports.map(portOf)),
  }
}

function node({ name, zone, networks }: Json): SlimNode | undefined {
  const isGood =
    isName(name, isDnsSubdomain) && isText(zone) && isListOf(networks, 2 * NETWORKS_MAX, isNetwork)
  return isGood ? { name, zone: internText(zone), networks } : undefined
}

function ofNamespace<T>(
  value: Json,
  check: (value: Json, id: { namespace: string; name: string }) => T | undefined,
): T | undefined {
  const { namespace, name } = value
  const isGood = isName(namespace, isDnsLabel) && isName(name, isDnsSubdomain)
  return isGood ? check(value, { namespace: internText(namespace), name }) : undefined
}

function records(
  { createdMs, records }: Json,
  id: Pick<SlimRecords, 'namespace' | 'name'>,
): SlimRecords | undefined {
  if (!isTimeMs(createdMs) || !isListOf(records, SETS_MAX, isRecordSet)) return undefined
  return {
    ...id,
    createdMs,
    records: records.map(({ name, type, ttlSeconds, values }) => ({ name, type, ttlSeconds, values })),
  }
}

/** More than a Corefile asks for. */
const LABELS_MAX = 1000

const isName = (value: unknown, named: (text: string) => boolean): value is string =>
  typeof value === 'string' && named(value)

/** Canonical, as networks are compared. */
const isNetwork = (value: unknown): value is string =>
  typeof value === 'string' && parseCidr(value)?.text === value

function isPort(value: unknown): value is SlimPort {
  if (!isJson(value)) return false
  const { name, port, protocol } = value
  return (
    typeof name === 'string' &&
    (name === '' || isDnsLabel(name)) &&
    typeof port === 'number' &&
    Number.isInteger(port) &&
    (port === -1 || (port >= 1 && port <= 65535)) &&
    PROTOCOLS.some(known => known === protocol)
  )
}

const portOf = ({ name, port, protocol }: SlimPort): SlimPort => ({ name, port, protocol })
