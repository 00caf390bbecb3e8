// The last good configuration on a volume (`-last-good FILE`): what was served last, with everything that it imported and
// took from the environment, so that a restart with a broken Corefile serves on what was served before it was broken. One
// line of JSON, known as whole by its digest.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ServerBlock } from '../corefile/corefile.ts'
import { replaceFile } from '../shared/replace-file.ts'

const FORMAT = 'last good configuration 1'

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
    const [head = '', content = ''] = readFileSync(file, 'utf8').split('\n')
    const { seamark, sha256 } = JSON.parse(head) as Record<string, unknown>
    if (seamark !== FORMAT) return `${file} holds something else`
    if (sha256 !== digest(content)) return `${file} is damaged`
    // Nobody but saveLastGood writes this digest.
    return JSON.parse(content) as LastGood
  } catch (error) {
    return (error as Error).message
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
