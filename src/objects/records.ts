// Objects that ask for records outside of the cluster's zones: DNSRecord (seamark.dev), DNSEndpoint (externaldns.k8s.io), and the
// host names of Ingresses and of Services with a load balancer. All become the same: sets of records by name and type, their values as they are written.

import { canonicalIp } from '../shared/ip.ts'
import { createdMsOf, field, fieldAt, listAt, type Path, textAt } from './field.ts'
import { type Stated, statedOf } from './stated.ts'

/** Told of every field that was left out. */
type Note = (path: Path, message: string) => void

/** The records of one name and type that an object asks for. */
export interface SlimRecordSet {
  /** In lower case, without a final dot; `*` may be its first label. */
  readonly name: string
  readonly type: RecordType
  /** 0 is as the Corefile says. */
  readonly ttlSeconds: number
  /** In presentation form, a TXT record's with or without quotes. */
  readonly values: readonly string[]
}

/** An object with such records. */
export interface SlimRecords {
  readonly namespace: string
  readonly name: string
  /** When it was made, in ms since 1970: of two that claim a name the older one has it. */
  readonly createdMs: number
  readonly records: readonly SlimRecordSet[]
  /** What the status of a DNSRecord says; absent where it has none, as in a file. */
  readonly stated?: Stated
}

export const RECORD_TYPES = ['A', 'AAAA', 'CNAME', 'TXT', 'SRV', 'MX', 'CAA'] as const
export type RecordType = (typeof RECORD_TYPES)[number]

/** Sets of one object, values of one set, and their length. */
export const SETS_MAX = 1000
export const VALUES_MAX = 1000
export const VALUE_MAX = 4096
/** Of all values of a set: four times what a reply holds, as an octet may be written in four characters. */
const SET_TEXT_MAX = 131_072
export const TTL_MAX_SECONDS = 86_400
/** Addresses of an Ingress or a route, each of which all its hosts have. */
export const BALANCERS_MAX = 32
const NAME_MAX = 253

const LABEL = '[a-z0-9_](?:[-a-z0-9_]{0,61}[a-z0-9_])?'
const NAME = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`)

/** Whether it is a name that records may have, in lower case without a final dot. */
export const isRecordName = (text: string): boolean => text.length <= NAME_MAX && NAME.test(text)

/** A name as objects are read: in lower case, without a final dot. */
export const bareName = (text: string): string => text.toLowerCase().replace(/\.$/, '')

/** Whether such a name is the suffix or below it; '' is the root. */
export const isWithin = (name: string, suffix: string): boolean =>
  suffix === '' || name === suffix || name.endsWith(`.${suffix}`)

type Id = Pick<SlimRecords, 'namespace' | 'name'>

/** A DNSRecord: spec.name, spec.type, spec.ttlSeconds, spec.values. */
export function recordsOfDnsRecord(raw: unknown, id: Id, note: Note): SlimRecords {
  const stated = statedOf(raw)
  const slim = made(raw, id, [
    setOf(
      fieldAt(raw, 'spec', 'name'),
      fieldAt(raw, 'spec', 'type'),
      fieldAt(raw, 'spec', 'ttlSeconds'),
      listAt(raw, 'spec', 'values'),
      ['spec'],
      note,
    ),
  ])
  return stated ? { ...slim, stated } : slim
}

/** A DNSEndpoint of ExternalDNS: spec.endpoints with dnsName, recordType, recordTTL and targets. */
export const recordsOfDnsEndpoint = (raw: unknown, id: Id, note: Note): SlimRecords =>
  made(
    raw,
    id,
    listAt(raw, 'spec', 'endpoints')
      .slice(0, SETS_MAX)
      .map((item, i) =>
        setOf(
          field(item, 'dnsName'),
          field(item, 'recordType'),
          field(item, 'recordTTL'),
          listAt(item, 'targets'),
          ['spec', 'endpoints', i],
          note,
        ),
      ),
  )

/** An Ingress: the hosts of its rules, with the addresses or the host name of its load balancer. */
export const recordsOfIngress = (raw: unknown, id: Id, note: Note): SlimRecords =>
  ofBalancer(
    raw,
    id,
    listAt(raw, 'spec', 'rules').map(rule => textAt(rule, 'host')),
    0,
    ['spec', 'rules'],
    note,
  )

/** Annotations with host names, a comma between two (k8s_gateway, ExternalDNS), and with their TTL in seconds. */
const HOST_ANNOTATIONS = ['coredns.io/hostname', 'external-dns.alpha.kubernetes.io/hostname'] as const
const TTL_ANNOTATION = 'external-dns.alpha.kubernetes.io/ttl'

/** A Service of the type LoadBalancer: the names in its annotations likewise; undefined for one without any. */
export function recordsOfService(raw: unknown, id: Id, note: Note): SlimRecords | undefined {
  if (textAt(raw, 'spec', 'type') !== 'LoadBalancer') return undefined
  const said = HOST_ANNOTATIONS.map(key => textAt(raw, 'metadata', 'annotations', key))
  const names = said.flatMap(text => text.split(',')).map(text => text.trim())
  if (names.every(text => text === '')) return undefined
  const ttl = Number(textAt(raw, 'metadata', 'annotations', TTL_ANNOTATION))
  return ofBalancer(raw, id, names, ttl, ['metadata', 'annotations'], note)
}

/** Each name with the addresses, or the host name, of the load balancer in the object's status. */
function ofBalancer(
  raw: unknown,
  id: Id,
  names: readonly string[],
  ttl: number,
  path: Path,
  note: Note,
): SlimRecords {
  const balancers = listAt(raw, 'status', 'loadBalancer', 'ingress').slice(0, BALANCERS_MAX)
  const ips = balancers.flatMap(item => canonicalIp(textAt(item, 'ip')) ?? [])
  const hosts = balancers.flatMap(item => textAt(item, 'hostname') || [])
  const sets = [...new Set(names)]
    .filter(name => name !== '')
    .slice(0, SETS_MAX)
    .flatMap(name =>
      balancerTypes(ips, hosts).map(([type, values]) => setOf(name, type, ttl, values, path, note)),
    )
  return made(raw, id, sets)
}

/** What a name has that leads to a balancer: its addresses, or where it has none its first host name. */
export function balancerTypes(
  addresses: readonly string[],
  hosts: readonly string[],
): (readonly [type: RecordType, values: readonly string[]])[] {
  const types = [
    ['A', addresses.filter(address => !address.includes(':'))],
    ['AAAA', addresses.filter(address => address.includes(':'))],
    ['CNAME', addresses.length === 0 ? hosts.slice(0, 1) : []],
  ] as const
  return types.filter(([, values]) => values.length > 0)
}

function made(
  raw: unknown,
  { namespace, name }: Id,
  sets: readonly (SlimRecordSet | undefined)[],
): SlimRecords {
  return {
    namespace,
    name,
    createdMs: createdMsOf(raw),
    records: sets.filter(set => set !== undefined),
  }
}

function setOf(
  name: unknown,
  type: unknown,
  ttl: unknown,
  values: readonly unknown[],
  path: Path,
  note: Note,
): SlimRecordSet | undefined {
  const known = RECORD_TYPES.find(each => each === type)
  const text = typeof name === 'string' ? bareName(name) : ''
  if (known === undefined || !isRecordName(text)) {
    note(
      path,
      known ? 'no name that records can have: left out' : `none of ${RECORD_TYPES.join(', ')}: left out`,
    )
    return undefined
  }
  const isTtl = typeof ttl === 'number' && Number.isInteger(ttl) && ttl > 0 && ttl <= TTL_MAX_SECONDS
  let room = SET_TEXT_MAX
  const kept = values
    .slice(0, VALUES_MAX)
    .filter(value => typeof value === 'string')
    .filter(value => value !== '' && value.length <= VALUE_MAX)
    .filter(({ length }) => {
      room -= length
      return room >= 0
    })
  return { name: text, type: known, ttlSeconds: isTtl ? ttl : 0, values: kept }
}

/** Whether a value out of a file is such an object's part. */
export function isRecordSet(value: unknown): value is SlimRecordSet {
  const [name, type, ttl, values] = ['name', 'type', 'ttlSeconds', 'values'].map(key => fieldAt(value, key))
  return (
    typeof name === 'string' &&
    isRecordName(name) &&
    RECORD_TYPES.some(known => known === type) &&
    typeof ttl === 'number' &&
    Number.isInteger(ttl) &&
    ttl >= 0 &&
    ttl <= TTL_MAX_SECONDS &&
    Array.isArray(values) &&
    values.length <= VALUES_MAX &&
    values.every(each => typeof each === 'string' && each !== '' && each.length <= VALUE_MAX)
  )
}
