// The `transfer` directive: who may have which zones, and who is told of their changes.

import { isWithin, name } from '../../wire/name.ts'

/** A server that transfers and hears of changes. */
export interface Peer {
  /** Canonical; IPv6 with `%interface` where it is link-local. */
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
