// StubDomain (seamark.dev): a zone and the servers that are asked about it, of the whole cluster. What is wrong with one is kept
// with it, so that it can be said of the object.

import { canonicalIp, familyOf } from '../shared/ip.ts'
import {
  isUpstreamProtocol,
  parsePort,
  schemeOf,
  takeApart,
  UPSTREAM_PORTS,
  type UpstreamAddress,
} from '../shared/upstream-address.ts'
import { createdMsOf, field, fieldAt, isJson, listAt, type Path, quote, textAt } from './field.ts'
import { isAddress, isTimeMs } from './guards.ts'
import { bareName, isRecordName } from './records.ts'
import { type Stated, statedOf } from './stated.ts'

export const STUB_POLICIES = ['random', 'round_robin', 'sequential'] as const
export type StubPolicy = (typeof STUB_POLICIES)[number]

/** Upstreams of one object, as many as `forward` takes. */
export const STUB_UPSTREAMS_MAX = 15
export const MAX_FAILS_MAX = 100

export interface SlimStubDomain {
  readonly name: string
  /** When it was made, in ms since 1970: of two that claim a zone the older one has it. */
  readonly createdMs: number
  /** In lower case, without a final dot; '' where it is none. */
  readonly zone: string
  readonly upstreams: readonly UpstreamAddress[]
  /** In which order they are tried. */
  readonly policy: StubPolicy
  /** One of them is down when more checks than this failed in a row; 0: never. */
  readonly maxFails: number
  readonly forceTcp: boolean
  /** Why it cannot be served; '' where it can. */
  readonly flaw: string
  /** What its status says; absent where it has none, as in a file. */
  readonly stated?: Stated
}

/** Whether it is a zone below the root, in lower case without a final dot. */
export const isZoneText = (text: string): boolean => isRecordName(text) && !text.startsWith('*')

/** Of a StubDomain as the API or a file has it, whose name is good. */
export function stubDomainOf(
  raw: unknown,
  name: string,
  note: (path: Path, message: string) => void,
): SlimStubDomain {
  const spec = fieldAt(raw, 'spec')
  let flaw = ''
  const wrong = (path: Path, text: string): void => {
    note(['spec', ...path], text)
    flaw ||= text
  }
  const zone = bareName(textAt(spec, 'zone'))
  if (!isZoneText(zone)) wrong(['zone'], `${quote(field(spec, 'zone'))} is no zone`)
  const texts = listAt(spec, 'upstreams')
  if (texts.length === 0) wrong(['upstreams'], 'no upstreams')
  if (texts.length > STUB_UPSTREAMS_MAX) wrong(['upstreams'], `more than ${STUB_UPSTREAMS_MAX} upstreams`)
  const upstreams = texts.slice(0, STUB_UPSTREAMS_MAX).flatMap((text, i) => {
    const read = typeof text === 'string' ? upstreamOf(text) : 'it is no text'
    if (typeof read !== 'string') return [read]
    wrong(['upstreams', i], `upstream ${quote(text)}: ${read}`)
    return []
  })
  const policy = STUB_POLICIES.find(known => known === (field(spec, 'policy') ?? 'random'))
  if (policy === undefined) wrong(['policy'], `the policy is none of ${STUB_POLICIES.join(', ')}`)
  const maxFails = field(spec, 'maxFails') ?? 2
  if (!isCount(maxFails)) wrong(['maxFails'], `maxFails is no number from 0 to ${MAX_FAILS_MAX}`)
  const forceTcp = field(spec, 'forceTCP') ?? false
  if (typeof forceTcp !== 'boolean') wrong(['forceTCP'], 'forceTCP is neither true nor false')
  const stated = statedOf(raw)
  const slim: SlimStubDomain = {
    name,
    createdMs: createdMsOf(raw),
    zone: isZoneText(zone) ? zone : '',
    upstreams,
    policy: policy ?? 'random',
    maxFails: isCount(maxFails) ? maxFails : 2,
    forceTcp: forceTcp === true,
    flaw,
  }
  return stated ? { ...slim, stated } : slim
}

/** An address as `forward` takes it; why it is none. Files and host names are for the Corefile. */
function upstreamOf(text: string): UpstreamAddress | string {
  const { scheme, rest } = schemeOf(text)
  if (!isUpstreamProtocol(scheme)) return `upstreams over ${scheme} are not offered`
  const { address, port: portText, zone } = takeApart(rest, scheme)
  const canonical = familyOf(address) === 0 ? undefined : canonicalIp(address)
  if (canonical === undefined) return 'this is no IP address'
  if (canonical === '0.0.0.0' || canonical === '::') return 'nobody has this address'
  const port = portText === undefined ? UPSTREAM_PORTS[scheme] : parsePort(portText)
  if (port === undefined) return 'the port must be a number from 1 to 65535'
  return { protocol: scheme, address: canonical, port, serverName: zone || undefined }
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_FAILS_MAX

/** Such an object out of a file's value, whose name is good; undefined where it is none. */
export function checkedStubDomain(value: unknown, name: string): SlimStubDomain | undefined {
  const [createdMs, zone, upstreams, policy, maxFails, forceTcp, flaw] = [
    'createdMs', 'zone', 'upstreams', 'policy', 'maxFails', 'forceTcp', 'flaw',
  ].map(key => field(value, key)) // biome-ignore format: a list
  const known = STUB_POLICIES.find(each => each === policy)
  const isGood =
    isTimeMs(createdMs) &&
    typeof zone === 'string' &&
    (zone === '' || isZoneText(zone)) &&
    Array.isArray(upstreams) &&
    upstreams.length <= STUB_UPSTREAMS_MAX &&
    known !== undefined &&
    isCount(maxFails) &&
    typeof forceTcp === 'boolean' &&
    typeof flaw === 'string'
  if (!isGood) return undefined
  const addresses = upstreams.flatMap(each => checkedUpstream(each) ?? [])
  if (addresses.length < upstreams.length) return undefined
  return { name, createdMs, zone, upstreams: addresses, policy: known, maxFails, forceTcp, flaw }
}

function checkedUpstream(value: unknown): UpstreamAddress | undefined {
  if (!isJson(value)) return undefined
  const { protocol, address, port, serverName } = value
  const isGood =
    typeof protocol === 'string' &&
    isUpstreamProtocol(protocol) &&
    isAddress(address) &&
    parsePort(String(port)) === port &&
    (serverName === undefined || typeof serverName === 'string')
  return isGood ? { protocol, address, port: port as number, serverName } : undefined
}
