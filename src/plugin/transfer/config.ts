// The `transfer` directive: who may have which zones, and who is told of their changes.

import { type Line, readLine } from '../../corefile/arguments.ts'
import type { Directive } from '../../corefile/corefile.ts'
import type { Problems } from '../../corefile/problem.ts'
import { parseAddressPort } from '../../corefile/values.ts'
import { parseIp } from '../../shared/ip.ts'
import { isWithin, name } from '../../wire/name.ts'

/** Addresses of one directive. */
const PEERS_MAX = 256
const DNS_PORT = 53

/** A server that transfers and hears of changes. */
export interface Peer {
  /** Canonical. */
  readonly address: string
  readonly port: number
}

/** One `transfer` directive. */
export interface TransferRule {
  /** Lower case, absolute. */
  readonly zones: readonly string[]
  /** `to *` */
  readonly anyone: boolean
  readonly peers: readonly Peer[]
  /** The local address of notifications. */
  readonly source: string | undefined
}

/** All `transfer` directives of a block. */
export interface TransferConfig {
  readonly rules: readonly TransferRule[]
}

/** The rule of the longest zone that a zone lies in; undefined where none is about it. */
export function ruleOf({ rules }: TransferConfig, zone: Uint8Array): TransferRule | undefined {
  let longest = 0
  let found: TransferRule | undefined
  for (const rule of rules) {
    for (const text of rule.zones) {
      const covering = name(text)
      if (covering.length > longest && isWithin(zone, covering)) {
        longest = covering.length
        found = rule
      }
    }
  }
  return found
}

/** Reads the directives of a block. */
export function parseTransfer(
  directives: readonly Directive[],
  problems: Problems,
  zones: readonly string[],
): TransferConfig {
  const rules: TransferRule[] = []
  for (const directive of directives) {
    readLine(directive, problems, line => {
      const rule = readRule(line, zones)
      if (!rule.anyone && rule.peers.length === 0) line.error(line.word, 'transfer needs the option to')
      rules.push(rule)
    })
  }
  return { rules }
}

function readRule(line: Line, blockZones: readonly string[]): TransferRule {
  const zones = line.zones(blockZones)
  const peers: Peer[] = []
  let anyone = false
  let source: string | undefined
  line.options({
    to: option => {
      for (const token of option.some('an address or *')) {
        const peer = parsePeer(token.text)
        if (token.text === '*') anyone = true
        else if (peer) peers.push(peer)
        else
          option.error(token, 'this is neither * nor an IP address with or without a port', {
            found: token.text,
          })
      }
      if (peers.length > PEERS_MAX) option.error(option.word, `more than ${PEERS_MAX} addresses`)
    },
    source: option => {
      option.once()
      source = option.ip('the source address') ?? source
    },
  })
  return { zones, anyone, peers, source }
}

function parsePeer(text: string): Peer | undefined {
  const parsed = parseAddressPort(text)
  const ip = parsed && parseIp(parsed.address)
  return ip && { address: ip.text, port: parsed.port ?? DNS_PORT }
}
