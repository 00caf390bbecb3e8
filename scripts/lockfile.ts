// package-lock.json as scripts read it: what each package is, where it lies, what it needs.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A package as the lockfile has it. */
export interface Locked {
  readonly version: string
  /** `sha512-…`, base64, of its archive. */
  readonly integrity: string
  readonly license?: string
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
  readonly optional?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const ROOT = join(import.meta.dirname, '..')

/** All packages of others by their folders, `node_modules/yaml`. */
export function lockedPackages(): ReadonlyMap<string, Locked> {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Partial<Locked>>>
  }
  const isOthers = (entry: [string, Partial<Locked>]): entry is [string, Locked] =>
    entry[1].integrity !== undefined
  return new Map(Object.entries(packages).filter(isOthers))
}

/** The name of the package in a folder. */
export const nameIn = (folder: string): string => folder.slice(folder.lastIndexOf('node_modules/') + 13)
