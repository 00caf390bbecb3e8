// UDP by batches of system calls (recvmmsg, sendmmsg): the form for Linux, where koffi loads. One socket for
// each family of an address, also for all addresses.

import { BatchSocket } from './batch-socket.ts'
import { BatchThread } from './batch-thread.ts'
import { loadLibc } from './libc.ts'
import {
  bindParts,
  ListenError,
  type Listener,
  type ListenOptions,
  type ListenResult,
  openParts,
} from './listener.ts'
import { passedFor } from './passed-sockets.ts'

/** One for all batch sockets of this thread. */
let thread: BatchThread | undefined

/**
 * Opens UDP sockets on `address`; an error is a value, undefined says that this machine lacks the means. Never
 * throws.
 */
export async function listenUdpBatch(
  options: ListenOptions & { readonly reusePort?: boolean },
): Promise<ListenResult | undefined> {
  const libc = await loadLibc()
  if (!libc) return undefined
  thread ??= new BatchThread(libc)
  const scheduler = thread
  const opened = await openParts(bindParts(options.address), options.port, async (part, port) => {
    const passed = passedFor(options.passed ?? [], 'udp', part, port)
    const socket =
      passed === undefined
        ? BatchSocket.open(options, libc, scheduler, part, port)
        : BatchSocket.adopt(options, libc, scheduler, part, passed)
    if (!(socket instanceof ListenError)) scheduler.add(socket)
    return socket
  })
  if (opened instanceof ListenError) return { ok: false, error: opened }
  const listener: Listener = {
    kind: 'udp-batch',
    address: options.address,
    port: opened[0]!.port,
    drain: async () => {
      await Promise.all(opened.map(socket => socket.drain()))
    },
    close: async () => {
      await Promise.all(opened.map(socket => socket.close()))
    },
  }
  return { ok: true, listener }
}
