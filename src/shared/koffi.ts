// Calls into the C library that the process runs on, by koffi: sockets in batches (listen/libc.ts), requests to the kernel
// (nodecache/netlink.ts). Optional: where koffi is missing, or has no build for this machine, others do without.

import { createRequire } from 'node:module'
import type koffi from 'koffi'

export type Koffi = typeof koffi

/** The process itself: whatever C library it runs on is in it. */
export type Library = ReturnType<Koffi['load']>

const require = createRequire(import.meta.url)

/** The native module itself. What koffi has around it finds it and warns of what is out of use, and takes 10 ms of each thread. */
function nativeModule(): Koffi | undefined {
  try {
    return require(`@koromix/koffi-${process.platform}-${process.arch}`) as Koffi
  } catch {
    return undefined
  }
}

/** Undefined where there is none, or no Linux. Never rejects. */
export async function loadKoffi(): Promise<{ koffi: Koffi; library: Library } | undefined> {
  if (process.platform !== 'linux') return undefined
  // A package manager that keeps every package to itself has it where only koffi finds it.
  const koffi = nativeModule() ?? (await importedKoffi())
  return koffi && { koffi, library: koffi.load(null) }
}

const importedKoffi = (): Promise<Koffi | undefined> =>
  import('koffi').then(
    loaded => loaded.default,
    () => undefined,
  )
