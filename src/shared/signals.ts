// A signal that Node keeps from the process: --disable-sigusr1 lets nobody open its inspector by SIGUSR1 (Node 24), and leaves the
// signal blocked in every thread, so that nobody else hears it either.

import { constants } from 'node:os'
import { loadKoffi } from './koffi.ts'

/** Linux: asm-generic/signal-defs.h, and the octets of a sigset_t, of glibc and musl alike. */
const SIG_UNBLOCK = 1
const SIGSET_OCTETS = 128

/** Lets SIGUSR1 through to this thread, where it has a listener by now. Without koffi it stays as Node has left it. Never rejects. */
export async function hearSigusr1(): Promise<void> {
  const native = await loadKoffi()
  if (native === undefined) return
  const bit = constants.signals.SIGUSR1 - 1
  const set = new Uint8Array(SIGSET_OCTETS)
  set[bit >> 3] = 1 << (bit & 7)
  native.library.func('pthread_sigmask', 'int', ['int', 'void *', 'void *'])(SIG_UNBLOCK, set, null)
}
