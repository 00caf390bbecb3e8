// HOT: addresses as labels and back. An endpoint without a hostname is named by its address with - for . and : (docs/coredns.md
// 1.5): 10-244-1-7, fd00--7; a v6 form that would end in - gets a 0 behind it (fd00:: is fd00--0). Pods are named alike.

import { ipFromBytes, parseIp } from '../../shared/ip.ts'

const DASH = 0x2d
const ZERO = 0x30

/** Writes the label, length octet first, of the IPv4 address at octets[at]; returns the offset behind it. */
export function writeV4Label(octets: Uint8Array, at: number, out: Uint8Array, outAt: number): number {
  const lengthAt = outAt++
  for (let i = 0; i < 4; i++) {
    if (i > 0) out[outAt++] = DASH
    const number = octets[at + i]!
    if (number >= 100) out[outAt++] = ZERO + ((number / 100) | 0)
    if (number >= 10) out[outAt++] = ZERO + (((number / 10) | 0) % 10)
    out[outAt++] = ZERO + (number % 10)
  }
  out[lengthAt] = outAt - lengthAt - 1
  return outAt
}

/** Like writeV4Label for an IPv6 address. */
export function writeV6Label(octets: Uint8Array, at: number, out: Uint8Array, outAt: number): number {
  const text = v6Label(octets.subarray(at, at + 16))
  out[outAt++] = text.length
  for (let i = 0; i < text.length; i++) out[outAt++] = text.charCodeAt(i)
  return outAt
}

/** The label, length octet first, of an address of 4 or 16 octets. */
export function addressLabel(address: Uint8Array): Uint8Array {
  const label = new Uint8Array(64)
  const write = address.length === 4 ? writeV4Label : writeV6Label
  return label.slice(0, write(address, 0, label, 0))
}

function v6Label(bytes: Uint8Array): string {
  const label = ipFromBytes(bytes).text.replaceAll(':', '-')
  return label.endsWith('-') ? `${label}0` : label
}

/** Octets of the address that the label reads as, written to `address`: 4, 16, or 0 for no address. */
export type AddressFamilyOctets = 0 | 4 | 16

/**
 * Reads an endpoint's label (its length octet at `at`) strictly: only the one spelling that writeV4Label or writeV6Label
 * gives is the endpoint's name.
 */
export function readEndpointLabel(octets: Uint8Array, at: number, address: Uint8Array): AddressFamilyOctets {
  const v4 = readV4(octets, at, address)
  if (v4) return 4
  const text = Buffer.from(octets.buffer, octets.byteOffset + at + 1, octets[at]!).toString('latin1')
  if (!/^[0-9a-f-]{2,45}$/.test(text)) return 0
  const ip = parseIp(text.replaceAll('-', ':'))
  if (ip?.family !== 6 || v6Label(ip.bytes) !== text) return 0
  address.set(ip.bytes)
  return 16
}

/** Reads a Pod's label as CoreDNS does (docs/coredns.md 1.7): three dashes and no two together make IPv4, else IPv6. */
export function readPodLabel(octets: Uint8Array, at: number, address: Uint8Array): AddressFamilyOctets {
  if (readV4(octets, at, address)) return 4
  const text = Buffer.from(octets.buffer, octets.byteOffset + at + 1, octets[at]!).toString('latin1')
  const dashes = text.split('-').length - 1
  if (dashes === 3 && !text.includes('--')) return 0
  const ip = parseIp(text.replaceAll('-', ':'))
  if (!ip || text.includes('.')) return 0
  address.set(ip.bytes)
  return ip.family === 4 ? 4 : 16
}

/** Four decimal numbers below 256 without leading zeros, with dashes between. */
function readV4(octets: Uint8Array, at: number, address: Uint8Array): boolean {
  const end = at + 1 + octets[at]!
  let parts = 0
  let i = at + 1
  while (i < end && parts < 4) {
    const from = i
    let number = 0
    for (; i < end && octets[i] !== DASH; i++) {
      const digit = octets[i]! - ZERO
      if (digit < 0 || digit > 9) return false
      number = number * 10 + digit
    }
    if (i === from || i - from > 3 || number > 255 || (octets[from] === ZERO && i - from > 1)) return false
    address[parts++] = number
    if (parts === 4) return i === end
    i++
  }
  return false
}
