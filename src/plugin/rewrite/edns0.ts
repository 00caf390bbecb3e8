// `rewrite edns0`: options that the question is sent on with, and what the client sees of them (CoreDNS
// plugin/rewrite/edns0.go). The client's own options never leave the server; those that a rule sets do, by `forward`.
//
//   set      the option, whether there is one of its code or not
//   append   only where there is none
//   replace  only where there is one
//   unset    no option of the code
//
// In a reply to a client that speaks EDNS there is, unless `revert` says otherwise, the upstream's option of the same
// code, or else the octets that were set. A client subnet is never shown to a client that sent none (RFC 7871 7.2.2).

import type { Query } from '../../query/query.ts'
import type { Reply } from '../../query/reply.ts'
import { parseCidr, parseIp } from '../../shared/ip.ts'
import { writeU16 } from '../../wire/header.ts'
import type { EdnsOption } from '../../wire/message.ts'
import { formatName } from '../../wire/name.ts'
import { type EdnsRule, OPTION_MAX_OCTETS, type OptionData, type Variable } from './config.ts'

/** Options that a client may see in its reply: what to show where the upstream says nothing. */
export type ShownOptions = ReadonlyMap<number, Uint8Array | undefined>

/** A query with its options changed. */
export interface EdnsChange {
  readonly query: Query
  readonly shown: ShownOptions
}

/** Applies a rule; undefined where it does not apply. */
export function applyEdns(rule: EdnsRule, query: Query, shown: ShownOptions): EdnsChange | undefined {
  const { action, code, revert } = rule
  const added = query.addedOptions ?? []
  const others = added.filter(option => option.code !== code)
  const theirs = query.edns?.options.filter(option => option.code !== code)
  const present = others.length < added.length || theirs?.length !== query.edns?.options.length
  if ((action === 'append' && present) || (action === 'replace' && !present)) return undefined
  const data = rule.data && optionData(rule.data, query)
  if (rule.data !== undefined && data === undefined) return undefined
  const changed = {
    ...query,
    edns: query.edns && { ...query.edns, options: theirs ?? [] },
    addedOptions: data === undefined ? others : [...others, { code, data }],
  }
  if (revert) return { query: changed, shown }
  const nowShown = new Map(shown)
  nowShown.delete(code)
  if (showsOctets(rule)) nowShown.set(code, data)
  else if (rule.data?.kind === 'nsid') nowShown.set(code, undefined)
  return { query: changed, shown: nowShown }
}

/** Whether the client sees what the rule set, whatever answers. */
export const showsOctets = ({ data, revert }: EdnsRule): boolean =>
  data !== undefined && data.kind !== 'subnet' && data.kind !== 'nsid' && !revert

/** The reply with the options that its client may see. */
export function showOptions(reply: Reply, shown: ShownOptions): Reply {
  const options: EdnsOption[] = []
  for (const [code, set] of shown) {
    const data = reply.options?.find(option => option.code === code)?.data ?? set
    if (data !== undefined) options.push({ code, data })
  }
  return { ...reply, options }
}

/** The octets of an option; undefined where a variable has no value, or one that is too long. */
function optionData(data: OptionData, query: Query): Uint8Array | undefined {
  switch (data.kind) {
    case 'nsid':
      return new Uint8Array()
    case 'subnet':
      return subnetData(query.client.address, data.v4Bits, data.v6Bits)
    case 'octets':
      return data.octets
    case 'variable':
      return bounded(variableData(data.variable, query))
    case 'metadata':
      return bounded(Buffer.from(query.metadata.get(data.label) ?? '', 'utf8'))
  }
}

const bounded = (octets: Uint8Array | undefined): Uint8Array | undefined =>
  octets !== undefined && octets.length > 0 && octets.length <= OPTION_MAX_OCTETS ? octets : undefined

function variableData(
  variable: Variable,
  { question, client, local, transport }: Query,
): Uint8Array | undefined {
  switch (variable) {
    case 'qname':
      return Buffer.from(formatName(question.qname), 'latin1')
    case 'qtype':
      return u16(question.qtype)
    case 'client_ip':
      return parseIp(client.address)?.bytes
    case 'client_port':
      return u16(client.port)
    case 'server_ip':
      return parseIp(local.address)?.bytes
    case 'server_port':
      return u16(local.port)
    case 'protocol':
      return Buffer.from(transport === 'udp' ? 'udp' : 'tcp')
  }
}

function u16(value: number): Uint8Array {
  const octets = new Uint8Array(2)
  writeU16(octets, 0, value)
  return octets
}

/** RFC 7871 section 6: family, prefix length, scope 0, and as many octets of the address as the prefix needs. */
function subnetData(address: string, v4Bits: number, v6Bits: number): Uint8Array | undefined {
  const bits = address.includes(':') ? v6Bits : v4Bits
  const subnet = parseCidr(`${address}/${bits}`)
  if (subnet === undefined) return undefined
  const octets = subnet.network.subarray(0, Math.ceil(bits / 8))
  return Uint8Array.of(0, subnet.family === 4 ? 1 : 2, bits, 0, ...octets)
}
