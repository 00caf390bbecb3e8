// Record types and classes by name and number (IANA "Domain Name System Parameters"), and the shape of the record
// data whose names may arrive compressed (RFC 1035 4.1.4, RFC 3597 section 4).

/** Record and query types by name. A type without a name here is written TYPE65280 (RFC 3597 section 5). */
export const TYPE = {
  A: 1, NS: 2, MD: 3, MF: 4, CNAME: 5, SOA: 6, MB: 7, MG: 8, MR: 9, NULL: 10, WKS: 11, PTR: 12, HINFO: 13, MINFO: 14,
  MX: 15, TXT: 16, RP: 17, AFSDB: 18, X25: 19, ISDN: 20, RT: 21, NSAP: 22, 'NSAP-PTR': 23, SIG: 24, KEY: 25, PX: 26,
  GPOS: 27, AAAA: 28, LOC: 29, NXT: 30, EID: 31, NIMLOC: 32, SRV: 33, ATMA: 34, NAPTR: 35, KX: 36, CERT: 37, DNAME: 39,
  OPT: 41, APL: 42, DS: 43, SSHFP: 44, IPSECKEY: 45, RRSIG: 46, NSEC: 47, DNSKEY: 48, DHCID: 49, NSEC3: 50,
  NSEC3PARAM: 51, TLSA: 52, SMIMEA: 53, HIP: 55, NINFO: 56, RKEY: 57, TALINK: 58, CDS: 59, CDNSKEY: 60, OPENPGPKEY: 61,
  CSYNC: 62, ZONEMD: 63, SVCB: 64, HTTPS: 65, SPF: 99, UINFO: 100, UID: 101, GID: 102, UNSPEC: 103, NID: 104, L32: 105,
  L64: 106, LP: 107, EUI48: 108, EUI64: 109, NXNAME: 128, TKEY: 249, TSIG: 250, IXFR: 251, AXFR: 252, MAILB: 253,
  MAILA: 254, ANY: 255, URI: 256, CAA: 257, AVC: 258, AMTRELAY: 260, RESINFO: 261, TA: 32768, DLV: 32769,
} as const // biome-ignore format: a table

/** Classes by name (RFC 1035 3.2.4, RFC 2136). */
export const CLASS = { IN: 1, CS: 2, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const

const typeNames = new Map<number, string>(Object.entries(TYPE).map(([name, number]) => [number, name]))
const typeNumbers = new Map<string, number>(Object.entries(TYPE))
const classNumbers = new Map<string, number>(Object.entries(CLASS))
const classNames = new Map<number, string>(Object.entries(CLASS).map(([name, number]) => [number, name]))

/** The mnemonic of a type, or TYPEn (RFC 3597 section 5). */
export const typeName = (type: number): string => typeNames.get(type) ?? `TYPE${type}`

/** The mnemonic of a class, or CLASSn (RFC 3597 section 5). */
export const className = (qclass: number): string => classNames.get(qclass) ?? `CLASS${qclass}`

/** The number of a mnemonic or of TYPEn, in any case; undefined where it is neither. */
export function parseType(text: string): number | undefined {
  return typeNumbers.get(text.toUpperCase()) ?? parseGeneric(/^TYPE(\d{1,5})$/i, text)
}

/** The number of a class's mnemonic or of CLASSn, in any case; undefined where it is neither. */
export function parseClass(text: string): number | undefined {
  return classNumbers.get(text.toUpperCase()) ?? parseGeneric(/^CLASS(\d{1,5})$/i, text)
}

function parseGeneric(pattern: RegExp, text: string): number | undefined {
  const number = Number(pattern.exec(text)?.[1] ?? Number.NaN)
  return number <= 0xffff ? number : undefined
}

/**
 * Where names stand in the data of the types that may carry compressed ones: n a name, s a character string, digits
 * that many octets. Data behind the layout, and every other type, is opaque (RFC 3597 section 4).
 */
export const RDATA_LAYOUT: ReadonlyMap<number, string> = new Map([
  [TYPE.NS, 'n'],
  [TYPE.MD, 'n'],
  [TYPE.MF, 'n'],
  [TYPE.CNAME, 'n'],
  [TYPE.SOA, 'nn'],
  [TYPE.MB, 'n'],
  [TYPE.MG, 'n'],
  [TYPE.MR, 'n'],
  [TYPE.PTR, 'n'],
  [TYPE.MINFO, 'nn'],
  [TYPE.MX, '2n'],
  [TYPE.RP, 'nn'],
  [TYPE.AFSDB, '2n'],
  [TYPE.RT, '2n'],
  [TYPE.PX, '2nn'],
  [TYPE.SRV, '6n'],
  [TYPE.NAPTR, '4sssn'],
  [TYPE.KX, '2n'],
  [TYPE.DNAME, 'n'],
])

/** The types whose names we compress when writing: those of RFC 1035 that clusters see (RFC 3597 section 4). */
export const COMPRESSIBLE: ReadonlySet<number> = new Set([TYPE.NS, TYPE.CNAME, TYPE.SOA, TYPE.PTR, TYPE.MX])
