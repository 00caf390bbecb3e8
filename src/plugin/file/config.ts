// What the `file` directives of a block are told, as data, with what was read of their zones.

import type { LoadedZone } from './load.ts'

/** CoreDNS's default. */
export const RELOAD_MS = 60_000
/** A file is not looked at more often. */
export const RELOAD_MIN_MS = 100

/** One zone of a `file` directive. */
export interface FileZone {
  /** Lower case, absolute. */
  readonly origin: string
  /** Absolute. */
  readonly file: string
  /** 0 is never. */
  readonly reloadMs: number
  /** A newer file counts whatever its serial. */
  readonly byModification: boolean
  /** What was read with the Corefile; undefined where the file could not be read then. */
  readonly loaded: LoadedZone | undefined
}

/** The configuration of all `file` directives of a block. */
export interface FileConfig {
  /** No zone twice. */
  readonly zones: readonly FileZone[]
  /** Zones whose missing names go to the next plugin; undefined: none, ['.']: all. */
  readonly fallthrough: readonly string[] | undefined
}

/** What a zone's images are published under. */
export const zoneKey = ({ origin, file }: Pick<FileZone, 'origin' | 'file'>): string => `${origin} ${file}`
