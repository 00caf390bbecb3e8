// A process whose time of day a test steps, as NTP or an operator does it to a node, while the machine keeps its own.

import { execFileSync } from 'node:child_process'
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { programPath } from './system-program.ts'

const SOURCE = join(import.meta.dirname, 'clock-offset.c')

const OFFSET_OCTETS = 8

/** False where a clock can be stepped here, otherwise the reason to skip. */
export const noStepping: false | string =
  process.platform !== 'linux'
    ? 'clocks are stepped by the loader of Linux'
    : programPath('gcc') === undefined && 'gcc is not installed'

/** The clock of whatever is started with `wrap`. */
export class SteppedClock {
  readonly #library: string
  readonly #offset: string

  /** Builds what it needs in the folder. */
  constructor(folder: string) {
    this.#library = join(folder, 'clock-offset.so')
    this.#offset = join(folder, 'clock-offset')
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', this.#library, SOURCE])
    writeFileSync(this.#offset, Buffer.alloc(OFFSET_OCTETS))
  }

  /** The time of day is so many seconds ahead of the machine's from now on. */
  stepTo(seconds: number): void {
    const octets = Buffer.alloc(OFFSET_OCTETS)
    octets.writeBigInt64LE(BigInt(seconds))
    // In place: processes have the file in their memory.
    const file = openSync(this.#offset, 'r+')
    writeSync(file, octets)
    closeSync(file)
  }

  /** The command with this clock. */
  readonly wrap = (command: readonly string[]): readonly string[] => [
    'env',
    `LD_PRELOAD=${this.#library}`,
    `CLOCK_OFFSET=${this.#offset}`,
    ...command,
  ]
}
