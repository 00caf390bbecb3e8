// Reads `edns0` rules (CoreDNS plugin/rewrite/edns0.go):
//
//   edns0 local set|append|replace CODE DATA [revert]     DATA is text, 0x and hexadecimal digits, or {VARIABLE}
//   edns0 nsid set|append|replace [revert]
//   edns0 subnet set|append|replace V4BITS V6BITS [revert]
//   edns0 local unset CODE,  edns0 nsid unset,  edns0 subnet unset

import type { Line } from '../../corefile/arguments.ts'
import { OPTION } from '../../wire/scan.ts'
import { ACTIONS, OPTION_MAX_OCTETS, type OptionData, VARIABLES } from './config.ts'
import type { ReadRule } from './written.ts'

const OPTIONS = ['local', 'nsid', 'subnet'] as const

/** Reads one rule. */
export function readEdns(line: Line): ReadRule | undefined {
  const option = readWord(line, 'an EDNS option', OPTIONS)
  const action = readWord(line, 'an action', ACTIONS)
  if (option === undefined || action === undefined) return undefined
  const code = option === 'local' ? readCode(line) : option === 'nsid' ? OPTION.NSID : OPTION.ECS
  const data = action === 'unset' ? undefined : readData(line, option)
  const revert = action !== 'unset' && line.has && line.choice('the word revert', ['revert']) !== undefined
  if (code === undefined || (data === undefined && action !== 'unset')) return undefined
  return { rule: { field: 'edns0', action, code, data, revert }, substitutions: [] }
}

function readWord<T extends string>(line: Line, what: string, allowed: readonly T[]): T | undefined {
  const token = line.token(what)
  if (token === undefined) return undefined
  const word = allowed.find(each => each === token.text.toLowerCase())
  return word ?? line.error(token, `this is not ${what}`, { found: token.text, allowed })
}

const readCode = (line: Line): number | undefined => readInteger(line, 'the code of an EDNS option', 0xffff)

/** An integer as Go writes it: decimal, 0x, 0o or 0b. */
function readInteger(line: Line, what: string, max: number): number | undefined {
  const token = line.token(what)
  if (token === undefined) return undefined
  const written = token.text.toLowerCase().replace(/^0(?=[0-7])/, '0o')
  const value = /^(?:\d+|0x[\da-f]+|0o[0-7]+|0b[01]+)$/.test(written) ? Number(written) : Number.NaN
  if (value <= max) return value
  return line.error(token, `${what} must be an integer from 0 to ${max}`, { found: token.text })
}

function readData(line: Line, option: (typeof OPTIONS)[number]): OptionData | undefined {
  if (option === 'nsid') return { kind: 'nsid' }
  if (option === 'local') return readLocalData(line)
  const v4Bits = readInteger(line, 'the length of an IPv4 prefix', 32)
  const v6Bits = readInteger(line, 'the length of an IPv6 prefix', 128)
  return v4Bits === undefined || v6Bits === undefined ? undefined : { kind: 'subnet', v4Bits, v6Bits }
}

function readLocalData(line: Line): OptionData | undefined {
  const token = line.token('the data of the option')
  if (token === undefined) return undefined
  const { text } = token
  if (text === 'revert') return line.error(token, 'the data of the option must stand before revert')
  const inside = /^\{(.*)\}$/s.exec(text)?.[1]
  if (inside !== undefined) {
    const variable = VARIABLES.find(each => each === inside)
    if (variable !== undefined) return { kind: 'variable', variable }
    // A label of the metadata: PLUGIN/NAME.
    if (/^[^/]+\/./s.test(inside)) return { kind: 'metadata', label: inside }
    const allowed = VARIABLES.map(each => `{${each}}`)
    return line.error(token, 'there is no such variable', { found: text, allowed })
  }
  const hex = text.startsWith('0x') ? text.slice(2) : undefined
  if (hex !== undefined && !/^(?:[\da-f]{2})*$/i.test(hex))
    return line.error(token, '0x needs pairs of hexadecimal digits', { found: text })
  const octets = Uint8Array.from(hex === undefined ? Buffer.from(text, 'utf8') : Buffer.from(hex, 'hex'))
  if (octets.length > OPTION_MAX_OCTETS)
    return line.error(token, `the data of an option may have ${OPTION_MAX_OCTETS} octets`)
  return { kind: 'octets', octets }
}
