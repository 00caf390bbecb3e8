// The last good configuration on a volume (`-last-good FILE`): what was served last, with everything that it imported and
// took from the environment, so that a restart with a broken Corefile serves on what was served before it was broken. One
// line of JSON, known as whole by its digest.

import { createHash } from 'node:crypto'
import type { ServerBlock } from '../corefile/corefile.ts'
import { SCHEMES } from '../corefile/key.ts'
import { readRegular } from '../shared/regular-file.ts'
import { replaceFile } from '../shared/replace-file.ts'
import { parseName } from '../wire/name.ts'

const FORMAT = 'last good configuration 1'
/** A Corefile in a ConfigMap is at most 1 MiB, and what it imports is bounded, too. */
const MAX_OCTETS = 64 * 2 ** 20
/** The last moment that has a date (ECMA-262 21.4.1.1). */
const DATE_MAX_MS = 8.64e15
/** Blocks within blocks: no directive has more than two. */
const DEPTH_MAX = 8

/** A configuration that was served. */
export interface LastGood {
  readonly blocks: readonly ServerBlock[]
  /** Wall time in ms since 1970. */
  readonly savedAtMs: number
}

/** Keeps the blocks in `file`. Rejects with the file system's error, and then what was kept before stays. */
export async function saveLastGood(
  file: string,
  blocks: readonly ServerBlock[],
  nowMs: number,
): Promise<void> {
  const content = JSON.stringify({ blocks, savedAtMs: nowMs } satisfies LastGood)
  const head = { seamark: FORMAT, sha256: digest(content) }
  await replaceFile(file, handle => handle.writeFile(`${JSON.stringify(head)}\n${content}\n`))
}

/** What was kept in `file`; where there is nothing to use, why, as the end of a sentence. */
export function readLastGood(file: string): LastGood | string {
  try {
    const [head = '', content = ''] = readRegular(file, MAX_OCTETS).split('\n')
    const { seamark, sha256 } = JSON.parse(head) as Record<string, unknown>
    if (seamark !== FORMAT) return `${file} holds something else`
    if (sha256 !== digest(content)) return `${file} is damaged`
    const kept: unknown = JSON.parse(content)
    // The digest says that it is whole; whoever writes the file can make one.
    return isLastGood(kept) ? kept : `${file} holds no configuration`
  } catch (error) {
    return (error as Error).message
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isLastGood = (value: unknown): value is LastGood =>
  isRecord(value) &&
  Number.isSafeInteger(value.savedAtMs) &&
  Math.abs(Number(value.savedAtMs)) <= DATE_MAX_MS &&
  isListOf(value.blocks, isServerBlock)

const isListOf = (value: unknown, isOne: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isOne)

const isServerBlock = (value: unknown): boolean =>
  isRecord(value) &&
  isListOf(value.keys, isKey) &&
  Array.isArray(value.keys) &&
  value.keys.length > 0 &&
  isListOf(value.directives, directive => isDirective(directive, 0))

const isDirective = (value: unknown, depth: number): boolean =>
  isRecord(value) &&
  depth < DEPTH_MAX &&
  isToken(value.word) &&
  isListOf(value.args, isToken) &&
  (value.block === undefined || isListOf(value.block, inner => isDirective(inner, depth + 1)))

const isKey = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value.text === 'string' &&
  SCHEMES.some(scheme => scheme === value.scheme) &&
  typeof value.zone === 'string' &&
  value.zone === value.zone.toLowerCase() &&
  parseName(value.zone) !== undefined &&
  (value.port === undefined || isPort(value.port)) &&
  isToken(value.token)

const isPort = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535

const isToken = (value: unknown): boolean =>
  isRecord(value) &&
  [value.text, value.written, value.file].every(text => typeof text === 'string') &&
  [value.quoted, value.startsLine].every(flag => typeof flag === 'boolean') &&
  [value.line, value.column].every(number => Number.isSafeInteger(number))
