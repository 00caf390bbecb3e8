// What an expression can ask: facts of the packet, and functions of texts (CoreDNS plugin/pkg/expression; the text functions
// are expr-lang's own).

import type { Packet } from '../../../query/packet.ts'
import { contains, parseCidr, parseIp } from '../../../shared/ip.ts'
import { formatName } from '../../../wire/name.ts'
import { className, typeName } from '../../../wire/rrtype.ts'
import { bufferSize } from '../../log/format.ts'

/** A value at work; undefined where an expression cannot say, such as whether no address is in a network. */
export type Value = string | number | boolean | readonly Value[] | undefined

/** The types of values; `mixed` are lists whose items differ. */
export type Type = 'string' | 'number' | 'bool' | ListType
export interface ListType {
  readonly of: Type | 'mixed'
}

export interface ExpressionFunction {
  readonly args: readonly (Type | 'text or list')[]
  readonly result: Type
  run(packet: Packet, args: readonly Value[]): Value
}

const fact = (result: Type, run: (packet: Packet) => Value): ExpressionFunction => ({ args: [], result, run })

const ofTexts = (count: number, result: Type, run: (...texts: string[]) => Value): ExpressionFunction => ({
  args: Array<Type>(count).fill('string'),
  result,
  run: (_, args) => run(...(args as string[])),
})

/** Without the interface that stands behind a link-local address. */
const withoutInterface = (address: string): string => address.split('%', 1)[0]!

const FUNCTIONS: Readonly<Record<string, ExpressionFunction>> = {
  bufsize: fact('number', bufferSize),
  class: fact('string', ({ scan }) => className(scan.qclass)),
  client_ip: fact('string', ({ client }) => client.address),
  do: fact('bool', ({ scan }) => scan.dnssecOk),
  id: fact('number', ({ scan }) => scan.id),
  name: fact('string', ({ scan }) => formatName(scan.folded)),
  // No operation but QUERY is served.
  opcode: fact('number', () => 0),
  port: fact('string', ({ client }) => String(client.port)),
  proto: fact('string', ({ transport }) => (transport === 'udp' ? 'udp' : 'tcp')),
  server_ip: fact('string', ({ local }) => local.address),
  server_port: fact('string', ({ local }) => String(local.port)),
  size: fact('number', ({ requestOctets }) => requestOctets),
  type: fact('string', ({ scan }) => typeName(scan.qtype)),
  metadata: {
    args: ['string'],
    result: 'string',
    run: (packet, [label]) => packet.label(label as string) ?? '',
  },
  incidr: ofTexts(2, 'bool', (address, network) => {
    const ip = parseIp(withoutInterface(address))
    const cidr = isNetwork(network) ? parseCidr(network) : undefined
    return ip && cidr && contains(cidr, ip)
  }),
  len: {
    args: ['text or list'],
    result: 'number',
    run: (_, [value]) => (typeof value === 'string' ? [...value].length : (value as readonly Value[]).length),
  },
  lower: ofTexts(1, 'string', text => text.toLowerCase()),
  upper: ofTexts(1, 'string', text => text.toUpperCase()),
  hasPrefix: ofTexts(2, 'bool', (text, prefix) => text.startsWith(prefix)),
  hasSuffix: ofTexts(2, 'bool', (text, suffix) => text.endsWith(suffix)),
  trimPrefix: ofTexts(2, 'string', (text, prefix) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  ),
  trimSuffix: ofTexts(2, 'string', (text, suffix) =>
    suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text,
  ),
  int: ofTexts(1, 'number', text => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined)),
}

/** The names of all functions. */
export const FUNCTION_NAMES: readonly string[] = Object.keys(FUNCTIONS).sort()

/** A function by its name. */
export const functionNamed = (name: string): ExpressionFunction | undefined =>
  Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined

/** Whether a text is what `incidr` takes for a network: an address and a length. */
export const isNetwork = (text: string): boolean => text.includes('/') && parseCidr(text) !== undefined
