// The runner of the folder: a file's rows go to a server of its own, over UDP and TCP, and everything that comes back passes
// the universal checks. At its end a file has tried every id that ids.ts lists for it, and the server is alive and sane.
//
//   const spec = await startSpec(t, 'rfc4343-case')
//   spec.probes([{ id: 'name.upper', title: 'upper case', send: ask({ name: NAME.toUpperCase() }), expect: 'NOERROR aa answer:A' }])
//   spec.end()

import type { Test } from 'tap'
import { type Decoded, query } from '../support/dns-client.ts'
import { encodeQuestion, type Question } from '../support/dns-question.ts'
import { allowsSilence, mismatch } from '../support/expectation.ts'
import { type Over, probe } from '../support/probe.ts'
import { bugLines, startTarget, type Target, type TargetOptions } from '../support/target.ts'
import { NAME } from '../support/target-cluster.ts'
import { idsOf } from './ids.ts'

/** One row. */
export interface Probe {
  readonly id: string
  readonly title: string
  readonly send: Uint8Array
  /** Default both. */
  readonly over?: Over | 'both'
  /** Of `../support/expectation.ts`. */
  readonly expect: string
  /** What else must be so of a reply. */
  readonly also?: (t: Test, reply: Decoded, octets: Uint8Array) => void
}

/** The octets of a question. */
export const ask = (question: Question): Uint8Array => encodeQuestion(question, question.id ?? nextId())
let lastId = 0x1000
const nextId = (): number => lastId++

/** The octets of a packet out of hexadecimal parts, blanks aside. */
export const hex = (...parts: readonly string[]): Buffer =>
  Buffer.from(parts.join('').replaceAll(/\s/g, ''), 'hex')

/** The same packet with other octets from `at` on. */
export const patched = (packet: Uint8Array, at: number, ...octets: readonly number[]): Uint8Array =>
  Uint8Array.of(...packet.subarray(0, at), ...octets, ...packet.subarray(at + octets.length))

/** A file's rows at work. */
export class Spec {
  readonly target: Target
  readonly #t: Test
  readonly #ids: ReadonlySet<string>
  readonly #tried = new Set<string>()

  constructor(t: Test, target: Target, ids: readonly string[]) {
    this.#t = t
    this.target = target
    this.#ids = new Set(ids)
  }

  get port(): number {
    return this.target.port
  }

  /** Tries rows one after another. */
  probes(rows: readonly Probe[]): void {
    for (const row of rows) {
      const over: readonly Over[] = row.over === 'udp' || row.over === 'tcp' ? [row.over] : ['udp', 'tcp']
      for (const transport of over) {
        this.test(row.id, `${row.title}, over ${transport.toUpperCase()}`, t => this.#try(t, row, transport))
      }
    }
  }

  async #try(t: Test, { send, expect, also }: Probe, over: Over): Promise<void> {
    const reply = await probe(this.port, send, over, allowsSilence(expect))
    t.equal(mismatch(expect, reply?.decoded), '', expect)
    if (reply) also?.(t, reply.decoded, reply.octets)
  }

  /** A row of another form than one packet. */
  test(id: string, title: string, run: (t: Test) => Promise<void>): void {
    this.#tried.add(id)
    void this.#t.test(`${id}: ${title}`, run)
  }

  /** To be called behind all rows. */
  end(): void {
    void this.#t.test('all rows were tried, and the server goes on', async t => {
      t.strictSame(
        [...this.#ids].filter(id => !this.#tried.has(id)),
        [],
        'ids that were not tried',
      )
      t.strictSame(
        [...this.#tried].filter(id => !this.#ids.has(id)),
        [],
        'ids that are not listed',
      )
      for (const tcp of [false, true]) t.equal((await query(this.port, { name: NAME, tcp })).answer.length, 1)
      t.strictSame(bugLines(this.target), [], 'no bug in the log')
      t.equal(await this.target.stop(), 0, 'ends in good order')
    })
  }
}

/** Starts the server for the rows that ids.ts lists for this file. */
export async function startSpec(
  t: Test,
  file: string,
  options: Omit<TargetOptions, 'folder'> = {},
): Promise<Spec> {
  const target = await startTarget({ ...options, folder: t.testdir({}) })
  t.teardown(() => target.stop())
  return new Spec(t, target, idsOf(file))
}
