// A resource record as the slow path and the tests handle it: owner and data as octets, names inside the data
// uncompressed, so that types nobody here knows pass through unchanged (RFC 3597).

import { type Name, name } from './name.ts'
import { CLASS, TYPE } from './rrtype.ts'

export interface Rr {
  readonly owner: Name
  readonly type: number
  readonly class: number
  /** 0 … 2^31 - 1 (RFC 2181 section 8) */
  readonly ttlSeconds: number
  readonly rdata: Uint8Array
}

/** The largest TTL (RFC 2181 section 8). */
export const TTL_MAX_SECONDS = 0x7fffffff

/** A record of class IN. */
export const rr = (owner: Name, type: number, ttlSeconds: number, rdata: Uint8Array): Rr => ({
  owner,
  type,
  class: CLASS.IN,
  ttlSeconds,
  rdata,
})

/** An SOA record (RFC 1035 3.3.13) as cluster zones have it: ns.dns.ZONE and hostmaster.ZONE. */
export function soaRdata(
  mname: Name,
  rname: Name,
  numbers: readonly [number, number, number, number, number],
): Uint8Array {
  const rdata = new Uint8Array(mname.length + rname.length + 20)
  rdata.set(mname)
  rdata.set(rname, mname.length)
  const view = new DataView(rdata.buffer)
  numbers.forEach((number, i) => {
    view.setUint32(mname.length + rname.length + 4 * i, number)
  })
  return rdata
}

/** The target of a CNAME, DNAME, NS or PTR record. */
export const targetOf = (record: Rr): Name => record.rdata

/** The serial of an SOA's data (RFC 1035 3.3.13). */
export function soaSerial({ rdata }: Rr): number {
  return rdata.length < 22 ? 0 : new DataView(rdata.buffer, rdata.byteOffset).getUint32(rdata.length - 20)
}

/** The minimum field of an SOA's data (RFC 2308 section 4). */
export function soaMinimum(record: Rr): number {
  const { rdata } = record
  return rdata.length < 22 ? 0 : new DataView(rdata.buffer, rdata.byteOffset).getUint32(rdata.length - 4)
}

/** The data of a TXT or HINFO record: character strings, whose octets are the texts' characters, of at most 255 each. */
export function txtRdata(...texts: readonly string[]): Uint8Array {
  return Uint8Array.from(
    texts.flatMap(text => {
      const octets = Buffer.from(text, 'latin1').subarray(0, 255)
      return [octets.length, ...octets]
    }),
  )
}

/** An SRV record's data (RFC 2782). */
export function srvRdata(priority: number, weight: number, port: number, target: Name): Uint8Array {
  const rdata = new Uint8Array(6 + target.length)
  new DataView(rdata.buffer).setUint16(0, priority)
  new DataView(rdata.buffer).setUint16(2, weight)
  new DataView(rdata.buffer).setUint16(4, port)
  rdata.set(target, 6)
  return rdata
}

/** A CNAME record. */
export const cname = (owner: Name, ttlSeconds: number, target: Name | string): Rr =>
  rr(owner, TYPE.CNAME, ttlSeconds, typeof target === 'string' ? name(target) : target)
