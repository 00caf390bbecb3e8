// Domain names in wire form (RFC 1035 3.1): length octet and label, repeated, closed by a zero octet; at most 255
// octets and 63 a label. A name is kept as its octets, in the client's case; case is folded for ASCII letters only
// (RFC 4343), so that no octet sequence is ever read as Unicode.
//
//   _http._tcp.web.  =  05 _ h t t p 04 _ t c p 03 w e b 00

/** A complete, uncompressed name in wire form. */
export type Name = Uint8Array

/** RFC 1035 2.3.4 */
export const NAME_MAX_OCTETS = 255
/** RFC 1035 2.3.4 */
export const LABEL_MAX_OCTETS = 63

/** The root name. */
export const ROOT: Name = Uint8Array.of(0)

/** FOLD[octet] is the octet with ASCII upper case folded to lower case (RFC 4343 section 3). */
export const FOLD: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet,
)

const DOT = 0x2e
const BACKSLASH = 0x5c
const DIGIT_0 = 0x30

/** How an octet of a label is written: as it is, behind a backslash, or as a backslash and three digits (RFC 1035 5.1). */
export const ESCAPE = { NONE: 0, BACKSLASH: 1, DECIMAL: 2 } as const
/** ESCAPES[octet]: everything but printable ASCII has digits (RFC 4343 2.1). */
export const ESCAPES: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) => {
  if (octet <= 0x20 || octet >= 0x7f) return ESCAPE.DECIMAL
  return '.\\"();@$'.includes(String.fromCharCode(octet)) ? ESCAPE.BACKSLASH : ESCAPE.NONE
})

/**
 * Reads a name in presentation form (RFC 1035 5.1: `\.` and `\046` escapes); a missing final dot is supplied.
 * Characters above U+00FF and names or labels that are too long or empty give undefined.
 */
export function parseName(text: string): Name | undefined {
  if (text === '.' || text === '') return text === '' ? undefined : ROOT
  const out = parsed
  let lengthAt = 0
  let at = 1
  for (let i = 0; i < text.length; i++) {
    let octet = text.charCodeAt(i)
    if (octet === DOT) {
      if (at === lengthAt + 1) return undefined
      out[lengthAt] = at - lengthAt - 1
      lengthAt = at++
      out[lengthAt] = 0
      if (i === text.length - 1) return out.slice(0, at)
      continue
    }
    if (octet === BACKSLASH) {
      const digits = /^\d{3}/.exec(text.slice(i + 1, i + 4))
      if (digits) {
        octet = Number(digits[0])
        i += 3
      } else {
        if (i + 1 === text.length) return undefined
        octet = text.charCodeAt(++i)
      }
    }
    if (octet > 255 || at - lengthAt > LABEL_MAX_OCTETS || at >= NAME_MAX_OCTETS - 1) return undefined
    out[at++] = octet
  }
  out[lengthAt] = at - lengthAt - 1
  out[at] = 0
  return out.slice(0, at + 1)
}

const parsed = new Uint8Array(NAME_MAX_OCTETS)

/** Like parseName, for text known to be a name: throws a TypeError otherwise. */
export function name(text: string): Name {
  const parsed = parseName(text)
  if (!parsed) throw new TypeError(`not a domain name: ${JSON.stringify(text)}`)
  return parsed
}

/** Where names are written in characters: no octet has more than four. */
const written = Buffer.alloc(4 * NAME_MAX_OCTETS)

/** The presentation form, absolute, with everything but printable ASCII escaped as `\DDD` (RFC 1035 5.1, RFC 4343 2.1). */
export function formatName(name: Name): string {
  if (name[0] === 0) return '.'
  let to = 0
  for (let at = 0; name[at] !== 0; at += name[at]! + 1) {
    to = writeLabel(name, at, to)
    written[to++] = DOT
  }
  return written.toString('latin1', 0, to)
}

/** The label whose length octet stands at `at`, escaped. */
export const formatLabel = (name: Name, at: number): string =>
  written.toString('latin1', 0, writeLabel(name, at, 0))

/** Writes a label's characters to written[to …); returns the end. */
function writeLabel(name: Name, at: number, to: number): number {
  for (let i = at + 1; i <= at + name[at]!; i++) {
    const octet = name[i]!
    const how = ESCAPES[octet]!
    if (how !== ESCAPE.NONE) written[to++] = BACKSLASH
    if (how === ESCAPE.DECIMAL) {
      written[to++] = DIGIT_0 + Math.floor(octet / 100)
      written[to++] = DIGIT_0 + (Math.floor(octet / 10) % 10)
      written[to++] = DIGIT_0 + (octet % 10)
    } else written[to++] = octet
  }
  return to
}

/** A copy in lower case. Length octets are below 64 and so never letters: folding may run over them. */
export function foldName(name: Name): Name {
  const folded = new Uint8Array(name.length)
  for (let i = 0; i < name.length; i++) folded[i] = FOLD[name[i]!]!
  return folded
}

/** The folded octets as a latin1 string: what maps are keyed by. */
export function nameKey(name: Name): string {
  let key = ''
  for (let i = 0; i < name.length; i++) key += String.fromCharCode(FOLD[name[i]!]!)
  return key
}

/** Whether two names are the same, ASCII case aside. */
export function equalNames(a: Name, b: Name): boolean {
  return a.length === b.length && endsWithOctets(a, b)
}

/**
 * Where `zone` begins in `name` when the name is the zone's apex or lies below it, compared by whole labels;
 * -1 when it does not (evilcluster.local is not in cluster.local).
 */
export function zoneOffset(name: Name, zone: Name): number {
  const start = name.length - zone.length
  if (start < 0 || !endsWithOctets(name, zone)) return -1
  let at = 0
  while (at < start) at += name[at]! + 1
  return at === start ? start : -1
}

/** Whether the name is the zone's apex or below it. */
export const isWithin = (name: Name, zone: Name): boolean => zoneOffset(name, zone) >= 0

/** Whether the name is the apex of one of the zones or below it. */
export const isWithinAny = (name: Name, zones: readonly Name[]): boolean =>
  zones.some(zone => isWithin(name, zone))

function endsWithOctets(name: Name, tail: Name): boolean {
  const start = name.length - tail.length
  for (let i = tail.length - 1; i >= 0; i--) {
    if (FOLD[name[start + i]!] !== FOLD[tail[i]!]) return false
  }
  return true
}

/** The number of labels, the root not counted. */
export function countLabels(name: Name): number {
  let labels = 0
  for (let at = 0; name[at] !== 0; at += name[at]! + 1) labels++
  return labels
}

/** The name without its first `labels` labels. */
export function parentName(name: Name, labels = 1): Name {
  let at = 0
  for (let i = 0; i < labels && name[at] !== 0; i++) at += name[at]! + 1
  return name.subarray(at)
}

/** `prefix` (without its closing root) put before `suffix`; undefined when that exceeds 255 octets. */
export function joinNames(prefix: Name, suffix: Name): Name | undefined {
  const length = prefix.length - 1 + suffix.length
  if (length > NAME_MAX_OCTETS) return undefined
  const joined = new Uint8Array(length)
  joined.set(prefix.subarray(0, -1))
  joined.set(suffix, prefix.length - 1)
  return joined
}

/**
 * Copies the name at `at` out of a message into `out` from `outAt`, following pointers strictly backwards
 * (RFC 1035 4.1.4, RFC 9267 section 2). Returns where the name ends in the message and how much was written, as one
 * number for `readEnd` and `readLength`; -1 for a name that is cut, too long, has a reserved label type or a pointer that
 * does not go back.
 */
export function readName(
  message: Uint8Array,
  at: number,
  end: number,
  out: Uint8Array,
  outAt: number,
): number {
  let next = -1
  let written = outAt
  let limit = end
  let segmentStart = at
  for (;;) {
    if (at >= limit) return -1
    const length = message[at]!
    if (length === 0) {
      if (written - outAt >= NAME_MAX_OCTETS) return -1
      out[written++] = 0
      return ((next < 0 ? at + 1 : next) << LENGTH_BITS) | (written - outAt)
    }
    if (length >= 0xc0) {
      if (at + 1 >= limit) return -1
      const target = ((length & 0x3f) << 8) | message[at + 1]!
      if (next < 0) next = at + 2
      if (target >= segmentStart || target < 12) return -1
      limit = segmentStart
      at = target
      segmentStart = target
      continue
    }
    if (length > LABEL_MAX_OCTETS || at + 1 + length > limit) return -1
    if (written - outAt + length + 1 >= NAME_MAX_OCTETS) return -1
    for (let i = 0; i <= length; i++) out[written++] = message[at + i]!
    at += length + 1
  }
}

/** A name has at most 255 octets. */
const LENGTH_BITS = 8

/** The offset behind the name in the message, of what `readName` returned; negative for no name. */
export const readEnd = (read: number): number => read >> LENGTH_BITS

/** The octets that were written, of what `readName` returned. */
export const readLength = (read: number): number => read & ((1 << LENGTH_BITS) - 1)
