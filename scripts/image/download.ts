// What an image is made of and this machine has not: files by name and checksum, fetched once by the programs that know how
// (`apt-helper` of apt, `npm pack`), kept in the user's cache folder, and held to their checksum whenever they are read.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const OUTPUT_MAX_OCTETS = 512 * 2 ** 20

/** Something that an image needs cannot be had here: a program, or a file over the network. */
export class Unavailable extends Error {
  readonly code = 'unavailable'
}

/** The folder of what was fetched. */
export function cacheFolder(): string {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'seamark', 'image')
  try {
    mkdirSync(folder, { recursive: true })
  } catch (cause) {
    throw new Unavailable(`there is no folder for what is fetched: ${(cause as Error).message}`, { cause })
  }
  return folder
}

/** What a program prints. @throws Unavailable where it fails or is not there */
export function output(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...options,
    maxBuffer: OUTPUT_MAX_OCTETS,
  })
  if (status === 0) return stdout
  const why = error?.message ?? (String(stderr).trim().split('\n').at(-1) || `exit status ${status}`)
  throw new Unavailable(`${program} ${args.join(' ')}: ${why}`, { cause: error })
}

/**
 * The path of a file whose checksum is known.
 * @param name - in the cache folder
 * @param checksum - `sha256-…` or `sha512-…`, in base64 as npm writes it
 * @param fetch - puts it into that file
 * @throws Unavailable where it cannot be had, or is another one
 */
export function kept(name: string, checksum: string, fetch: (file: string) => void): string {
  const file = join(cacheFolder(), name)
  if (existsSync(file) && checksumOf(readFileSync(file), checksum) === checksum) return file
  const beside = `${file}.${process.pid}`
  try {
    fetch(beside)
    const found = checksumOf(readFileSync(beside), checksum)
    if (found !== checksum) throw new Unavailable(`${name} has the checksum ${found}, not ${checksum}`)
    renameSync(beside, file)
    return file
  } finally {
    rmSync(beside, { force: true })
  }
}

function checksumOf(octets: Buffer, like: string): string {
  const algorithm = like.slice(0, like.indexOf('-'))
  return `${algorithm}-${createHash(algorithm).update(octets).digest('base64')}`
}
