// Response codes and opcodes by name and number (RFC 1035 4.1.1, RFC 2136, RFC 6891).

/** Response codes; those above 15 need an OPT record (RFC 6891 6.1.3). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  DSOTYPENI: 11,
  BADVERS: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADMODE: 19,
  BADNAME: 20,
  BADALG: 21,
  BADTRUNC: 22,
  BADCOOKIE: 23,
} as const

/** Operation codes. */
export const OPCODE = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5, DSO: 6 } as const

const names = new Map<number, string>(Object.entries(RCODE).map(([name, number]) => [number, name]))
/** BADSIG (RFC 8945) is another code 16; NOTIMPL is what CoreDNS once wrote. */
const numbers = new Map<string, number>([...Object.entries(RCODE), ['BADSIG', 16], ['NOTIMPL', 4]])

/** The mnemonic of a response code, or RCODEn. */
export const rcodeName = (rcode: number): string => names.get(rcode) ?? `RCODE${rcode}`

/** The same for metrics: codes without a name are one, as an upstream may send any of 4,096. */
export const rcodeLabel = (rcode: number): string => names.get(rcode) ?? 'other'

/** The number of a mnemonic in any case; undefined for an unknown word. */
export const parseRcode = (text: string): number | undefined => numbers.get(text.toUpperCase())
