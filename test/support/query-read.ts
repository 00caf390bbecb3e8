// What a query on the slow path says beyond its question, out of the octets of a packet that was scanned.

import { readU16 } from '../../src/wire/header.ts'
import type { EdnsOption } from '../../src/wire/message.ts'
import type { Scan } from '../../src/wire/scan.ts'

/** The options of the OPT record: copies. */
export function readOptions(scan: Scan, octets: Uint8Array): EdnsOption[] {
  const options: EdnsOption[] = []
  for (let at = scan.optionsAt; at < scan.optionsEnd; ) {
    const next = at + 4 + readU16(octets, at + 2)
    options.push({ code: readU16(octets, at), data: octets.slice(at + 4, next) })
    at = next
  }
  return options
}
