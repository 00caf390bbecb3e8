// Files that others may have put in their place: only a regular file of a bounded size is read. A pipe would be waited for without
// end, a device never ends, and a folder says so late.

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { devNull } from 'node:os'

/** A file that is there and is not read, and why. */
export class FileError extends Error {
  readonly code = 'ENOTREGULAR'
}

/** What files of settings have at most: certificates, a resolv.conf, a kubeconfig. */
export const SETTINGS_MAX_OCTETS = 16 * 1024 * 1024

/** Without O_NONBLOCK to open a pipe would wait for somebody who writes into it. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK

/** Opens a regular file of at most so many octets. Rejects with the system's error or a FileError. */
export async function openRegular(file: string, maxOctets: number): Promise<FileHandle> {
  const handle = await open(file, FLAGS)
  try {
    judge(file, await handle.stat(), maxOctets)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** The text of a regular file of at most so many octets. Rejects with the system's error or a FileError. */
export async function readRegularSoon(file: string, maxOctets: number): Promise<string> {
  const handle = await openRegular(file, maxOctets)
  try {
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/** The text of a regular file of at most so many octets. Throws the system's error or a FileError. */
export function readRegular(file: string, maxOctets: number): string {
  const fd = openSync(file, FLAGS)
  try {
    judge(file, fstatSync(fd), maxOctets)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

function judge(file: string, stats: Stats, maxOctets: number): void {
  if (isNull(stats)) return
  if (!stats.isFile()) throw new FileError(`${file} is no regular file`)
  if (stats.size > maxOctets)
    throw new FileError(`${file} has ${stats.size} octets, more than the ${maxOctets} that are read`)
}

/** The null device stands for an empty file, wherever it is linked or mounted. */
const isNull = (stats: Stats): boolean =>
  stats.isCharacterDevice() && stats.rdev === statSync(devNull, { throwIfNoEntry: false })?.rdev
