// HOT: names, addresses and times as the query log has them, written as octets.

import type { LineWriter } from '../../observe/log-line.ts'
import { ipv4At, scopeIdAt } from '../../query/sockaddr.ts'
import { groupOf, longestZeros } from '../../shared/ip.ts'
import { ESCAPE, ESCAPES } from '../../wire/name.ts'

const charOf = (text: string): number => text.charCodeAt(0)
const COLON = charOf(':')
const DOT = charOf('.')
const PERCENT = charOf('%')
const OPEN = charOf('[')
const CLOSE = charOf(']')
const SECONDS = charOf('s')
const BACKSLASH = charOf('\\')
const HEX = Buffer.from('0123456789abcdef')
const NS_PER_MS = 1e6
const NS_PER_SECOND = 1e9
const NS_DIGITS = 9

/** The presentation form of a name in lower case, as `formatName` has it. */
export function writeName(line: LineWriter, folded: Uint8Array): void {
  if (folded[0] === 0) line.octet(DOT)
  for (let at = 0; folded[at] !== 0; ) {
    const end = at + 1 + folded[at]!
    while (++at < end) {
      const octet = folded[at]!
      const how = ESCAPES[octet]!
      if (how !== ESCAPE.NONE) line.octet(BACKSLASH)
      if (how === ESCAPE.DECIMAL) line.digits(octet, 3)
      else line.octet(octet)
    }
    line.octet(DOT)
  }
}

/** The address at octets[at …) of a socket address: a dotted quad, or RFC 5952 in brackets. */
export function writeAddress(line: LineWriter, octets: Uint8Array, at: number): void {
  const v4At = ipv4At(octets, at)
  if (v4At >= 0) {
    line.number(octets[v4At]!)
    for (let i = 1; i < 4; i++) {
      line.octet(DOT)
      line.number(octets[v4At + i]!)
    }
    return
  }
  line.octet(OPEN)
  const zeros = longestZeros(octets, at + 8)
  const from = zeros >> 4
  const to = from + (zeros & 15)
  for (let i = 0; i < 8; i++) {
    if (i === from && to > from) {
      line.octet(COLON)
      line.octet(COLON)
      i = to - 1
    } else {
      if (i > 0 && i !== to) line.octet(COLON)
      writeHex(line, groupOf(octets, at + 8, i))
    }
  }
  const scope = scopeIdAt(octets, at)
  if (scope !== 0) {
    line.octet(PERCENT)
    line.number(scope)
  }
  line.octet(CLOSE)
}

function writeHex(line: LineWriter, group: number): void {
  let shift = 12
  while (shift > 0 && group >> shift === 0) shift -= 4
  for (; shift >= 0; shift -= 4) line.octet(HEX[(group >> shift) & 15]!)
}

/** A number of seconds without an exponent, to the nanosecond, with the zeros at its end left out: 0.037990251s. */
export function writeSeconds(line: LineWriter, durationMs: number): void {
  const ns = Math.round(durationMs * NS_PER_MS)
  const seconds = Math.floor(ns / NS_PER_SECOND)
  line.number(seconds)
  let fraction = ns - seconds * NS_PER_SECOND
  if (fraction > 0) {
    let digits = NS_DIGITS
    for (; fraction % 10 === 0; fraction /= 10) digits--
    line.octet(DOT)
    line.digits(fraction, digits)
  }
  line.octet(SECONDS)
}
