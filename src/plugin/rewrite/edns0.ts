// `rewrite edns0`: options that the question is sent on with, and what the client sees of them (CoreDNS
// plugin/rewrite/edns0.go). The client's own options never leave the server; those that a rule sets do, by `forward`.
//
//   set      the option, whether there is one of its code or not
//   append   only where there is none
//   replace  only where there is one
//   unset    no option of the code
//
// In a reply to a client that speaks EDNS there is, unless `revert` says otherwise, the upstream's option of the same
// code; in a reply that this server made itself there are the octets that were set. A client subnet is never shown to a
// client that sent none (RFC 7871 7.2.2).

import { pluginIndex } from '../../observe/query-meters.ts'
import type { Packet } from '../../query/packet.ts'
import { parseCidr, parseIp } from '../../shared/ip.ts'
import { readU16, writeU16 } from '../../wire/header.ts'
import { formatName } from '../../wire/name.ts'
import { type EdnsRule, OPTION_MAX_OCTETS, type OptionData, type Variable } from './config.ts'
import type { Passage } from './passage.ts'

/** Replies of upstreams, the kept ones included, say themselves what there is to say to an option. */
const RELAYED: ReadonlySet<number> = new Set([pluginIndex('forward'), pluginIndex('cache')])

/** Applies a rule; false where it does not apply. */
export function applyEdns(rule: EdnsRule, packet: Packet, passage: Passage): boolean {
  const { action, code, revert } = rule
  const present = isPresent(packet, passage, code)
  if ((action === 'append' && present) || (action === 'replace' && !present)) return false
  const data = rule.data && optionData(rule.data, packet, passage)
  if (rule.data !== undefined && data === undefined) return false
  passage.hidden.push(code)
  packet.addedOptions = withOption(packet.addedOptions, code, data)
  if (revert) return true
  const { shown } = passage
  const known = shown.findIndex(option => option.code === code)
  if (known >= 0) shown.splice(known, 1)
  if (showsOctets(rule)) shown.push({ code, data })
  else if (rule.data?.kind === 'nsid') shown.push({ code, data: undefined })
  return true
}

/** Whether the client sees what the rule set where this server answers. */
export const showsOctets = ({ data, revert }: EdnsRule): boolean =>
  data !== undefined && data.kind !== 'subnet' && data.kind !== 'nsid' && !revert

function isPresent(packet: Packet, { hidden }: Passage, code: number): boolean {
  const { addedOptions } = packet
  if (addedOptions !== undefined && optionAt(addedOptions, 0, addedOptions.length, code) >= 0) return true
  return packet.hasOption(code) && !hidden.includes(code)
}

/** Where in octets[at … end) the first option of a code begins; -1 where there is none. */
function optionAt(octets: Uint8Array, at: number, end: number, code: number): number {
  for (; at < end; at += 4 + readU16(octets, at + 2)) if (readU16(octets, at) === code) return at
  return -1
}

/** The options without those of the code, and with one of these data behind them; undefined for none at all. */
function withOption(
  options: Uint8Array | undefined,
  code: number,
  data: Uint8Array | undefined,
): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  for (let at = 0; options !== undefined && at < options.length; ) {
    const end = at + 4 + readU16(options, at + 2)
    if (readU16(options, at) !== code) parts.push(options.subarray(at, end))
    at = end
  }
  if (data !== undefined) {
    const head = new Uint8Array(4)
    writeU16(head, 0, code)
    writeU16(head, 2, data.length)
    parts.push(head, data)
  }
  return parts.length === 0 ? undefined : Uint8Array.from(Buffer.concat(parts))
}

/** Leaves in the reply, of options that came from behind the rules, those that its client may see, and adds those set. */
export function showOptions(packet: Packet, { optionsOctets, shown }: Passage): void {
  const { options } = packet
  if (shown.length === 0 && packet.optionsOctets === optionsOctets) return
  const theirs = options.slice(optionsOctets, packet.optionsOctets)
  packet.optionsOctets = optionsOctets
  for (const { code, data } of shown) {
    const at = optionAt(theirs, 0, theirs.length, code)
    if (at >= 0) packet.addOption(code, theirs, at + 4, at + 4 + readU16(theirs, at + 2))
    else if (data !== undefined && !RELAYED.has(packet.plugin)) packet.addOption(code, data)
  }
}

/** The octets of an option; undefined where a variable has no value, or one that is too long. */
function optionData(data: OptionData, packet: Packet, passage: Passage): Uint8Array | undefined {
  switch (data.kind) {
    case 'nsid':
      return new Uint8Array()
    case 'subnet':
      return subnetData(packet.client.address, data.v4Bits, data.v6Bits)
    case 'octets':
      return data.octets
    case 'variable':
      return bounded(variableData(data.variable, packet, passage))
    case 'metadata':
      return bounded(Buffer.from(packet.label(data.label) ?? '', 'utf8'))
  }
}

const bounded = (octets: Uint8Array | undefined): Uint8Array | undefined =>
  octets !== undefined && octets.length > 0 && octets.length <= OPTION_MAX_OCTETS ? octets : undefined

function variableData(
  variable: Variable,
  { client, local, transport, qname }: Packet,
  { name, qtype }: Passage,
): Uint8Array | undefined {
  switch (variable) {
    case 'qname':
      return Buffer.from(formatName(name ?? qname), 'latin1')
    case 'qtype':
      return u16(qtype)
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
