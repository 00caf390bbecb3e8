// The data of each type of record as a row of fields (the RFC of each type; RFC 3597 for any type at all):
//
//   MX      10 mail.example.org.
//   TYPE15  \# 5 000A 0161 00

import { NAME_MAX_OCTETS } from '../name.ts'
import { RDATA_LAYOUT, TYPE, typeName } from '../rrtype.ts'
import type { Cursor, Reader } from './cursor.ts'
import {
  algorithm, base64, certificateType, eui, hashedName, hex, ipv4, ipv6, moment, name, networks, nodeId, oldTypes, plain,
  salt, seconds, string, strings, type, types, u8, u16, u32,
} from './field.ts' // biome-ignore format: a list of words
import { amtRelay, hostIdentity, ipsecGateway } from './gateway.ts'
import { location } from './location.ts'
import { serviceParameters } from './svcb.ts'

const RDATA_MAX_OCTETS = 0xffff

const digest = [u16, algorithm, u8, hex]
const key = [u16, u8, algorithm, base64]
const association = [u8, u8, u8, hex]
const service = [u16, name, serviceParameters]
const signature = [type, algorithm, u8, seconds, moment, moment, u16, name, base64]
/** One field, or a second one that may be left out. */
const maybeSecond: Reader = cursor => (cursor.has ? string(cursor) : new Uint8Array(0))

const FIELDS: ReadonlyMap<number, readonly Reader[]> = new Map<number, readonly Reader[]>([
  [TYPE.A, [ipv4]],
  [TYPE.NS, [name]],
  [TYPE.MD, [name]],
  [TYPE.MF, [name]],
  [TYPE.CNAME, [name]],
  [TYPE.SOA, [name, name, u32, seconds, seconds, seconds, seconds]],
  [TYPE.MB, [name]],
  [TYPE.MG, [name]],
  [TYPE.MR, [name]],
  [TYPE.PTR, [name]],
  [TYPE.HINFO, [string, string]],
  [TYPE.MINFO, [name, name]],
  [TYPE.MX, [u16, name]],
  [TYPE.TXT, [strings]],
  [TYPE.RP, [name, name]],
  [TYPE.AFSDB, [u16, name]],
  [TYPE.X25, [string]],
  [TYPE.ISDN, [string, maybeSecond]],
  [TYPE.RT, [u16, name]],
  [TYPE['NSAP-PTR'], [name]],
  [TYPE.SIG, signature],
  [TYPE.KEY, key],
  [TYPE.PX, [u16, name, name]],
  [TYPE.GPOS, [string, string, string]],
  [TYPE.AAAA, [ipv6]],
  [TYPE.LOC, [location]],
  [TYPE.NXT, [name, oldTypes]],
  [TYPE.EID, [hex]],
  [TYPE.NIMLOC, [hex]],
  [TYPE.SRV, [u16, u16, u16, name]],
  [TYPE.NAPTR, [u16, u16, string, string, string, name]],
  [TYPE.KX, [u16, name]],
  [TYPE.CERT, [certificateType, u16, algorithm, base64]],
  [TYPE.DNAME, [name]],
  [TYPE.APL, [networks]],
  [TYPE.DS, digest],
  [TYPE.SSHFP, [u8, u8, hex]],
  [TYPE.IPSECKEY, [u8, ipsecGateway]],
  [TYPE.RRSIG, signature],
  [TYPE.NSEC, [name, types]],
  [TYPE.DNSKEY, key],
  [TYPE.DHCID, [base64]],
  [TYPE.NSEC3, [u8, u8, u16, salt, hashedName, types]],
  [TYPE.NSEC3PARAM, [u8, u8, u16, salt]],
  [TYPE.TLSA, association],
  [TYPE.SMIMEA, association],
  [TYPE.HIP, [hostIdentity]],
  [TYPE.NINFO, [strings]],
  [TYPE.RKEY, key],
  [TYPE.TALINK, [name, name]],
  [TYPE.CDS, digest],
  [TYPE.CDNSKEY, key],
  [TYPE.OPENPGPKEY, [base64]],
  [TYPE.CSYNC, [u32, u16, types]],
  [TYPE.ZONEMD, [u32, u8, u8, hex]],
  [TYPE.SVCB, service],
  [TYPE.HTTPS, service],
  [TYPE.SPF, [strings]],
  [TYPE.UINFO, [string]],
  [TYPE.UID, [u32]],
  [TYPE.GID, [u32]],
  [TYPE.NID, [u16, nodeId]],
  [TYPE.L32, [u16, ipv4]],
  [TYPE.L64, [u16, nodeId]],
  [TYPE.LP, [u16, name]],
  [TYPE.EUI48, [eui(6)]],
  [TYPE.EUI64, [eui(8)]],
  [TYPE.URI, [u16, u16, plain]],
  [TYPE.CAA, [u8, string, plain]],
  [TYPE.AVC, [strings]],
  [TYPE.AMTRELAY, [u8, amtRelay]],
  [TYPE.RESINFO, [strings]],
  [TYPE.TA, digest],
  [TYPE.DLV, digest],
])

/** The data of a record out of the fields that are left, all of them; undefined where the cursor has a fault. */
export function readRdata(cursor: Cursor, rrtype: number): Uint8Array | undefined {
  const rdata = cursor.peek()?.text === '\\#' ? generic(cursor, rrtype) : byFields(cursor, rrtype)
  if (rdata === undefined) return undefined
  if (cursor.has) {
    cursor.take('nothing')
    return cursor.fail(`more than a record of type ${typeName(rrtype)} has`)
  }
  // A copy with memory of its own: buffers that Node pools would be cloned whole between threads.
  if (rdata.length <= RDATA_MAX_OCTETS) return new Uint8Array(rdata)
  return cursor.fail(`data of ${rdata.length} octets; the longest has ${RDATA_MAX_OCTETS}`)
}

function byFields(cursor: Cursor, rrtype: number): Uint8Array | undefined {
  const readers = FIELDS.get(rrtype)
  if (readers === undefined) {
    return cursor.fail(`${typeName(rrtype)} can be written as \\# LENGTH HEXADECIMAL only (RFC 3597)`)
  }
  const parts: Uint8Array[] = []
  for (const read of readers) {
    const octets = read(cursor)
    if (octets === undefined) return undefined
    parts.push(octets)
  }
  return Buffer.concat(parts)
}

/** RFC 3597 section 5. */
function generic(cursor: Cursor, rrtype: number): Uint8Array | undefined {
  cursor.take('\\#')
  const length = cursor.take('the length of the data')
  if (length === undefined) return undefined
  if (!/^\d{1,5}$/.test(length)) return cursor.fail('this is not a length')
  const rdata = Number(length) === 0 && !cursor.has ? new Uint8Array(0) : hex(cursor)
  if (rdata === undefined) return undefined
  if (rdata.length !== Number(length)) return cursor.fail(`${rdata.length} octets of data, not ${length}`)
  return isWellFormed(rdata, rrtype)
    ? rdata
    : cursor.fail(`this is not the data of a ${typeName(rrtype)} record`)
}

/** Whether addresses have their length and names are complete, so that no reply is malformed. */
function isWellFormed(rdata: Uint8Array, rrtype: number): boolean {
  if (rrtype === TYPE.A) return rdata.length === 4
  if (rrtype === TYPE.AAAA) return rdata.length === 16
  const layout = RDATA_LAYOUT.get(rrtype)
  if (layout === undefined) return true
  let at = 0
  for (const field of layout) {
    if (field === 'n') at = nameEnd(rdata, at)
    else at += field === 's' ? (rdata[at] ?? 0) + 1 : Number(field)
    if (at > rdata.length) return false
  }
  return rrtype === TYPE.SOA ? rdata.length === at + 20 : rdata.length === at
}

/** The offset behind the uncompressed name at `at`; past every record's data where there is none. */
function nameEnd(rdata: Uint8Array, at: number): number {
  let end = at
  while (rdata[end]! > 0 && rdata[end]! < 64) end += rdata[end]! + 1
  return rdata[end] === 0 && end < at + NAME_MAX_OCTETS ? end + 1 : Number.POSITIVE_INFINITY
}
