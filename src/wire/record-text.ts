// Records as people read them (RFC 1035 5.1, RFC 3597 section 5): what the command line prints.
//
//   web.demo.svc.cluster.local. 5 IN A 10.96.0.17

import { ipFromBytes } from '../shared/ip.ts'
import { readU16, readU32 } from './header.ts'
import { formatName } from './name.ts'
import type { Rr } from './record.ts'
import { RDATA_LAYOUT, TYPE } from './rrtype.ts'

/** The record's data. */
export function rdataText({ type, rdata }: Rr): string {
  if ((type === TYPE.A && rdata.length === 4) || (type === TYPE.AAAA && rdata.length === 16))
    return ipFromBytes(rdata).text
  if (type === TYPE.TXT || type === TYPE.HINFO) return strings(rdata, 0, rdata.length).join(' ')
  const layout = RDATA_LAYOUT.get(type)
  if (layout === undefined) return generic(rdata)
  const parts: string[] = []
  let at = 0
  for (const part of layout) {
    if (part === 'n') {
      const end = nameEnd(rdata, at)
      parts.push(formatName(rdata.subarray(at, end)))
      at = end
    } else if (part === 's') {
      const end = at + 1 + (rdata[at] ?? 0)
      parts.push(...strings(rdata, at, end))
      at = end
    } else for (const end = at + Number(part); at < end; at += 2) parts.push(String(readU16(rdata, at)))
  }
  // The numbers of an SOA.
  for (; at + 4 <= rdata.length; at += 4) parts.push(String(readU32(rdata, at)))
  return parts.join(' ')
}

/** Behind the name that begins at `at`, which has no pointers. */
function nameEnd(rdata: Uint8Array, at: number): number {
  while ((rdata[at] ?? 0) !== 0) at += rdata[at]! + 1
  return at + 1
}

function strings(rdata: Uint8Array, from: number, to: number): string[] {
  const texts: string[] = []
  for (let at = from; at < to; at += rdata[at]! + 1) {
    const text = Buffer.from(rdata.subarray(at + 1, at + 1 + rdata[at]!)).toString('latin1')
    texts.push(`"${text.replace(/["\\]/g, '\\$&').replace(/[^\x20-\x7e]/g, escaped)}"`)
  }
  return texts
}

const escaped = (character: string): string => `\\${String(character.charCodeAt(0)).padStart(3, '0')}`

const generic = (rdata: Uint8Array): string =>
  `\\# ${rdata.length}${rdata.length > 0 ? ` ${Buffer.from(rdata).toString('hex')}` : ''}`
