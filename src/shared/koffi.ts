// Calls into the C library that the process runs on, by koffi: sockets in batches (listen/libc.ts), requests to the kernel
// (nodecache/netlink.ts). Optional: where koffi is missing, or has no build for this machine, others do without.

import type koffi from 'koffi'

export type Koffi = typeof koffi

/** The process itself: whatever C library it runs on is in it. */
export type Library = ReturnType<Koffi['load']>

/** Undefined where there is none, or no Linux. Never rejects. */
export async function loadKoffi(): Promise<{ koffi: Koffi; library: Library } | undefined> {
  if (process.platform !== 'linux') return undefined
  const koffi = await import('koffi').then(
    loaded => loaded.default,
    () => undefined,
  )
  return koffi && { koffi, library: koffi.load(null) }
}
