// Hints from the operating system that something in a folder changed, so that an edit is seen at once instead of at
// the next look. Only hints: where the system has none to give (network file systems, too many watches), polling
// alone finds every change.

import { type FSWatcher, watch } from 'node:fs'

/** What tells a source to look again. */
export interface Hints {
  /** The folders to be told about, in place of those before. */
  watch(folders: readonly string[]): void
  close(): void
}

/** More folders than this are left to polling. */
const HINTED_FOLDERS_MAX = 256

/** Hints by `fs.watch`, each folder by itself. */
export class FolderHints implements Hints {
  readonly #onHint: () => void
  readonly #watchers = new Map<string, FSWatcher>()

  constructor(onHint: () => void) {
    this.#onHint = onHint
  }

  watch(folders: readonly string[]): void {
    const wanted = new Set(folders.slice(0, HINTED_FOLDERS_MAX))
    for (const folder of this.#watchers.keys()) if (!wanted.has(folder)) this.#drop(folder)
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#add(folder)
  }

  close(): void {
    for (const folder of this.#watchers.keys()) this.#drop(folder)
  }

  #add(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#onHint())
      watcher.on('error', () => this.#drop(folder))
      this.#watchers.set(folder, watcher)
    } catch {
      // No watch to be had (the limit of inotify, a file system without): polling sees what happens here.
      this.#drop(folder)
    }
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }
}
