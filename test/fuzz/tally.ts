// What a run saw: counts, the largest answer for a query, and what was wrong.

import type { Decoded } from '../support/dns-message.ts'

/** Something that must not be. */
export interface Finding {
  readonly what: string
  /** The packet that brought it about, where one is known. */
  readonly packet?: Uint8Array
  readonly over: 'udp' | 'tcp'
  /** What the server was doing, where somebody looks. */
  readonly meanwhile?: string
}

export class Tally {
  readonly packets = { udp: 0, tcp: 0 }
  readonly answers = { udp: 0, tcp: 0 }
  /** Good queries whose answer had to be asked for again: the kernel drops datagrams. */
  lost = 0
  checks = 0
  /** Connections that asked for more than they read, and their packets, which count nowhere else. */
  readonly greedy = { connections: 0, packets: 0 }
  readonly rcodes = new Map<string, number>()
  /** Octets of an answer over UDP for each octet of its query. */
  ratio = 0
  ratioOf = ''
  readonly findings: Finding[] = []
  readonly #meanwhile: (() => string) | undefined

  constructor(meanwhile?: () => string) {
    this.#meanwhile = meanwhile
  }

  sent(over: 'udp' | 'tcp'): void {
    this.packets[over]++
  }

  answered(over: 'udp' | 'tcp', query: Uint8Array, octets: number, { rcode, question }: Decoded): void {
    this.answers[over]++
    this.rcodes.set(rcode, (this.rcodes.get(rcode) ?? 0) + 1)
    if (over === 'tcp' || octets <= this.ratio * query.length) return
    this.ratio = octets / query.length
    this.ratioOf = `${octets} octets for ${query.length}: ${question[0] ?? rcode}`
  }

  found(finding: Finding): void {
    this.findings.push(this.#meanwhile ? { ...finding, meanwhile: this.#meanwhile() } : finding)
  }

  /** The run in lines. */
  lines(): string[] {
    const rcodes = [...this.rcodes].sort(([, a], [, b]) => b - a).map(([rcode, count]) => `${rcode} ${count}`)
    return [
      `packets: ${this.packets.udp} over UDP, ${this.packets.tcp} over TCP`,
      `answers: ${this.answers.udp} over UDP, ${this.answers.tcp} over TCP (${rcodes.join(', ')})`,
      `greedy connections: ${this.greedy.connections}, with ${this.greedy.packets} packets`,
      `lost on the way and answered when asked again: ${this.lost}; times found alive: ${this.checks}`,
      `largest answer over UDP: ${this.ratio.toFixed(1)} times its query (${this.ratioOf})`,
    ]
  }
}
