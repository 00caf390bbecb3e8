// What a Corefile may touch outside itself: files, file name patterns, the environment. Handed in, so that a test or
// `seamark check` can bring its own.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readRegular, SETTINGS_MAX_OCTETS } from '../shared/regular-file.ts'
import type { Environment } from './environment.ts'

/** What the parser asks of the machine. */
export interface CorefileHost {
  /** The text of a file, which was imported or else may be a pipe; throws where it cannot be read. */
  readonly readFile: (path: string, imported: boolean) => string
  /** The files that match a pattern of one `*` or `?` within its path segments, in name order; none is no error. */
  readonly glob: (pattern: string) => readonly string[]
  /** The variables of `{$NAME}` and `{%NAME%}`. */
  readonly env: Environment
}

/** Whether a file cannot be read because it is not there. */
export const isAbsent = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')

/** The machine this process runs on. */
export const nodeHost: CorefileHost = {
  readFile: (path, imported) =>
    imported ? readRegular(path, SETTINGS_MAX_OCTETS) : readFileSync(path, 'utf8'),
  glob: globFiles,
  env: process.env,
}

/**
 * Files whose path matches `pattern`, sorted; `*` and `?` never match a slash but do match a leading dot (Go's
 * filepath.Glob). Folders are left out: a mounted ConfigMap always holds a `..data` that is one.
 * Throws where a folder cannot be read.
 */
export function globFiles(pattern: string): string[] {
  const segments = pattern.split('/').filter(segment => segment !== '')
  let paths = [pattern.startsWith('/') ? '/' : '']
  for (const segment of segments) {
    paths = /[*?]/.test(segment)
      ? paths.flatMap(path =>
          namesIn(path)
            .filter(segmentMatcher(segment))
            .map(name => join(path, name)),
        )
      : paths.map(path => join(path, segment))
  }
  return paths.filter(isFile).sort()
}

function namesIn(path: string): string[] {
  return statSync(path === '' ? '.' : path, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(path === '' ? '.' : path)
    : []
}

/** Whether a path is one of those that a pattern names, segment by segment. */
export function matchesPattern(pattern: string, path: string): boolean {
  const [wanted, segments] = [pattern.split('/'), path.split('/')]
  return (
    wanted.length === segments.length && wanted.every((segment, i) => segmentMatcher(segment)(segments[i]!))
  )
}

function segmentMatcher(segment: string): (name: string) => boolean {
  const pattern = segment
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  const expression = new RegExp(`^${pattern}$`, 's')
  return name => expression.test(name)
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
