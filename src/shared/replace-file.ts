// A file put in another's place in one step: written beside it, flushed to the disk and renamed, so that what is found there
// is always whole, the old one or the new one, whatever ends the process or the machine meanwhile.

import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Replaces `file` with what `write` writes; only the owner may read it. Rejects with the file system's error (no space, no
 * permission) or what `write` rejects with, and leaves the old file as it was.
 */
export async function replaceFile(
  file: string,
  write: (handle: FileHandle) => Promise<unknown>,
): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  const handle = await open(temporary, 'w', 0o600)
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
