// Which manifest files a folder holds, in folders within folders, and a signature of each that changes when the file
// does. Links are followed, each real file and folder is seen once, so a loop of links ends by itself; a mounted
// ConfigMap (links through `..data`, which is swapped as a whole) shows as changed signatures. Hidden names are left out.

import { type BigIntStats, promises as fs } from 'node:fs'
import { basename, join } from 'node:path'
import { isKustomization } from './kustomization.ts'
import type { ManifestProblem } from './problem.ts'

/** Folders within folders deeper than this are not read. */
export const DEPTH_MAX = 16
/** More manifest files than this are not read. */
const FILES_MAX = 10_000
/** A larger file is not read. */
export const FILE_MAX_BYTES = 16 * 1024 * 1024

const isManifestFile = (path: string): boolean =>
  /\.(?:ya?ml|json)$/i.test(path) || isKustomization(basename(path))
/** The folder of a Helm chart has it; what lies beside it are templates. */
const CHART = 'Chart.yaml'
const STATS_AT_ONCE = 32
/** Of a path below the folder these mean that there is no file, rather than one that cannot be read now. */
const GONE = ['ENOENT', 'ELOOP']

/** What a look at the folder found. */
export interface FolderScan {
  /** Signatures by path, sorted by path. */
  readonly files: ReadonlyMap<string, string>
  readonly folders: readonly string[]
  /** Paths that could not be looked at: what was known of them, and of what is below them, still holds. */
  readonly unreadable: readonly string[]
  readonly problems: readonly ManifestProblem[]
}

/**
 * Looks at the folder, and at files and folders elsewhere that belong to it; never rejects. Paths are the folder's own joined
 * with what is below it.
 */
export async function scanFolder(directory: string, elsewhere: readonly string[] = []): Promise<FolderScan> {
  const scan = new Scan()
  await scan.enter(directory)
  for (const path of elsewhere) await scan.enter(path)
  const files = new Map([...scan.files].sort(([a], [b]) => (a < b ? -1 : 1)))
  return { files, folders: scan.folders, unreadable: scan.unreadable, problems: scan.problems }
}

/** Reads a file's text, or says why it cannot be read; never rejects. */
export async function readManifest(file: string): Promise<string | ManifestProblem> {
  try {
    const { size } = await fs.stat(file)
    if (size > FILE_MAX_BYTES) return problemAt(file, `larger than ${FILE_MAX_BYTES} bytes: not read`)
    return await fs.readFile(file, 'utf8')
  } catch (cause) {
    return problemAt(file, `cannot be read: ${codeOf(cause)}`)
  }
}

class Scan {
  readonly files = new Map<string, string>()
  readonly folders: string[] = []
  readonly unreadable: string[] = []
  readonly problems: ManifestProblem[] = []
  readonly #seen = new Set<string>()
  #full = false

  async enter(path: string): Promise<void> {
    const stats = await this.#stat(path)
    if (stats?.isFile()) await this.#entry(path, stats, 0)
    else if (stats && this.#first(stats)) await this.#folder(path, 0)
  }

  async #folder(directory: string, depth: number): Promise<void> {
    let names: string[]
    try {
      names = (await fs.readdir(directory)).filter(name => !name.startsWith('.')).sort()
    } catch (cause) {
      this.#unreadable(directory, cause)
      return
    }
    this.folders.push(directory)
    if (names.includes(CHART)) {
      const message = `a Helm chart, of which nothing is read: write what helm template NAME ${directory} prints`
      this.problems.push(problemAt(join(directory, CHART), message))
      return
    }
    for (let i = 0; i < names.length; i += STATS_AT_ONCE) {
      const paths = names.slice(i, i + STATS_AT_ONCE).map(name => join(directory, name))
      const stats = await Promise.all(paths.map(path => this.#stat(path)))
      for (const [j, path] of paths.entries()) await this.#entry(path, stats[j], depth)
    }
  }

  async #entry(path: string, stats: BigIntStats | undefined, depth: number): Promise<void> {
    if (!stats || this.#full) return
    if (stats.isDirectory()) {
      if (!this.#first(stats)) return
      if (depth < DEPTH_MAX) await this.#folder(path, depth + 1)
      else this.problems.push(problemAt(path, `more than ${DEPTH_MAX} folders deep: not read`))
    } else if (stats.isFile() && isManifestFile(path) && this.#first(stats)) {
      if (this.files.size === FILES_MAX) {
        this.#full = true
        this.problems.push(
          problemAt(path, `more than ${FILES_MAX} files: this one and the rest are not read`),
        )
        return
      }
      this.files.set(path, `${stats.mtimeNs} ${stats.size} ${stats.ino}`)
    }
  }

  async #stat(path: string): Promise<BigIntStats | undefined> {
    try {
      return await fs.stat(path, { bigint: true })
    } catch (cause) {
      const gone = GONE.includes(codeOf(cause)) && this.folders.length > 0
      if (!gone) this.#unreadable(path, cause)
      else if (isManifestFile(path))
        this.problems.push(problemAt(path, `a link to nothing: ${codeOf(cause)}`))
      return undefined
    }
  }

  #unreadable(path: string, cause: unknown): void {
    this.unreadable.push(path)
    this.problems.push(problemAt(path, `cannot be read: ${codeOf(cause)}`))
  }

  #first(stats: BigIntStats): boolean {
    const identity = `${stats.dev}:${stats.ino}`
    if (this.#seen.has(identity)) return false
    this.#seen.add(identity)
    return true
  }
}

const problemAt = (file: string, message: string): ManifestProblem => ({
  severity: 'error',
  file,
  line: 1,
  column: 1,
  message,
})

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}
