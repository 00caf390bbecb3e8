// A file put in another's place in one step: written beside it, flushed to the disk and renamed, so that what is found there
// is always whole, the old one or the new one, whatever ends the process or the machine meanwhile.

import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** What a process that was killed left behind is taken away after so long: by then nobody writes it any more. */
const LEFTOVER_MS = 10 * 60_000
const NAME_OCTETS = 8

/**
 * Replaces `file` with what `write` writes; only the owner may read it. Rejects with the file system's error (no space, no
 * permission) or what `write` rejects with, and leaves the old file as it was. It is written under a name that nobody can know
 * before, and that did not exist: whoever else may write into the folder cannot have put a link there.
 */
export async function replaceFile(
  file: string,
  write: (handle: FileHandle) => Promise<unknown>,
): Promise<void> {
  await removeLeftovers(file)
  const temporary = `${file}.${randomBytes(NAME_OCTETS).toString('hex')}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await write(handle)
    await handle.sync()
    await handle.close()
    await rename(temporary, file)
  } catch (error) {
    // Closing twice is an error of its own and says nothing new.
    await handle.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(file))
}

/** The rename itself is to survive a power failure; file systems that cannot flush a folder say so, harmlessly. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

/** Takes away what is left of former writes; that it cannot be is no reason not to write. */
async function removeLeftovers(file: string): Promise<void> {
  const folder = dirname(file)
  const leftover = new RegExp(`^\\.[0-9a-f]{${2 * NAME_OCTETS}}\\.tmp$`)
  const prefix = basename(file)
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    if (!name.startsWith(prefix) || !leftover.test(name.slice(prefix.length))) continue
    const path = join(folder, name)
    const stats = await stat(path).catch(() => undefined)
    if (stats?.isFile() && Date.now() - stats.mtimeMs > LEFTOVER_MS)
      await rm(path, { force: true }).catch(() => undefined)
  }
}
