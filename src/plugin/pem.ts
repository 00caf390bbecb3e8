// Certificates and keys that a directive names as files: read and judged when the Corefile is, with the place of what is
// wrong.

import { resolve } from 'node:path'
import type { Line } from '../corefile/arguments.ts'
import type { Token } from '../corefile/token.ts'
import { usePem } from '../shared/pem.ts'
import { readRegular, SETTINGS_MAX_OCTETS } from '../shared/regular-file.ts'

/** What stands in a file, and where that is. */
export interface PemFile {
  readonly text: string
  /** Absolute. */
  readonly path: string
}

/** Files of one directive; a certificate never comes without its key. */
export interface PemFiles {
  readonly cert?: PemFile | undefined
  readonly key?: PemFile | undefined
  readonly ca?: PemFile | undefined
}

/** The text of a file relative to `directory`; undefined and an error at the word where it cannot be read. */
export function readPem(line: Line, token: Token, directory: string): PemFile | undefined {
  const path = resolve(directory, token.text)
  try {
    return { text: readRegular(path, SETTINGS_MAX_OCTETS), path }
  } catch (error) {
    return line.unreadable(token, 'cannot read this file', error)
  }
}

/** Whether the files hold what they should; otherwise reports it at the line's word. */
export function judgePem(line: Line, files: PemFiles): boolean {
  const { cert, key, ca } = files
  try {
    usePem({ cert: cert?.text, key: key?.text, ca: ca?.text })
    return true
  } catch (error) {
    line.error(line.word, `the files do not hold a certificate and its key: ${(error as Error).message}`)
    return false
  }
}
