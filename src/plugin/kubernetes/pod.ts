// HOT: what a Pod's name has, ADDRESS.NS.pod.ZONE (specification 2.6; docs/coredns.md 1.7): the address in its first label,
// whoever has it, or with `pods verified` only where a Pod of that namespace has it.

import { KEY } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import { HEADER_OCTETS } from '../../wire/header.ts'
import { TYPE } from '../../wire/rrtype.ts'
import type { Scan } from '../../wire/scan.ts'
import { readPodLabel } from './address-label.ts'
import type { KubernetesConfig } from './config.ts'
import type { Request } from './parse-name.ts'
import { REASON, type Reason } from './reason.ts'
import type { AnswerWriter } from './writer.ts'

export class PodRecords {
  readonly #mode: KubernetesConfig['pods']
  readonly #ttlSeconds: number
  readonly #request: Request
  readonly #table: TableReader
  readonly #writer: AnswerWriter
  readonly #address = new Uint8Array(16)
  readonly #key = new Uint8Array(2 + 16 + 64)

  constructor(
    mode: KubernetesConfig['pods'],
    ttlSeconds: number,
    request: Request,
    table: TableReader,
    writer: AnswerWriter,
  ) {
    this.#mode = mode
    this.#ttlSeconds = ttlSeconds
    this.#request = request
    this.#table = table
    this.#writer = writer
  }

  /** Writes the records of the name that was read; gives the reason where there is no such name. */
  write(scan: Scan, qtype: number): Reason | undefined {
    const request = this.#request
    if (this.#mode === 'disabled') return REASON.PODS_DISABLED
    if (this.#table.find(scan.folded, request.namespaceAt, request.keyEnd) === 0) return REASON.NO_NAMESPACE
    const octets = readPodLabel(scan.folded, request.serviceAt, this.#address)
    if (octets === 0) return REASON.NO_POD_ADDRESS
    if (this.#mode === 'verified' && !this.#runs(scan, octets)) return REASON.NO_POD
    const family = octets === 4 ? TYPE.A : TYPE.AAAA
    if (qtype === family) this.#writer.address(this.#address, 0, octets, this.#ttlSeconds)
    else if (qtype === TYPE.SRV) this.#srv(scan, octets)
    return undefined
  }

  #runs(scan: Scan, octets: 4 | 16): boolean {
    const { namespaceAt, keyEnd } = this.#request
    const key = this.#key
    key[0] = KEY.POD
    key[1] = octets === 4 ? 4 : 6
    for (let i = 0; i < octets; i++) key[2 + i] = this.#address[i]!
    let length = 2 + octets
    for (let at = namespaceAt; at < keyEnd; at++) key[length++] = scan.folded[at]!
    return this.#table.find(key, 0, length) !== 0
  }

  /** docs/coredns.md 1.5: a Pod's name answers SRV too, with port 0 and its own name. */
  #srv(scan: Scan, octets: 4 | 16): void {
    const writer = this.#writer
    const request = this.#request
    const nameAt = writer.start + HEADER_OCTETS
    if (!writer.open(TYPE.SRV, this.#ttlSeconds, 6 + scan.foldedLength - request.serviceAt)) return
    writer.u16(0)
    writer.u16(100)
    writer.u16(0)
    const target = writer.at
    writer.bytes(scan.folded, request.serviceAt, request.zoneAt)
    writer.bytes(writer.out, nameAt + request.zoneAt, nameAt + scan.foldedLength)
    writer.close()
    writer.glue(target, this.#address, 0, octets, this.#ttlSeconds)
  }
}
